import { removal } from '../conversion.ts';
import { unwindStep } from '../phase.ts';

/** Its end wakes the import sooner. */
const lookAgainMs = 15_000;

/**
 * Ends the converter. Power is restored meanwhile, since a converter reads and writes at the target alone; but as long as its pod is
 * there, nothing is done to the claims that it may be writing to (stopCopies and settleTarget wait for it).
 */
export const deleteConversionPod = unwindStep({
  name: 'DeleteConversionPod',
  applies: ({ records }) => records.conversion !== undefined && records.committedAt === undefined,
  blocks: false,
  needs: ['conversionPod'],
  decide({ conversionPod }, context) {
    if (conversionPod === undefined) return { kind: 'done' };
    const actions = removal(conversionPod);
    if (actions.length > 0) return { kind: 'act', actions };
    return { kind: 'wait', for: 'the conversion pod to end', lookAt: context.now + lookAgainMs };
  },
});
