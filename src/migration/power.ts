import type { DiskStatus, Records } from '../api/virtual-machine-import.ts';
import type { Context } from './phase.ts';

export type PowerRecord = NonNullable<Records['power']>;

/** The record of the source's power with something added to it; what was written once stays. */
export function powerRecord(context: Pick<Context, 'records'>, added: Partial<PowerRecord>): PowerRecord {
  return { ...(context.records.power ?? { before: 'Unknown' }), ...added };
}

/** Whether the target is to run in the end. 'auto': as the source was before anybody touched it. */
export function targetIsToRun(context: Pick<Context, 'records' | 'spec'>): boolean {
  const { powerAfter } = context.spec.options;
  return powerAfter === 'on' || (powerAfter === 'auto' && context.records.power?.before === 'On');
}

/** Milliseconds that a source may take to go off. */
export function powerOffDeadlineMs(context: Pick<Context, 'spec' | 'settings'>): number {
  const { powerOffSeconds } = context.spec.policies;
  return (powerOffSeconds > 0 ? powerOffSeconds : context.settings.powerOffDeadlineSeconds) * 1000;
}

/** A source that runs again makes its copies old: nothing may be built from them any more (review.md F18). */
export function staled(disks: readonly DiskStatus[]): readonly DiskStatus[] {
  return disks.map((disk) => (disk.doneBytes > 0 || disk.state === 'done' ? { ...disk, dirty: true } : disk));
}
