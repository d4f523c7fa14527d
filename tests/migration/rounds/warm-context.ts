import type {
  DiskStatus,
  LedgerEntry,
  Records,
  Round,
  Slot,
  VirtualMachineImportSpec,
} from '../../../src/api/virtual-machine-import.ts';
import type { FactName, Facts, FactTable } from '../../../src/migration/facts.ts';
import { phaseByName, warm } from '../../../src/migration/itineraries.ts';
import type { Context, Decision } from '../../../src/migration/phase.ts';
import type { EngineSettings } from '../../../src/migration/settings.ts';
import { roundSlots } from '../../../src/migration/slot-requests.ts';
import { defaultSettings } from '../../../src/migration/settings.ts';
import type { Audit } from '../../../src/model/source-data.ts';
import { importSpec } from '../import-spec.ts';
import { phaseContext } from '../phase-context.ts';

/** New Year's Day 2026, when every context begins. */
export const t0 = '2026-01-01T00:00:00Z';
export const begun = Date.parse(t0);

export function at(seconds: number): string {
  return `${new Date(begun + seconds * 1000).toISOString().slice(0, 19)}Z`;
}

/** Of two disks. */
export function warmSpec(changes: Partial<VirtualMachineImportSpec> = {}): VirtualMachineImportSpec {
  const base = importSpec({}, 2);
  return {
    ...base,
    strategy: { ...base.strategy, type: 'warm' },
    policies: { ...base.policies, powerOff: 'abortCutover' },
    ...changes,
  };
}

const spec = warmSpec();

export function warmContext(
  given: {
    readonly records?: Partial<Records>;
    readonly ledger?: readonly LedgerEntry[];
    readonly slots?: readonly Slot[];
    readonly disks?: readonly DiskStatus[];
    readonly control?: VirtualMachineImportSpec['control'];
    readonly policies?: Partial<VirtualMachineImportSpec['policies']>;
    readonly settings?: Partial<EngineSettings>;
  } = {},
): Context {
  const { records = {}, ledger = [], slots = allSlots, disks = [], control, policies, settings } = given;
  const status = { records: { itinerary: warm, ...records }, ledger, slots, disks };
  const changed = warmSpec({
    policies: { ...spec.policies, ...policies },
    ...(control !== undefined && { control }),
  });
  return phaseContext(status, settings, changed);
}

/** What a round takes, held. */
export const allSlots: readonly Slot[] = roundSlots(spec, defaultSettings).map(({ resource, cost }) => ({
  resource,
  cost,
  grantedAt: t0,
}));

/** Copied and its snapshot gone, unless it is said otherwise. */
export function round(n: number, changes: Partial<Round> = {}): Round {
  const disks = Object.fromEntries(
    spec.disks.map(({ key, sizeBytes }) => [
      key,
      { current: `snapshot-${n}`, nextPrevious: `52 aa/${n}`, sizeBytes, epoch: '52 aa' },
    ]),
  );
  return {
    n,
    kind: n === 1 ? 'initial' : 'next',
    marker: `gantry-import-uid-${n}`,
    startedAt: t0,
    snapshotId: `snapshot-${n}`,
    copiedAt: t0,
    disks,
    ...changes,
  };
}

/** One under way. */
export function openRound(n: number, changes: Partial<Round> = {}): Round {
  const { copiedAt: _copied, snapshotId: _id, ...rest } = round(n);
  return { ...rest, disks: {}, ...changes };
}

export function snapshotOwed(n: number, changes: Partial<LedgerEntry> = {}): LedgerEntry {
  const marker = `gantry-import-uid-${n}`;
  return { ...owed(`Snapshot/${marker}`, 'Snapshot', marker), ...changes };
}

export const powerOwed: LedgerEntry = owed('SourcePower', 'SourcePower', 'power');

function owed(key: string, kind: LedgerEntry['kind'], marker: string): LedgerEntry {
  return { key, kind, marker, intentAt: t0, attempts: 0, disposition: 'remove' };
}

export const quietAudit: Audit = {
  foreign: [],
  missing: [],
  diskSet: 'same',
  grown: [],
  trackingLost: [],
  datastores: [{ name: 'ds', freeBytes: 50, capacityBytes: 100 }],
};

/** Facts of a source at peace; `facts` replace some. */
export function decide(name: string, context: Context, facts: Partial<FactTable> = {}): Decision {
  const all: Partial<FactTable> = {
    audit: quietAudit,
    snapshot: { state: 'absent' },
    sourcePower: { state: 'On' },
    sourceAccess: { state: 'open', credentials: '1', isVerified: false },
    preflight: { state: 'accepted' },
    owedSnapshots: [],
    snapshotLost: false,
    ...facts,
  };
  return phaseByName(name)!.decide(all as Facts<FactName>, context);
}
