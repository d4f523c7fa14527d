import { clusterDeadline } from '../deadline.ts';
import { terminal } from '../failures.ts';
import type { Facts, PriorImport, SlotFact } from '../facts.ts';
import { phase, slotPriorities, type Context, type Decision } from '../phase.ts';
import { isWarm } from '../rounds.ts';
import { copySlot, hostTurn, identitySlot, missingSlots, nameSlot } from '../slot-requests.ts';
import { firstName, nextName } from '../target-name.ts';
import { pause } from './pause.ts';

/**
 * May it begin? Waits until earlier runs of the same VM have cleaned up, then takes everything that it needs for itself in one go: the
 * source VM, the target's name, a place on the source's host. Nothing is touched and nothing outside is read before that.
 */
export const started = phase({
  name: 'Started',
  step: 'Initialize',
  needs: ['priorImports', 'slots'],
  decide(facts, context) {
    return (
      pause(context) ??
      priorCleanup(facts.priorImports, context) ??
      (context.spec.strategy.type === 'postHook' ? standingTarget(facts, context) : takeSlots(facts, context))
    );
  },
});

function priorCleanup(priors: readonly PriorImport[], context: Context): Decision | undefined {
  const owing = priors.filter((prior) => prior.owes.length > 0);
  if (owing.length === 0) return undefined;
  const deadline = clusterDeadline(context, context.settings.priorCleanupSeconds);
  const isLate = context.now >= deadline;
  // A source that is gone for good must not block a VM for ever; but where two runs would meet at the source there is no going on.
  if (isLate && owing.every((prior) => prior.owesOnlyAtTarget === true)) return undefined;
  const what = owing.map((prior) => `${prior.name} (${prior.owes.join(', ')})`).join(', ');
  return {
    kind: 'wait',
    reason: 'PriorCleanup',
    for: `an earlier run of this VM to clean up: ${what}`,
    ...(!isLate && { until: deadline }),
  };
}

/** A retry after the commit point: the target stands, is the user's by now, and is neither copied over nor deleted. */
function standingTarget(facts: Facts<'priorImports'>, context: Context): Decision {
  const target = facts.priorImports.find((prior) => prior.committedTarget !== undefined)?.committedTarget;
  if (target === undefined) {
    return terminal(
      'TargetGone',
      'The VirtualMachine of the earlier run is not there any more.',
      'Start the plan again: the VM will then be migrated in full.',
    );
  }
  const slots = [identitySlot(context.spec)];
  const targetName = target.slice(target.indexOf('/') + 1);
  if (missingSlots(slots, context).length === 0) return { kind: 'advance', records: { targetName } };
  return {
    kind: 'acquire',
    slots,
    priority: slotPriorities.start,
    for: 'another import of the same VM to end',
    records: { targetName },
  };
}

function takeSlots(facts: Facts<'slots'>, context: Context): Decision {
  const { spec, settings } = context;
  const targetName = chooseName(facts.slots, context);
  // A warm import asks for its copies round by round.
  const copy = isWarm(spec) ? undefined : copySlot(spec, settings);
  const slots = [identitySlot(spec), nameSlot(spec, targetName), ...(copy === undefined ? [] : [copy])];
  if (missingSlots(slots, context).length === 0) return { kind: 'advance', records: { targetName } };
  return {
    kind: 'acquire',
    slots,
    priority: slotPriorities.start,
    for: waitingFor(facts.slots, context, targetName),
    records: { targetName },
  };
}

/** A name that another import has reserved is given up for the next one, where there is a next one. */
function chooseName(slots: SlotFact, context: Context): string {
  const current = context.records.targetName ?? firstName(context.spec);
  if (slots.queue?.resource !== nameSlot(context.spec, current).resource) return current;
  return nextName(context.spec, current) ?? current;
}

function waitingFor(slots: SlotFact, context: Context, targetName: string): string {
  switch (slots.queue?.resource) {
    case identitySlot(context.spec).resource:
      return 'another import of the same VM to end';
    case nameSlot(context.spec, targetName).resource:
      return `another import that is to make ${context.spec.target.namespace}/${targetName} to end`;
    default:
      return hostTurn;
  }
}
