import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { VirtualMachine } from '../../../src/api/external/kubevirt.ts';
import { GuestError } from './guest-error.ts';
import { parseReport, type GuestReport } from './init.ts';
import { qemuArguments, type GuestFiles } from './qemu-arguments.ts';

/** A guest that has not powered off by then never will: without KVM and on a busy machine it takes about half a minute. */
const bootWithinMs = 240_000;
const longestTail = 3000;

/**
 * Starts the VM as its VirtualMachine asks for it, and gives what its guest tells of what it finds there. Rejects with GuestError that
 * has the end of its console.
 */
export async function bootGuest(
  vm: VirtualMachine,
  files: GuestFiles,
  signal: AbortSignal = AbortSignal.timeout(bootWithinMs),
): Promise<GuestReport> {
  const command = 'qemu-system-x86_64';
  const child = spawn(command, [...qemuArguments(vm, files)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
    killSignal: 'SIGKILL',
  });
  let console = '';
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (console += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const fail = (why: string, cause?: unknown): GuestError => {
    const tail = `${said.slice(-longestTail)}\n${console.slice(-longestTail)}`.trim();
    return new GuestError(
      'GuestBoot',
      `${vm.metadata.name} does not boot: ${why}; the end of its console:\n${tail}`,
      { cause },
    );
  };
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    const report = parseReport(console);
    if (report === undefined) throw fail(`${command} ended with exit code ${String(code)}`);
    return report;
  } catch (error) {
    if (error instanceof GuestError) throw error;
    throw fail(signal.aborted ? 'it took too long' : String(error), error);
  }
}
