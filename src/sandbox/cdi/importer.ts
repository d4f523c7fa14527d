import type { PersistentVolumeClaim } from '../../api/external/core.ts';
import type { Stored } from '../../api/meta.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Disk, DiskStore, Extent } from '../disk-store.ts';
import { claimDiskId, modeOf, usableBytes } from '../storage/volume-size.ts';
import { requestedBytes } from '../storage/volume-size.ts';
import type { Faults, VCenter, VddkDisk } from '../world.ts';
import type { TerminationMessage } from './claim-from-pod.ts';
import type { Program, ProgramContext, ProgramExit } from './pod-runner.ts';
import type { CdiSettings } from './settings.ts';

export interface ImporterDeps {
  readonly clock: Clock;
  readonly disks: DiskStore;
  readonly vcenter?: VCenter;
  readonly faults: Faults;
  readonly settings: CdiSettings;
}

/** Bytes read and written without giving way: about a millisecond of work. */
const pieceBytes = 4 * 1_048_576;
/** A copy's time passes in steps of this length (before `speed`), so that its progress can be seen. */
const stepMs = 500;
const mostSteps = 200;
const vddkVersion = '8.0.2';

/**
 * What the importer program does with the sources that are simulated: credentials and trust from its environment, bytes from the source
 * into the claim's disk, percent on the way, a line of text at the end. Fact: cdi 3.2, 3.3, 3.6, 3.7.
 */
export function createImporter(deps: ImporterDeps): Program {
  return async (context, signal) => {
    const claim = [...context.claims.values()][0];
    if (claim === undefined) return failed('Unable to find a volume to write to');
    switch (context.env['IMPORTER_SOURCE']) {
      case 'none':
        return importBlank(deps, claim, context);
      case 'vddk':
        return importVddk(deps, claim, context, signal);
      default:
        return failed(`Unknown data source: ${context.env['IMPORTER_SOURCE'] ?? ''}`);
    }
  };
}

/** On a block volume nothing is written and nothing said (fact: cdi 3.7). */
function importBlank(
  deps: ImporterDeps,
  claim: Stored<PersistentVolumeClaim>,
  context: ProgramContext,
): ProgramExit {
  if (context.env['IMPORTER_CONTENTTYPE'] === 'archive') {
    return failed('Cannot create empty disk with content type archive');
  }
  const preallocationApplied = context.env['PREALLOCATION'] === 'true';
  if (modeOf(claim) === 'Block' && !preallocationApplied) return { exitCode: 0, message: '' };
  emptyDisk(deps.disks, claim);
  return succeeded({ preallocationApplied, message: 'Import Complete' });
}

async function importVddk(
  deps: ImporterDeps,
  claim: Stored<PersistentVolumeClaim>,
  context: ProgramContext,
  signal: AbortSignal,
): Promise<ProgramExit> {
  let source: VddkDisk;
  try {
    source = openSource(deps, context);
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  }
  using open = source;
  const target = emptyDisk(deps.disks, claim);
  if (open.sizeBytes > target.sizeBytes) return failed(tooSmallText(open.sizeBytes, target));
  const ended = await copy(deps, open, target, claim.metadata.name, context, signal);
  if (ended !== undefined) return ended;
  const Host = URL.parse(context.env['IMPORTER_ENDPOINT'] ?? '')?.hostname ?? '';
  return succeeded({
    scratchSpaceRequired: false,
    preallocationApplied: false,
    vddkInfo: { Version: vddkVersion, Host },
    message: 'Import Complete',
  });
}

function openSource(deps: ImporterDeps, { env, certs }: ProgramContext): VddkDisk {
  const { vcenter } = deps;
  if (vcenter === undefined) {
    throw new Error('Unable to connect to vddk data source: no such host');
  }
  const snapshot = env['IMPORTER_CURRENT_CHECKPOINT'] ?? '';
  return vcenter.openDisk({
    url: env['IMPORTER_ENDPOINT'] ?? '',
    thumbprint: env['IMPORTER_THUMBPRINT'] ?? '',
    user: env['IMPORTER_ACCESS_KEY_ID'] ?? '',
    password: env['IMPORTER_SECRET_KEY'] ?? '',
    uuid: env['IMPORTER_UUID'] ?? '',
    backingFile: env['IMPORTER_BACKING_FILE'] ?? '',
    ...(snapshot !== '' && { snapshot }),
    // Without a certificate folder nothing is verified (fact: cdi 3.1).
    ...(certs !== undefined && { caPem: certs }),
  });
}

/** Inferred: the real importer finds out after the copy, when it grows the file; the words are the same. */
function tooSmallText(sourceBytes: number, target: Disk): string {
  return (
    'Unable to process data: Unable to resize disk image to requested size: ' +
    `virtual image size ${sourceBytes} is larger than the reported available storage ${target.sizeBytes}. ` +
    'A larger PVC is required'
  );
}

/** A cold import removes what an earlier attempt left before it writes (fact: cdi 3.6, full stage). */
function emptyDisk(disks: DiskStore, claim: Stored<PersistentVolumeClaim>): Disk {
  const id = claimDiskId(claim);
  const sizeBytes = disks.get(id)?.sizeBytes ?? usableBytes(requestedBytes(claim), modeOf(claim));
  disks.delete(id);
  return disks.create(id, sizeBytes);
}

/** Undefined when all is copied. Progress counts holes, too, in whole percents (fact: cdi 3.2, vddk). */
async function copy(
  { clock, faults, settings }: ImporterDeps,
  source: VddkDisk,
  target: Disk,
  claimName: string,
  context: ProgramContext,
  signal: AbortSignal,
): Promise<ProgramExit | undefined> {
  const pieces = source.extents().flatMap(inPieces);
  const dataBytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const seconds = settings.secondsPerDisk ?? dataBytes / settings.copyBytesPerSecond;
  const steps = Math.min(mostSteps, Math.max(1, Math.ceil((seconds * 1000) / stepMs)));
  const waitMs = (seconds * 1000) / settings.speed / steps;
  let next = 0;
  let copied = 0;
  let hasAsked = false;
  for (let step = 0; step < steps; step += 1) {
    await clock.sleep(waitMs, signal);
    for (; next < pieces.length && copied < (dataBytes * (step + 1)) / steps; next += 1) {
      const piece = pieces[next];
      if (piece === undefined) break;
      const percent = Math.floor((100 * piece.offset) / source.sizeBytes);
      if (!hasAsked && percent >= settings.faultAtPercent) {
        hasAsked = true;
        const struck = strike(faults, claimName);
        if (struck !== undefined) return struck;
      }
      const problem = copyPiece(source, target, piece);
      if (problem !== undefined) return problem;
      copied += piece.length;
      context.report(Math.floor((100 * (piece.offset + piece.length)) / source.sizeBytes));
      if (next % 4 === 3) await clock.sleep(0, signal);
    }
  }
  if (!hasAsked) {
    const struck = strike(faults, claimName);
    if (struck !== undefined) return struck;
  }
  context.report(100);
  return undefined;
}

function inPieces({ offset, length }: Extent): readonly Extent[] {
  return Array.from({ length: Math.ceil(length / pieceBytes) }, (_, i) => ({
    offset: offset + i * pieceBytes,
    length: Math.min(pieceBytes, length - i * pieceBytes),
  }));
}

function copyPiece(source: VddkDisk, target: Disk, { offset, length }: Extent): ProgramExit | undefined {
  let bytes: Uint8Array;
  try {
    bytes = source.read(offset, length);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return failed(`Unable to process data: Unable to transfer source data to target file: ${why}`);
  }
  target.write(offset, bytes);
  return undefined;
}

function strike(faults: Faults, claimName: string): ProgramExit | undefined {
  if (faults.strikes('pod-evicted', claimName)) {
    return { evicted: 'The node was low on resource: ephemeral-storage.' };
  }
  if (faults.strikes('importer-crash', claimName)) {
    return failed('Unable to process data: Unable to transfer source data to target file: unexpected EOF');
  }
  return undefined;
}

function failed(message: string): ProgramExit {
  return { exitCode: 1, message };
}

function succeeded(message: TerminationMessage): ProgramExit {
  return { exitCode: 0, message: JSON.stringify(message) };
}
