import type { DataVolumeStatus } from '../../api/external/cdi.ts';
import type { PhaseEvent } from './data-volume-status.ts';

/**
 * What CDI tells of a status that it has just written: the phase, when that has changed; the claim's binding, whenever its words change;
 * and the words of an importer that does not run on a bound claim, also those of one that ended well. Pure. Seen in CDI 1.65.
 */
export function eventsOf(
  before: DataVolumeStatus,
  after: DataVolumeStatus,
  phaseEvent: PhaseEvent | undefined,
): readonly PhaseEvent[] {
  const isMoved = before.phase !== after.phase;
  return [
    ...(isMoved && phaseEvent !== undefined ? [phaseEvent] : []),
    ...bindingEvents(before, after),
    ...runningEvents(before, after),
  ];
}

function bindingEvents(before: DataVolumeStatus, after: DataVolumeStatus): readonly PhaseEvent[] {
  const [old, now] = [conditionOf(before, 'Bound'), conditionOf(after, 'Bound')];
  if (now === undefined) return [];
  const isSame = old?.status === now.status && old.reason === now.reason && old.message === now.message;
  return isSame ? [] : [{ type: 'Normal', reason: now.reason ?? '', message: now.message ?? '' }];
}

function runningEvents(before: DataVolumeStatus, after: DataVolumeStatus): readonly PhaseEvent[] {
  const [old, now] = [conditionOf(before, 'Running'), conditionOf(after, 'Running')];
  const isIdle = conditionOf(after, 'Ready')?.status === 'False' && now?.status === 'False';
  if (!isIdle || conditionOf(after, 'Bound')?.status !== 'True') return [];
  const { reason = '', message = '' } = now;
  return message === '' || old?.message === message ? [] : [{ type: 'Warning', reason, message }];
}

function conditionOf({ conditions }: DataVolumeStatus, type: string) {
  return conditions?.find((one) => one.type === type);
}
