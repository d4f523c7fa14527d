import type { Context } from '../../src/migration/phase.ts';
import { defaultSettings, type EngineSettings } from '../../src/migration/settings.ts';
import type {
  VirtualMachineImportSpec,
  VirtualMachineImportStatus,
} from '../../src/api/virtual-machine-import.ts';
import { importSpec } from './import-spec.ts';

/** What a decision sees beside its facts, with the phase just entered on New Year's Day 2026. */
export function phaseContext(
  status: VirtualMachineImportStatus = {},
  settings: Partial<EngineSettings> = {},
  spec: VirtualMachineImportSpec = importSpec(),
): Context {
  const now = Date.UTC(2026, 0, 1);
  return {
    uid: 'import-uid',
    name: 'import',
    namespace: 'mtv',
    spec,
    status,
    records: status.records ?? {},
    ledger: status.ledger ?? [],
    settings: { ...defaultSettings, ...settings },
    now,
    phaseSince: now,
    watchingSince: 0,
  };
}

/** The same, `seconds` later. */
export function later(context: Context, seconds: number): Context {
  return { ...context, now: context.now + seconds * 1000 };
}
