import type { Clock } from '../../runtime/clock.ts';
import type { Disk, DiskStore, Extent } from '../disk-store.ts';
import type { Faults, VCenter, VddkDisk } from '../world.ts';
import { failed, transferFailed } from './importer-exit.ts';
import type { ProgramExit } from './pod-runner.ts';
import type { CdiSettings } from './settings.ts';

/** What the world gives an importer. */
export interface ImportParts {
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
/**
 * Where a read fails, nbdkit opens the disk again and reads once more: after so many seconds each, then it gives up. Fact: the importer runs
 * it with its retry filter (cdi 3.3), whose waits these are by its manual; seen in CDI 1.65: a minute without a source costs that minute.
 */
const readAgainSeconds = [2, 4, 8, 16, 32];

export interface CopyJob {
  readonly source: VddkDisk;
  readonly target: Disk;
  /** Bytes that the target's volume can hold. */
  readonly capacityBytes: number;
  /** What is to be read, in order. */
  readonly areas: readonly Extent[];
  /** Of the whole disk. */
  readonly seconds: number;
  /** For the faults. */
  readonly claimName: string;
  /** 0 to 100 of this stage's work, when `piece` is next and `copied` bytes are done: at what share of it the faults strike. */
  share(piece: Extent, copied: number): number;
  /** `piece` is done, as the last of `copied` bytes. */
  done(piece: Extent, copied: number): void;
}

/** Undefined when all is copied. */
export async function copyAreas(
  parts: ImportParts,
  job: CopyJob,
  signal: AbortSignal,
): Promise<ProgramExit | undefined> {
  const { clock, faults, settings } = parts;
  const pieces = job.areas.flatMap(inPieces);
  const dataBytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const steps = Math.min(mostSteps, Math.max(1, Math.ceil((job.seconds * 1000) / stepMs)));
  const waitMs = (job.seconds * 1000) / settings.speed / steps;
  let next = 0;
  let copied = 0;
  let hasAsked = false;
  for (let step = 0; step < steps; step += 1) {
    await clock.sleep(waitMs, signal);
    for (; next < pieces.length && copied < (dataBytes * (step + 1)) / steps; next += 1) {
      const piece = pieces[next];
      if (piece === undefined) break;
      if (!hasAsked && job.share(piece, copied) >= settings.faultAtPercent) {
        hasAsked = true;
        const struck = strike(faults, job.claimName);
        if (struck !== undefined) return struck;
      }
      const problem = await copyPiece(parts, job, piece, copied, signal);
      if (problem !== undefined) return problem;
      copied += piece.length;
      job.done(piece, copied);
      if (next % 4 === 3) await clock.sleep(0, signal);
    }
  }
  return hasAsked ? undefined : strike(faults, job.claimName);
}

function inPieces({ offset, length }: Extent): readonly Extent[] {
  return Array.from({ length: Math.ceil(length / pieceBytes) }, (_, i) => ({
    offset: offset + i * pieceBytes,
    length: Math.min(pieceBytes, length - i * pieceBytes),
  }));
}

/** A volume is full when its bytes are used up, a block volume also behind its end (fact: cdi 1.3, one fixed sentence). */
async function copyPiece(
  parts: ImportParts,
  job: CopyJob,
  { offset, length }: Extent,
  copied: number,
  signal: AbortSignal,
): Promise<ProgramExit | undefined> {
  const isFull = copied + length > job.capacityBytes || offset + length > job.target.sizeBytes;
  if (isFull) return transferFailed(`Unable to copy block at offset ${offset}: no space left on device`);
  for (const seconds of [...readAgainSeconds, undefined]) {
    let bytes: Uint8Array;
    try {
      bytes = job.source.read(offset, length);
    } catch (error) {
      if (seconds === undefined)
        return transferFailed(error instanceof Error ? error.message : String(error));
      await parts.clock.sleep((seconds * 1000) / parts.settings.speed, signal);
      continue;
    }
    job.target.write(offset, bytes);
    break;
  }
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
