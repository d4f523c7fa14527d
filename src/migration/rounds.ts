import type { Records, Round, RoundKind, VirtualMachineImportSpec } from '../api/virtual-machine-import.ts';
import type { Action, Context } from './phase.ts';
import { rfc3339 } from './time.ts';

/**
 * A round of a warm import: snapshot, copy of what changed since the one before, snapshot away. The first copies whole disks, the final one
 * what was written until the source was off. Its record holds the only copy of the change ids that the next round starts from, so they are
 * saved before the snapshot they were read from is removed (design: import.md 2.2).
 */

/** maxItems in the schema: a round looks back at the one before, the rest is for people. */
const keptRounds = 3;

/** The prefix by which everything of ours at a source is told from everybody else's (review.md F7). */
export const markerPrefix = 'gantry-';

export function isWarm({ strategy }: Pick<VirtualMachineImportSpec, 'strategy'>): boolean {
  return strategy.type === 'warm';
}

/** Recorded and not copied yet. */
export function roundUnderWay({ records }: Pick<Context, 'records'>): Round | undefined {
  const last = records.rounds?.at(-1);
  return last?.copiedAt === undefined ? last : undefined;
}

/** The one before `round`, whose snapshot is gone by now. */
export function roundBefore({ records }: Pick<Context, 'records'>, round: Round): Round | undefined {
  return records.rounds?.find(({ n }) => n === round.n - 1);
}

/** Name of the snapshot of the round under way, or of the next one: never used for another. */
export function roundMarker(context: Pick<Context, 'records' | 'uid'>): string {
  const n = roundUnderWay(context)?.n ?? (context.records.roundsTotal ?? 0) + 1;
  return `${markerPrefix}${context.uid}-${n}`;
}

/** The first stage of a volume that is to hold a disk as it is in this round. */
export function firstStage(
  { current, sizeBytes, sourceId }: Round['disks'][string],
  isFinal: boolean,
): NonNullable<Extract<Action, { do: 'createDataVolume' }>['stage']> {
  return { current, isFinal, sizeBytes, ...(sourceId !== undefined && { sourceId }) };
}

/** The round under way, or a new one that begins now; one that has no snapshot yet is as good as new for a round of another kind. */
export function beginRound(context: Pick<Context, 'records' | 'uid' | 'now'>, kind: RoundKind): Round {
  const underWay = roundUnderWay(context);
  if (underWay !== undefined && (underWay.kind === kind || underWay.snapshotId !== undefined))
    return underWay;
  return {
    n: underWay?.n ?? (context.records.roundsTotal ?? 0) + 1,
    kind,
    marker: roundMarker(context),
    startedAt: rfc3339(context.now),
    disks: {},
  };
}

/** The records without a round that came to nothing: its number and its marker are the next one's. */
export function withoutRound(
  { records }: Pick<Context, 'records'>,
  round: Round,
): Required<Pick<Records, 'rounds' | 'roundsTotal'>> {
  return {
    rounds: (records.rounds ?? []).filter(({ n }) => n !== round.n),
    roundsTotal: round.n - 1,
  };
}

/** The records with this round in them, in place of what was known of it. */
export function withRound(
  { records }: Pick<Context, 'records'>,
  round: Round,
): Required<Pick<Records, 'rounds' | 'roundsTotal'>> {
  const others = (records.rounds ?? []).filter(({ n }) => n !== round.n);
  return {
    rounds: [...others, round].slice(-keptRounds),
    roundsTotal: Math.max(records.roundsTotal ?? 0, round.n),
  };
}
