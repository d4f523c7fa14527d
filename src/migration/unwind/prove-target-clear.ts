import { owesTargetObjects, targetObjectsKey } from '../ledger.ts';
import { unwindStep } from '../phase.ts';
import { isEmpty } from '../target-objects.ts';

const lookAgainMs = 10_000;

/** Strikes the entry of the target namespace once the server shows nothing with our label in it. */
export const proveTargetClear = unwindStep({
  name: 'ProveTargetClear',
  applies: (context) => owesTargetObjects(context),
  blocks: false,
  needs: ['targetObjects'],
  decide({ targetObjects }, context) {
    if (!isEmpty(targetObjects)) {
      return {
        kind: 'wait',
        for: 'all that was made in the target namespace to be gone',
        lookAt: context.now + lookAgainMs,
      };
    }
    const key = targetObjectsKey(context.spec.target.namespace);
    return { kind: 'done', ledger: [{ op: 'strike', key }] };
  },
});
