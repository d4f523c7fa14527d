import type { LedgerEntry } from '../api/virtual-machine-import.ts';
import type { Context, LedgerChange } from './phase.ts';

/** The obligation to put the source's power back. Its disposition 'remove' means: to be taken back, like everything before the commit. */
export const sourcePowerKey = 'SourcePower';

export function targetObjectsKey(namespace: string): string {
  return `TargetObjects/${namespace}`;
}

/** What is added before the source is asked to power off. */
export function sourcePowerEntry(): LedgerChange {
  return {
    op: 'add',
    entry: { key: sourcePowerKey, kind: 'SourcePower', marker: 'power', disposition: 'remove' },
  };
}

/** What is added before anything of this import is made in a namespace. */
export function targetObjectsEntry(namespace: string): LedgerChange {
  return {
    op: 'add',
    entry: {
      key: targetObjectsKey(namespace),
      kind: 'TargetObjects',
      marker: namespace,
      disposition: 'remove',
    },
  };
}

/** What is added before a snapshot is asked for; it is found again by its marker. */
export function snapshotEntry(marker: string): LedgerChange {
  return { op: 'add', entry: { key: snapshotKey(marker), kind: 'Snapshot', marker, disposition: 'remove' } };
}

export function snapshotKey(marker: string): string {
  return `Snapshot/${marker}`;
}

export function owedSnapshotEntries(context: Pick<Context, 'ledger'>): readonly LedgerEntry[] {
  return context.ledger.filter((entry) => entry.kind === 'Snapshot' && entry.doneAt === undefined);
}

export function isOwed(context: Pick<Context, 'ledger'>, key: string): boolean {
  return context.ledger.some((entry) => entry.key === key && entry.doneAt === undefined);
}

export function owesTargetObjects(context: Pick<Context, 'ledger' | 'spec'>): boolean {
  return isOwed(context, targetObjectsKey(context.spec.target.namespace));
}

/**
 * The ledger after a decision's changes, in their order. Adding what is there changes nothing: the first intent counts, so that a decision
 * taken again after a crash leaves no second trace. An entry that was struck is gone. Everything else stays as it was.
 *
 * @param now RFC 3339.
 */
export function applyLedger(
  ledger: readonly LedgerEntry[],
  changes: readonly LedgerChange[],
  now: string,
): readonly LedgerEntry[] {
  return changes.reduce((entries, change) => applyOne(entries, change, now), ledger);
}

function applyOne(ledger: readonly LedgerEntry[], change: LedgerChange, now: string): readonly LedgerEntry[] {
  switch (change.op) {
    case 'add': {
      if (ledger.some((entry) => entry.key === change.entry.key)) return ledger;
      return [...ledger, { ...change.entry, intentAt: now, attempts: 0 }];
    }
    case 'identify':
      return edit(ledger, change.key, (entry) => ({ ...entry, id: change.id }));
    case 'strike':
      return ledger.filter((entry) => entry.key !== change.key);
    case 'ask':
      return edit(ledger, change.key, (entry) => ({
        ...entry,
        askedAt: now,
        attempts: entry.attempts + 1,
      }));
    case 'note':
      return edit(ledger, change.key, (entry) => ({
        ...entry,
        attempts: entry.attempts + 1,
        lastError: change.lastError.slice(0, longestError),
      }));
    case 'dispose':
      return edit(ledger, change.key, (entry) => ({ ...entry, disposition: change.disposition }));
  }
}

/** maxLength of lastError in the schema. */
const longestError = 256;

function edit(
  ledger: readonly LedgerEntry[],
  key: string,
  change: (entry: LedgerEntry) => LedgerEntry,
): readonly LedgerEntry[] {
  return ledger.map((entry) => (entry.key === key ? change(entry) : entry));
}
