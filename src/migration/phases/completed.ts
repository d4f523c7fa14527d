import { handOverActions, isEmpty, leftoverActions } from '../target-objects.ts';
import { isOwed, targetObjectsKey } from '../ledger.ts';
import { phase, type Context, type Decision } from '../phase.ts';

/** Objects that no watch follows are looked for again after this. */
const lookAgainMs = 10_000;

/**
 * Hands VM and claims over to the user by taking our label off, removes what else is left, and strikes the ledger entry once the server
 * shows nothing with our label any more.
 */
export const completed = phase({
  name: 'Completed',
  step: 'VirtualMachineCreation',
  needs: ['targetObjects'],
  decide({ targetObjects }, context) {
    if (isEmpty(targetObjects)) return end(context);
    const actions = [...handOverActions(targetObjects), ...leftoverActions(targetObjects)];
    if (actions.length > 0) return { kind: 'act', actions };
    return {
      kind: 'wait',
      reason: 'HandOver',
      for: 'what is left of the migration to be gone',
      lookAt: context.now + lookAgainMs,
    };
  },
  refused(refusal, context) {
    return {
      kind: 'wait',
      reason: 'HandOver',
      for: `what is left of the migration to be gone (${refusal.text})`,
      lookAt: context.now + lookAgainMs,
    };
  },
});

function end(context: Context): Decision {
  const key = targetObjectsKey(context.spec.target.namespace);
  return {
    kind: 'advance',
    free: (context.status.slots ?? []).map(({ resource }) => resource),
    ...(isOwed(context, key) && { ledger: [{ op: 'strike', key }] }),
  };
}
