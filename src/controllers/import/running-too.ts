import { findCondition, mergeConditions, type ConditionDraft } from '../../api/conditions.ts';
import { virtualMachineImports, virtualMachines } from '../../api/kinds.ts';
import type { Stored } from '../../api/meta.ts';
import type { VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { EventRecorder } from '../../kube/events.ts';
import { keyOf } from '../../kube/object-key.ts';
import type { Clock } from '../../runtime/clock.ts';
import { rfc3339 } from '../../runtime/clock.ts';
import type { Controller, ReconcileResult } from '../../runtime/controller.ts';
import { InventoryWatch } from '../inventory-watch.ts';
import type { SourceHub } from '../source-hub.ts';
import { writeStatus } from '../write-status.ts';
import type { ImportCache } from './import-cache.ts';
import { isOver } from './reconciler.ts';

export interface RunningTooDeps {
  readonly client: KubeClient;
  readonly imports: ImportCache;
  readonly hub: Pick<SourceHub, 'inventory' | 'onChange'>;
  readonly events: EventRecorder;
  readonly clock: Clock;
}

const type = 'SourceRunningToo';

/**
 * Tells of a source that somebody powers on after its target was committed: identity and MAC addresses are there twice then. It is told
 * for as long as the import and its target are there; nothing is done about it, since both are the user's (design: import.md 2.4). What
 * the inventory shows is enough to know it by, so that thousands of finished imports cost the source no request.
 */
export class RunningToo {
  readonly #deps: RunningTooDeps;

  constructor(deps: RunningTooDeps) {
    this.#deps = deps;
  }

  /** Keyed by import. */
  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    const { client, imports, events, clock } = this.#deps;
    const object = imports.getByKey(key);
    if (object === undefined || !isHandedOver(object)) return {};
    const isTwice = this.#runsAtSource(object) && (await this.#targetStands(object, signal));
    const conditions = object.status?.conditions ?? [];
    const isTold = findCondition(conditions, type) !== undefined;
    if (isTwice === isTold) return {};
    const { message, draft } = telling(object);
    const wanted = {
      ...object.status,
      conditions: mergeConditions(conditions, isTwice ? [draft] : [], rfc3339(clock.now())),
    };
    await writeStatus(virtualMachineImports, object, wanted, { client, cache: imports }, signal);
    if (isTwice) events.record(object, { type: 'Warning', reason: type, message });
    return {};
  }

  /** Looks when an import is over, and when something has changed at its source. */
  wake(controller: Controller): void {
    const { imports, hub, clock } = this.#deps;
    const look = (object: Stored<VirtualMachineImport>): void => {
      if (!isHandedOver(object)) return;
      const isTold = findCondition(object.status?.conditions ?? [], type) !== undefined;
      if (isTold || this.#runsAtSource(object)) controller.enqueue(keyOf(object));
    };
    const changed = (providerUid: string): void => {
      for (const object of imports.byIndex('provider', providerUid)) look(object);
    };
    new InventoryWatch({ hub, clock, changed });
    hub.onChange(changed);
    imports.onChange((before, after) => {
      if (after !== undefined && (before === undefined || !isHandedOver(before))) look(after);
    });
  }

  #runsAtSource({ spec }: VirtualMachineImport): boolean {
    const inventory = this.#deps.hub.inventory(spec.source.provider.uid);
    const vm = inventory?.vm(spec.vm.id)?.model;
    return inventory?.state.kind === 'fresh' && vm?.identity === spec.model.identity && vm.power === 'On';
  }

  async #targetStands({ spec, status }: VirtualMachineImport, signal: AbortSignal): Promise<boolean> {
    const { targetName = '', targetUid } = status?.records ?? {};
    const at = { namespace: spec.target.namespace, name: targetName };
    const vm = await this.#deps.client.get(virtualMachines, at, signal);
    return vm !== undefined && vm.metadata.uid === targetUid && vm.metadata.deletionTimestamp === undefined;
  }
}

/** Its target is the user's. */
function isHandedOver(object: Stored<VirtualMachineImport>): boolean {
  const { metadata, status } = object;
  const isCommitted = status?.records?.committedAt !== undefined && status.records.targetUid !== undefined;
  return isCommitted && metadata.deletionTimestamp === undefined && isOver(object);
}

function telling({ spec, status }: VirtualMachineImport): { message: string; draft: ConditionDraft } {
  const target = `${spec.target.namespace}/${status?.records?.targetName ?? ''}`;
  const message = `VM ${spec.vm.name} was powered on at its source though ${target} has taken its place: its identity and addresses are there twice. Power one of the two off.`;
  return { message, draft: { type, category: 'Warn', message } };
}
