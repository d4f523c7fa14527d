import type { OwedSnapshot } from './facts.ts';
import type { Action, LedgerChange } from './phase.ts';
import { pauseAfter } from './tries.ts';

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
 * the tree, and nothing left to be merged (review.md F30). A removal that came to nothing is asked for again, after a while that grows: a
 * disk that somebody holds fails it at once, for as long as he likes.
 *
 * @param now milliseconds since 1970.
 */
export function readOwedSnapshots(owed: readonly OwedSnapshot[], now: number): SnapshotsReading {
  const ledger: LedgerChange[] = [];
  const actions: Action[] = [];
  const left: string[] = [];
  for (const snapshot of owed) {
    const { key, marker, state, removal } = snapshot;
    if (removal === undefined) {
      // Neither in the tree nor on its way: it never came to be, or somebody has taken it away.
      if (state.state === 'absent' || state.state === 'failed') ledger.push({ op: 'strike', key });
      else left.push(marker);
      continue;
    }
    const { id, reading } = removal;
    if (reading.state === 'gone') {
      ledger.push({ op: 'strike', key });
      continue;
    }
    ledger.push({ op: 'identify', key, id });
    left.push(reading.state === 'failed' ? `${marker} (${reading.error.message})` : marker);
    const isStanding = reading.state === 'present' || reading.state === 'failed';
    if (!isStanding || now < mayBeAskedAt(snapshot)) continue;
    ledger.push({ op: 'ask', key });
    actions.push({ do: 'removeSnapshot', id });
  }
  return { ledger, actions, left };
}

function mayBeAskedAt({ attempts, askedMs }: OwedSnapshot): number {
  return askedMs === undefined ? 0 : askedMs + pauseAfter(attempts);
}
