import { owedSnapshotEntries } from '../ledger.ts';
import { readOwedSnapshots } from '../owed-snapshots.ts';
import { unwindStep } from '../phase.ts';

/** A merge takes its time; whoever watches the source tells sooner. */
const lookAgainMs = 30_000;

/**
 * Takes our snapshots off the source, for any end of the import, in the background: nothing else waits for a merge. Not under a copy that is
 * still to be stopped: its importer would crash again and again over a snapshot that is gone.
 */
export const removeSnapshots = unwindStep({
  name: 'RemoveSnapshots',
  applies: (context) => owedSnapshotEntries(context).length > 0,
  blocks: false,
  needs: ['owedSnapshots', 'targetObjects'],
  decide({ owedSnapshots, targetObjects }, context) {
    const { ledger, actions, left } = readOwedSnapshots(owedSnapshots, context.now);
    if (left.length === 0) return { kind: 'done', ledger };
    const copies = targetObjects.dataVolumes.map(({ name }) => name);
    if (copies.length > 0) {
      const lookAt = context.now + lookAgainMs;
      return { kind: 'wait', ledger, for: `DataVolume ${copies.join(', ')} to be gone`, lookAt };
    }
    if (actions.length > 0) return { kind: 'act', ledger, actions };
    return {
      kind: 'wait',
      ledger,
      for: `snapshot ${left.join(', ')} to be gone from the source`,
      lookAt: context.now + lookAgainMs,
    };
  },
});
