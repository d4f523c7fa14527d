import type { Stored } from '../../api/meta.ts';
import type { Migration } from '../../api/migration.ts';
import type { Plan } from '../../api/plan.ts';
import type { VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import type { EventRecorder } from '../../kube/events.ts';
import type { Logger } from '../../runtime/log.ts';
import { planInputs, type PlanWorld } from '../plan/inputs.ts';
import { freezeEntry } from './freeze-entry.ts';
import { createImports, deleteStale, releaseProjected, type ImportsDeps } from './imports.ts';
import type { NeverBegun } from './run-status.ts';

export interface MissingImportsDeps extends ImportsDeps {
  readonly world: PlanWorld;
  readonly events: EventRecorder;
  readonly log: Logger;
}

/** Sees to it that each VM of a run has its import, made from what is true now and made again while nothing was touched. */
export class MissingImports {
  readonly #deps: MissingImportsDeps;
  /** How often an import was made again, by its name: what the deleted one knew. Lost with the process, and then counted anew. */
  readonly #remade = new Map<string, number>();

  constructor(deps: MissingImportsDeps) {
    this.#deps = deps;
  }

  /** VMs of the run that have no import yet get one; those that cannot be frozen any more are given back with the reason. */
  async create(
    plan: Stored<Plan>,
    migration: Stored<Migration> | undefined,
    all: readonly Stored<VirtualMachineImport>[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, NeverBegun>> {
    const known = new Set(all.map((object) => object.spec.vm.id));
    const missing = (plan.status?.migration?.vms ?? []).filter(
      (vm) => vm.completed === undefined && !known.has(vm.id ?? ''),
    );
    const never = new Map<string, NeverBegun>();
    if (missing.length === 0) return never;
    if (migration === undefined || migration.metadata.deletionTimestamp !== undefined) {
      for (const vm of missing) never.set(vm.id ?? '', migrationDeleted);
      return never;
    }
    const inputs = planInputs(plan, this.#deps.world);
    if (inputs.inventory === undefined || inputs.inventory.state.kind === 'loading') return never;
    const wanted: VirtualMachineImport[] = [];
    for (const vm of missing) {
      const frozen = freezeEntry({
        plan,
        migration,
        inputs,
        vm,
        remadeOf: (name) => this.#remade.get(name) ?? 0,
      });
      if ('reason' in frozen) never.set(vm.id ?? '', { outcome: 'Failed', message: frozen.reason });
      else wanted.push(frozen.object);
    }
    await createImports(wanted, this.#deps, signal);
    this.#deps.log.info('imports created', { migration: migration.metadata.name, count: wanted.length });
    return never;
  }

  async remake(stale: readonly Stored<VirtualMachineImport>[], signal: AbortSignal): Promise<void> {
    for (const object of stale) {
      this.#remade.set(object.metadata.name, object.spec.run.remade + 1);
      await deleteStale(object, this.#deps, signal);
      await releaseProjected(object, this.#deps, signal);
      if (object.metadata.deletionTimestamp === undefined) {
        const message = `VM ${object.spec.vm.name} was changed since its import was made; it is made again.`;
        this.#deps.events.record(object, { type: 'Normal', reason: 'ModelStale', message });
      }
    }
  }
}

const migrationDeleted: NeverBegun = {
  outcome: 'Canceled',
  reason: 'Deleted',
  message: 'The Migration was deleted before this VM began.',
};
