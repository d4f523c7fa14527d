import { owesTargetObjects } from '../ledger.ts';
import type { Facts } from '../facts.ts';
import { unwindStep, type Action, type Context, type UnwindDecision } from '../phase.ts';
import { converters, handOverActions, leftoverActions, notYetDeleted } from '../target-objects.ts';
import { keepsClaim } from './whole-claims.ts';

const lookAgainMs = 10_000;

/**
 * VM and claims. Before the commit point they go, except for whole claims that the plan wants kept: those leave the VM first, or deleting
 * it would take them along. After it they are the user's, and only our label comes off (review.md F39, DESIGN.md 4.3).
 */
export const settleTarget = unwindStep({
  name: 'SettleTarget',
  applies: (context) => owesTargetObjects(context),
  blocks: false,
  needs: ['targetObjects', 'liveVolumes'],
  decide(facts, context) {
    if (context.records.committedAt !== undefined) return handOver(facts, context);
    if (converters(facts.targetObjects).length > 0) {
      return { kind: 'wait', for: 'the conversion pod to end', lookAt: context.now + lookAgainMs };
    }
    return takeBack(facts, context);
  },
});

function handOver({ targetObjects }: Facts<'targetObjects'>, context: Context): UnwindDecision {
  const actions = [...handOverActions(targetObjects), ...leftoverActions(targetObjects)];
  if (actions.length > 0) return { kind: 'act', actions };
  return rest(targetObjects, context);
}

function takeBack(facts: Facts<'targetObjects' | 'liveVolumes'>, context: Context): UnwindDecision {
  const { virtualMachines, claims, dataVolumes } = facts.targetObjects;
  if (dataVolumes.length > 0) {
    return { kind: 'wait', for: 'the DataVolumes to be gone', lookAt: context.now + lookAgainMs };
  }
  const kept = claims.filter(({ name }) => keepsClaim(name, facts.liveVolumes, context));
  const others = claims.filter((claim) => !kept.includes(claim));
  const actions = [
    ...kept.flatMap(({ name, uid }) => takeFromVm(name, uid, facts)),
    ...kept.map(({ name, uid }): Action => ({ do: 'stripLabel', on: 'PersistentVolumeClaim', name, uid })),
    ...notYetDeleted(virtualMachines).map(({ name, uid }): Action => ({ do: 'deleteVm', name, uid })),
    ...notYetDeleted(others).map(({ name, uid }): Action => ({ do: 'deleteClaim', name, uid })),
  ];
  if (actions.length > 0) return { kind: 'act', actions };
  return rest(facts.targetObjects, context);
}

function takeFromVm(
  claim: string,
  claimUid: string,
  { liveVolumes }: Facts<'liveVolumes'>,
): readonly Action[] {
  const owner = liveVolumes.find(({ claimName }) => claimName === claim)?.claim?.owner;
  if (owner?.kind !== 'VirtualMachine' || owner.uid === undefined) return [];
  return [{ do: 'takeClaimFromVm', claim, claimUid, vmUid: owner.uid }];
}

function rest(
  { virtualMachines, claims }: Facts<'targetObjects'>['targetObjects'],
  { now }: Context,
): UnwindDecision {
  if (virtualMachines.length + claims.length === 0) return { kind: 'done' };
  return { kind: 'wait', for: 'VirtualMachine and claims to be gone', lookAt: now + lookAgainMs };
}
