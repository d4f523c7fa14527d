import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import process from 'node:process';
import { formatBytes } from '../../cli/format.ts';
import { DemoError } from './demo-error.ts';

/** What the demo wants to know of the machine it runs on. */
export interface Machine {
  readonly platform: string;
  /** "24.1.0" */
  readonly nodeVersion: string;
  /** Where the temporary folder is made. */
  readonly tempFolder: string;
  readonly freeTempBytes: number;
  readonly freeMemoryBytes: number;
}

export interface MachineNeeds {
  readonly tempBytes: number;
  readonly memoryBytes: number;
}

const platforms: readonly string[] = ['linux', 'darwin', 'freebsd'];
/** The first that knows `using` and `await using`. */
const oldestNode = 24;

/** Throws DemoError `TempFolderUnusable` where there is no temporary folder. */
export async function thisMachine(): Promise<Machine> {
  const tempFolder = tmpdir();
  let space: { readonly bavail: number; readonly bsize: number };
  try {
    space = await statfs(tempFolder);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new DemoError(
      'TempFolderUnusable',
      `The folder for temporary files, ${tempFolder}, cannot be used (${why}): set TMPDIR to another one.`,
      { cause: error },
    );
  }
  return {
    platform: process.platform,
    nodeVersion: process.versions.node,
    tempFolder,
    freeTempBytes: space.bavail * space.bsize,
    freeMemoryBytes: process.availableMemory(),
  };
}

/** Throws DemoError `NodeTooOld`. */
export function checkNode(nodeVersion: string): void {
  if (Number.parseInt(nodeVersion, 10) >= oldestNode) return;
  throw new DemoError(
    'NodeTooOld',
    `Node ${nodeVersion} is too old, ${oldestNode} or newer is needed: "npm ci" brings one on Linux.`,
  );
}

/** Throws DemoError for the first thing that is missing, in one line that says what to do. */
export function checkMachine(machine: Machine, needs: MachineNeeds): void {
  const { platform, nodeVersion, tempFolder, freeTempBytes, freeMemoryBytes } = machine;
  checkNode(nodeVersion);
  if (!platforms.includes(platform)) {
    throw new DemoError(
      'UnsupportedSystem',
      `The sandbox keeps its disks in sparse files, which it cannot do on ${platform}: run it on Linux, on macOS or in WSL.`,
    );
  }
  if (freeTempBytes < needs.tempBytes) {
    throw new DemoError(
      'NotEnoughSpace',
      `The disks need ${formatBytes(needs.tempBytes)} in ${tempFolder}, where ${formatBytes(freeTempBytes)} are free: ` +
        'make room or set TMPDIR to a larger folder.',
    );
  }
  if (freeMemoryBytes < needs.memoryBytes) {
    throw new DemoError(
      'NotEnoughMemory',
      `About ${formatBytes(needs.memoryBytes)} of memory are needed, ${formatBytes(freeMemoryBytes)} are available: ` +
        'end something else, or move fewer VMs with --vms.',
    );
  }
}
