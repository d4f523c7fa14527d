import { owesTargetObjects } from '../ledger.ts';
import { unwindStep } from '../phase.ts';
import { accessActions } from '../target-objects.ts';

const lookAgainMs = 10_000;

/** The Secrets and ConfigMaps that importers read. Deleted by their fixed names too: no cache follows them. */
export const clearAccess = unwindStep({
  name: 'ClearAccess',
  applies: (context) => owesTargetObjects(context),
  blocks: false,
  needs: ['targetObjects'],
  decide({ targetObjects }, context) {
    if (targetObjects.pods.length > 0 && context.records.committedAt === undefined) {
      return { kind: 'wait', for: 'the importers to end', lookAt: context.now + lookAgainMs };
    }
    const actions = accessActions(targetObjects);
    if (actions.length > 0) return { kind: 'act', actions };
    const isLeft = targetObjects.secrets.length + targetObjects.configMaps.length > 0;
    return isLeft
      ? { kind: 'wait', for: 'Secrets and ConfigMaps to be gone', lookAt: context.now + lookAgainMs }
      : { kind: 'done' };
  },
});
