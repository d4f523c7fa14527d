import type { DataVolume } from '../../api/external/cdi.ts';
import type { Stored } from '../../api/meta.ts';
import { isEqualJson } from '../../kube/merge-patch.ts';
import type { EngineSettings } from '../../migration/settings.ts';
import type { Clock } from '../../runtime/clock.ts';

/** No disk's progress is worth writing more often than this. */
const shortestMs = 2_000;

/**
 * CDI refreshes the progress of every running DataVolume each two seconds; 400 disks would be 200 wake-ups a second for nothing
 * (review.md F50). The sink lets a progress-only change through when it is worth a write: a percent further, or a while ago.
 */
export class ProgressSink {
  readonly #settings: Pick<EngineSettings, 'progressPercent' | 'progressSeconds'>;
  readonly #clock: Clock;
  readonly #seen = new Map<string, { readonly percent: number; readonly atMs: number }>();

  constructor(settings: Pick<EngineSettings, 'progressPercent' | 'progressSeconds'>, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /** True: wake the import. Any change but progress is always worth it. */
  isWorthIt(before: Stored<DataVolume> | undefined, after: Stored<DataVolume> | undefined): boolean {
    const uid = (after ?? before)?.metadata.uid ?? '';
    if (after === undefined) {
      this.#seen.delete(uid);
      return true;
    }
    if (before === undefined || !isProgressOnly(before, after)) return true;
    const percent = Number.parseFloat(after.status?.progress ?? '');
    if (!Number.isFinite(percent)) return false;
    const now = this.#clock.monotonicMs();
    const seen = this.#seen.get(uid);
    if (seen === undefined) {
      this.#seen.set(uid, { percent, atMs: now });
      return true;
    }
    const elapsedMs = now - seen.atMs;
    const moved = Math.abs(percent - seen.percent) >= this.#settings.progressPercent;
    if (elapsedMs < shortestMs || (!moved && elapsedMs < this.#settings.progressSeconds * 1000)) return false;
    this.#seen.set(uid, { percent, atMs: now });
    return true;
  }
}

function isProgressOnly(before: Stored<DataVolume>, after: Stored<DataVolume>): boolean {
  return isEqualJson(essentials(before), essentials(after));
}

function essentials({ metadata, status }: Stored<DataVolume>): object {
  const { resourceVersion: _resourceVersion, ...rest } = metadata;
  const { progress: _progress, conditions, ...others } = status ?? {};
  // A heartbeat is no news either.
  const settled = (conditions ?? []).map(({ type, status: state, reason, message }) => ({
    type,
    state,
    reason,
    message,
  }));
  return { ...rest, ...others, conditions: settled };
}
