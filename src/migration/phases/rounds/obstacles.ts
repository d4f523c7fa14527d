import type { ConditionDraft } from '../../../api/conditions.ts';
import type { RoundKind } from '../../../api/virtual-machine-import.ts';
import type { Audit } from '../../../model/source-data.ts';
import { terminal } from '../../failures.ts';
import type { Context, Fail, Wait } from '../../phase.ts';
import { heldRoundSlots } from '../../slot-requests.ts';

/** Nothing tells when a foreign snapshot is gone or a datastore has room. */
const lookAgainMs = 60_000;

/** What speaks against any further snapshot of this VM; undefined: nothing. */
export function changedForGood(audit: Audit, { spec }: Pick<Context, 'spec'>): Fail | undefined {
  const { name } = spec.vm;
  if (audit.diskSet === 'changed') {
    return terminal(
      'DiskSetChanged',
      `VM ${name} has other disks than when its migration began.`,
      'Start the plan again; the VM is then migrated as it is now.',
    );
  }
  if (audit.trackingLost.length > 0) {
    return terminal(
      'ChangeTrackingOff',
      `Changes of the disks of VM ${name} are not tracked any more: somebody has switched change tracking off.`,
      'Switch it on at the source and start the plan again, or migrate the VM cold.',
    );
  }
  return undefined;
}

/**
 * A snapshot of somebody else: two who make and remove snapshots of one VM ruin each other's copies. At the start it is a refusal, before
 * anything is made; later a backup runs, and will be over.
 */
export function foreignSnapshots(audit: Audit, kind: RoundKind, context: Context): Fail | Wait | undefined {
  if (audit.foreign.length === 0) return undefined;
  const { name } = context.spec.vm;
  const snapshots = audit.foreign.join(', ');
  if (kind === 'initial') {
    return terminal(
      'ForeignSnapshot',
      `VM ${name} has snapshots that are not of this migration: ${snapshots}.`,
      'Remove them, and start the plan again.',
    );
  }
  return hold(kind, 'foreign snapshots to be gone', context, {
    type: 'ForeignSnapshot',
    category: 'Warn',
    message: `VM ${name} has snapshots of somebody else (${snapshots}); it is waited until they are gone.`,
    items: [...audit.foreign],
  });
}

/** A snapshot of a running VM grows until it is removed; that of one that is off does not. */
export function fullDatastores(audit: Audit, kind: RoundKind, context: Context): Wait | undefined {
  if (kind === 'final') return undefined;
  const limit = context.settings.datastoreFreePercent;
  const full = audit.datastores.filter(
    ({ freeBytes, capacityBytes }) => capacityBytes > 0 && (100 * freeBytes) / capacityBytes < limit,
  );
  if (full.length === 0) return undefined;
  const names = full.map((datastore) => datastore.name);
  return hold(kind, 'room on the datastores', context, {
    type: 'DatastoreSpaceLow',
    category: 'Warn',
    message: `Less than ${limit} % is free on ${names.join(', ')}; no snapshot is made there while the VM runs.`,
    items: names,
  });
}

/** It may take days: others go on with the slots meanwhile, unless the source is out of service. */
function hold(kind: RoundKind, what: string, context: Context, condition: ConditionDraft): Wait {
  const held = kind === 'final' ? [] : heldRoundSlots(context);
  return {
    kind: 'wait',
    reason: condition.type,
    for: what,
    lookAt: context.now + lookAgainMs,
    conditions: [condition],
    ...(held.length > 0 && { free: held }),
  };
}
