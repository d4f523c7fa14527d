import { createHash } from 'node:crypto';
import { nextMatch } from './cron.ts';
import type { Context } from './phase.ts';

/**
 * When the next round of a warm import is to begin, milliseconds since 1970; undefined: never, the import has had all its rounds and waits
 * for its cutover. Called when a round has ended; the answer is recorded, so that a restart changes nothing.
 */
export function nextRoundAt(
  context: Pick<Context, 'records' | 'spec' | 'settings' | 'now' | 'uid'>,
): number | undefined {
  const { records, spec, settings, now, uid } = context;
  const total = records.roundsTotal ?? 0;
  if (total >= settings.mostRounds) return undefined;
  const copiedAt = records.rounds?.at(-1)?.copiedAt;
  const ended = copiedAt === undefined ? now : Date.parse(copiedAt);
  const earliest = Math.max(now, ended + settings.precopyFloorSeconds * 1000);
  const cron = spec.policies.precopyCron;
  if (cron !== undefined) return nextMatch(cron, earliest);
  const intervalMs = (spec.policies.precopySeconds ?? settings.precopySeconds) * 1000;
  const spreadMs = intervalMs * (settings.precopyJitterPercent / 100) * fraction(`${uid}/${total}`);
  return Math.max(earliest, Math.round(ended + intervalMs - spreadMs));
}

/** In [0, 1), drawn from the text: the same round of the same import always has the same. */
function fraction(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32;
}
