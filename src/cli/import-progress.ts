import type { VirtualMachineImport } from '../api/virtual-machine-import.ts';
import type { Outcome } from '../api/phases.ts';

/** One VM of a run, as far as somebody who watches it wants to know. */
export interface VmProgress {
  readonly name: string;
  readonly phase: string;
  readonly step: string;
  /** Of a warm VM: the round that is copied, or was last. */
  readonly round?: number;
  readonly isFinalRound?: boolean;
  /** What it waits for, in words; empty while it goes on by itself. */
  readonly waitsFor: string;
  /** Milliseconds since 1970. */
  readonly waitsSince?: number;
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly bytesPerSecond?: number;
  readonly secondsLeft?: number;
  readonly outcome?: Outcome;
}

/** `object` undefined: its import has not been made yet. */
export function progressOf(name: string, object: VirtualMachineImport | undefined): VmProgress {
  if (object === undefined) {
    return { name, phase: 'Pending', step: '', waitsFor: '', doneBytes: 0, totalBytes: 0 };
  }
  const { status = {} } = object;
  const disks = status.disks ?? [];
  const frozen = object.spec.disks.filter((disk) => disk.mode === 'copy');
  const totalBytes = frozen.reduce((sum, disk) => sum + disk.sizeBytes, 0);
  const last = status.records?.rounds?.at(-1);
  // After the first round the disks are there; how much of them has changed since, nobody tells (fact: cdi 3.2).
  const isDelta = last !== undefined && (last.kind !== 'initial' || last.copiedAt !== undefined);
  const doneBytes = isDelta ? totalBytes : disks.reduce((sum, disk) => sum + disk.doneBytes, 0);
  const copying = disks.filter((disk) => disk.state === 'copying');
  const bytesPerSecond = copying.reduce((sum, disk) => sum + (disk.rateBytesPerSecond ?? 0), 0);
  const waitsSince = Date.parse(status.phaseSince ?? '');
  return {
    name,
    phase: status.phase ?? 'Pending',
    step: status.step ?? '',
    waitsFor: waitOf(object),
    ...(Number.isFinite(waitsSince) && { waitsSince }),
    doneBytes,
    totalBytes,
    ...(last !== undefined && { round: last.n, isFinalRound: last.kind === 'final' }),
    ...(bytesPerSecond > 0 &&
      !isDelta && { bytesPerSecond, secondsLeft: (totalBytes - doneBytes) / bytesPerSecond }),
    ...(status.outcome !== undefined && { outcome: status.outcome }),
  };
}

/** The middle of "Waiting for X since T, until U." Times are left to who shows it; amounts have a column of their own. */
function waitOf({ status = {} }: VirtualMachineImport): string {
  if (status.outcome === 'Failed') return status.error?.message ?? status.message ?? '';
  if (status.outcome !== undefined) return '';
  const { message = '' } = status;
  const match = /^Waiting for (.*?)(?: since \d{4}-.*)?$/s.exec(message);
  const what = match?.[1] ?? message;
  return status.waitingFor === 'DiskTransfer' ? what.replace(/: [^()]* copied/, '') : what;
}

/** Its outcome is known and all that it had to put right is done. */
export function isEnded({ status }: VirtualMachineImport): boolean {
  return status?.outcome !== undefined && (status.ledger ?? []).every((entry) => entry.doneAt !== undefined);
}
