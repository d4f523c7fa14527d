import type { OwedSnapshot } from './facts.ts';
import type { Action, LedgerChange } from './phase.ts';

/** What is to be done about the snapshots that an import has at its source. */
export interface SnapshotsReading {
  /** What is proven gone is struck; what is there is known by its id, since a merge shows its marker no longer. */
  readonly ledger: readonly LedgerChange[];
  readonly actions: readonly Action[];
  /** What is still there, in words; empty: nothing. */
  readonly left: readonly string[];
}

/**
 * Reads the owed snapshots: which are gone, which are to be asked away now, which are on their way. "Gone" is the platform's proof: out of
 * the tree, and nothing left to be merged (review.md F7). A failed removal is asked for again.
 */
export function readOwedSnapshots(owed: readonly OwedSnapshot[]): SnapshotsReading {
  const ledger: LedgerChange[] = [];
  const actions: Action[] = [];
  const left: string[] = [];
  for (const { key, marker, state, removal } of owed) {
    if (removal === undefined) {
      // Neither in the tree nor on its way: it never came to be, or somebody has taken it away.
      if (state.state === 'absent' || state.state === 'failed') ledger.push({ op: 'strike', key });
      else left.push(marker);
      continue;
    }
    const { id, reading } = removal;
    if (reading.state === 'gone') ledger.push({ op: 'strike', key });
    else ledger.push({ op: 'identify', key, id });
    if (reading.state !== 'gone')
      left.push(reading.state === 'failed' ? `${marker} (${reading.error.message})` : marker);
    if (reading.state === 'present' || reading.state === 'failed') actions.push({ do: 'removeSnapshot', id });
  }
  return { ledger, actions, left };
}
