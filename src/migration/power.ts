import type { DiskStatus, Records } from '../api/virtual-machine-import.ts';
import type { PowerReading } from '../model/source-data.ts';
import { terminal } from './failures.ts';
import type { Context, Fail } from './phase.ts';

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

/** From when the source was seen off until the target is committed, the copy is true only while the source stays off. */
export function mustStayOff({ records }: Pick<Context, 'records'>): boolean {
  return records.power?.offSeenAt !== undefined && records.committedAt === undefined;
}

/** The source wins before the commit point: what was copied is out of date. undefined: it is not known to run. */
export function sourceRestarted({ state }: PowerReading, { spec }: Pick<Context, 'spec'>): Fail | undefined {
  if (state !== 'On' && state !== 'Suspended') return undefined;
  return terminal(
    'SourceRestarted',
    `VM ${spec.vm.name} was powered on at its source by somebody while it was moved: the copy is out of date.`,
    'Start the plan again when nobody needs the source any more.',
  );
}

/** A source that runs again makes its copies old: nothing may be built from them any more (review.md F18). */
export function staled(disks: readonly DiskStatus[]): readonly DiskStatus[] {
  return disks.map((disk) => (disk.doneBytes > 0 || disk.state === 'done' ? { ...disk, dirty: true } : disk));
}
