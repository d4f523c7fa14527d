import type { DataVolume } from '../../../src/api/external/cdi.ts';
import type { PersistentVolumeClaim } from '../../../src/api/external/core.ts';
import type { Stored } from '../../../src/api/meta.ts';

/** What a story was told, in words that are the same in every world (normalise.ts). */
export interface Account {
  readonly steps: readonly StepAccount[];
  readonly said: Readonly<Record<string, unknown>>;
}

/** How everything stood at one point. */
export interface StepAccount {
  readonly what: string;
  readonly phase: string | undefined;
  readonly progress?: string;
  readonly restartCount?: number;
  readonly conditions: Readonly<Record<string, string>>;
  /** Of the claim, without their common beginning. */
  readonly marks: Readonly<Record<string, string>>;
  readonly claimPhase: string | undefined;
  readonly bytes?: string;
}

const prefix = 'cdi.kubevirt.io/storage.checkpoint.';

export function phaseOf(volume: DataVolume | undefined): string | undefined {
  return volume?.status?.phase;
}

/** What has to stand still for a world to be at rest: a crash loop's count and the times of conditions do not. */
export function restOf(
  volume: Stored<DataVolume> | undefined,
  claim: Stored<PersistentVolumeClaim> | undefined,
): unknown {
  return [
    volume?.status?.phase,
    volume?.status?.conditions?.map(({ type, status, reason }) => [type, status, reason]),
    marksOf(claim),
    claim?.status?.phase,
  ];
}

export function stepAccount(
  what: string,
  volume: Stored<DataVolume> | undefined,
  claim: Stored<PersistentVolumeClaim> | undefined,
  bytes: string | undefined,
): StepAccount {
  const { phase, progress, restartCount, conditions = [] } = volume?.status ?? {};
  const isCounting = phase === 'ImportInProgress';
  return {
    what,
    phase,
    ...(progress !== undefined && !isCounting && { progress: progressShape(progress, phase) }),
    ...(restartCount !== undefined && !isCounting && { restartCount }),
    conditions: Object.fromEntries(
      conditions.map(({ type, status, reason, message }) => [
        type,
        `${status} ${reason ?? ''}: ${withoutBindingEvent(message ?? '')}`,
      ]),
    ),
    marks: marksOf(claim),
    claimPhase: claim?.status?.phase,
    ...(bytes !== undefined && { bytes }),
  };
}

/** Why a claim is not bound CDI takes from the claim's events: whether it has looked since the last of them is chance. */
function withoutBindingEvent(message: string): string {
  return message.replace(/^target (PVC \S+ Pending) and .*$/, '$1');
}

/** While Paused it is the last figure that somebody asked the importer for: which one, is chance (fact: cdi 1.3). */
function progressShape(progress: string, phase: string | undefined): string {
  return phase === 'Paused' ? progress.replace(/^(?:N\/A|\d+\.\d\d%)$/, 'last seen') : progress;
}

export function marksOf(claim: PersistentVolumeClaim | undefined): Readonly<Record<string, string>> {
  const marks = Object.entries(claim?.metadata.annotations ?? {})
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, value]): [string, string] => [key.slice(prefix.length), value]);
  return Object.fromEntries(marks.sort(([a], [b]) => (a < b ? -1 : 1)));
}
