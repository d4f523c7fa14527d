import { namespaces, persistentVolumeClaims, pods, resourceQuotas } from '../../api/kinds.ts';
import type { OwnerReference, ResourceKind } from '../../api/meta.ts';
import { resourceName } from '../../api/meta.ts';
import { rfc3339 } from '../../runtime/clock.ts';
import { claimProtectionFinalizer, claimsOf, isClaimInUse, isProtectedClaim } from './claim-protection.ts';
import type { JsonObject } from './json.ts';
import { sameJson, withMembers } from './json.ts';
import { deleteObject, foregroundFinalizer, orphanFinalizer } from './deleting.ts';
import { namespaceConditions, type Remaining } from './namespace-conditions.ts';
import { recountedQuota } from './quota.ts';
import { Refusal } from './refusal.ts';
import type { ServerState } from './server-state.ts';
import type { StoreEvent } from './store.ts';
import type { Place, StoredObject } from './stored-object.ts';
import { placeOf, withMeta } from './stored-object.ts';

/**
 * The controllers of kube-controller-manager that nothing here can do without: garbage collection by owner, the end of namespaces, and
 * the counting of quotas, the protection of claims in use (fact: kubevirt 4.3; pkg/controller/garbagecollector). They work after the request that gave them work, never
 * inside it: a client sees the owner gone before its dependents go.
 */
export class Collector implements Disposable {
  readonly #state: ServerState;
  /** Dependents by their owner's uid. */
  readonly #dependents = new Map<string, Map<string, Place>>();
  readonly #work = new Map<string, () => void>();
  readonly #listening: Disposable;
  #scheduled = false;

  constructor(state: ServerState) {
    this.#state = state;
    this.#listening = state.store.listen(undefined, (event, kind) => this.#see(event, kind));
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
    this.#work.clear();
  }

  #see(event: StoreEvent, kind: ResourceKind): void {
    const { object, previous } = event;
    const place = placeOf(kind, object);
    const gone = event.type === 'DELETED';
    const owners = gone ? [] : (object.metadata.ownerReferences ?? []);
    const before = previous?.metadata.ownerReferences ?? [];
    if (owners !== before) this.#index(place, owners, before);
    if (gone) this.#afterRemoval(object, place, before);
    else if (owners !== before && owners.length > 0) this.#later('judge', place);
    else if (object.metadata.deletionTimestamp !== undefined) this.#later('judge', place);
    if (kind.plural === namespaces.plural && kind.group === '') this.#later('empty', place);
    if (previous === undefined || gone || kind.plural === resourceQuotas.plural)
      this.#recount(place.namespace);
  }

  #index(place: Place, owners: readonly OwnerReference[], before: readonly OwnerReference[]): void {
    const key = keyOf(place);
    for (const { uid } of before) {
      const dependents = this.#dependents.get(uid);
      dependents?.delete(key);
      if (dependents?.size === 0) this.#dependents.delete(uid);
    }
    for (const { uid } of owners) {
      const dependents = this.#dependents.get(uid) ?? new Map<string, Place>();
      dependents.set(key, place);
      this.#dependents.set(uid, dependents);
    }
  }

  #afterRemoval(object: StoredObject, place: Place, owners: readonly OwnerReference[]): void {
    for (const dependent of this.#dependents.get(object.metadata.uid ?? '')?.values() ?? []) {
      this.#later('judge', dependent);
    }
    for (const owner of owners) {
      const found = this.#owner(place, owner);
      if (typeof found === 'object') this.#later('judge', found.place);
    }
    if (place.kind.plural === pods.plural && place.kind.group === '') this.#freeClaims(object, place);
    const space = this.#state.store.get(namespaces, '', place.namespace);
    if (space?.metadata.deletionTimestamp !== undefined) this.#later('empty', placeOf(namespaces, space));
  }

  /** A pod is gone: deleted claims that it held may go. */
  #freeClaims(pod: StoredObject, { namespace }: Place): void {
    for (const name of claimsOf(pod)) {
      const claim = this.#state.store.get(persistentVolumeClaims, namespace, name);
      if (claim?.metadata.deletionTimestamp !== undefined)
        this.#later('judge', placeOf(persistentVolumeClaims, claim));
    }
  }

  #recount(namespace: string): void {
    if (namespace === '' || this.#state.store.list(resourceQuotas, namespace).length === 0) return;
    this.#later('recount', { kind: resourceQuotas, namespace, name: '' });
  }

  #later(task: 'judge' | 'empty' | 'recount', place: Place): void {
    this.#work.set(`${task} ${keyOf(place)}`, () => {
      if (task === 'judge') this.#judge(place);
      else if (task === 'empty') this.#emptyNamespace(place);
      else this.#recountNow(place.namespace);
    });
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      const work = [...this.#work.values()];
      this.#work.clear();
      for (const act of work) act();
    });
  }

  /** One object: does it wait for its dependents, and has it still an owner? */
  #judge(place: Place): void {
    const object = this.#read(place);
    if (object === undefined) return;
    const { metadata } = object;
    if (metadata.deletionTimestamp !== undefined) {
      if (isProtectedClaim(object) && !isClaimInUse(this.#state, object)) {
        this.#dropFinalizer(place, claimProtectionFinalizer);
      } else if (metadata.finalizers?.includes(orphanFinalizer) === true) this.#orphan(place, object);
      else if (metadata.finalizers?.includes(foregroundFinalizer) === true) this.#foreground(place, object);
      return;
    }
    const owners = metadata.ownerReferences ?? [];
    if (owners.length === 0) return;
    const found = owners.map((owner) => ({ owner, state: this.#owner(place, owner) }));
    const unknown = found.filter(({ state }) => state === 'unknown');
    const absent = found.filter(({ state }) => state === 'absent');
    const waiting = found.filter(({ state }) => typeof state === 'object' && state.waits);
    const solid = found.length - unknown.length - absent.length - waiting.length;
    if (unknown.length > 0) return;
    if (solid > 0) {
      const dropped = new Set([...absent, ...waiting].map(({ owner }) => owner.uid));
      if (dropped.size === 0) return;
      const kept = owners.filter(({ uid }) => !dropped.has(uid));
      this.#put(place, withMeta(object, { ownerReferences: kept }));
      return;
    }
    const hasDependents = (this.#dependents.get(metadata.uid ?? '')?.size ?? 0) > 0;
    this.#delete(place, object, waiting.length > 0 && hasDependents ? 'Foreground' : undefined);
  }

  /**
   * The owner as the cluster has it. Absent: not there, or another object under the same name. An owner is looked for in the
   * dependent's own namespace, so one in another namespace is absent, and its "dependent" is collected.
   */
  #owner(place: Place, owner: OwnerReference): 'absent' | 'unknown' | { place: Place; waits: boolean } {
    const served = this.#state.kinds.referred(owner.apiVersion, owner.kind);
    if (served === undefined || (served.kind.namespaced && place.namespace === '')) return 'unknown';
    const at = {
      kind: served.kind,
      namespace: served.kind.namespaced ? place.namespace : '',
      name: owner.name,
    };
    const object = this.#read(at);
    if (object === undefined || object.metadata.uid !== owner.uid) return 'absent';
    const waits =
      object.metadata.deletionTimestamp !== undefined &&
      object.metadata.finalizers?.includes(foregroundFinalizer) === true;
    return { place: at, waits };
  }

  #orphan(place: Place, object: StoredObject): void {
    const { uid } = object.metadata;
    for (const dependent of [...(this.#dependents.get(uid ?? '')?.values() ?? [])]) {
      const found = this.#read(dependent);
      if (found === undefined) continue;
      const kept = (found.metadata.ownerReferences ?? []).filter((owner) => owner.uid !== uid);
      this.#put(dependent, withMeta(found, { ownerReferences: kept.length === 0 ? undefined : kept }));
    }
    this.#dropFinalizer(place, orphanFinalizer);
  }

  /** Dependents go first; only those that block hold their owner up. */
  #foreground(place: Place, object: StoredObject): void {
    const { uid } = object.metadata;
    const dependents = [...(this.#dependents.get(uid ?? '')?.values() ?? [])];
    for (const dependent of dependents) this.#later('judge', dependent);
    const blocked = dependents.some((dependent) =>
      this.#read(dependent)?.metadata.ownerReferences?.some(
        (owner) => owner.uid === uid && owner.blockOwnerDeletion === true,
      ),
    );
    if (!blocked) this.#dropFinalizer(place, foregroundFinalizer);
  }

  #dropFinalizer(place: Place, finalizer: string): void {
    const object = this.#read(place);
    if (object === undefined) return;
    const kept = (object.metadata.finalizers ?? []).filter((one) => one !== finalizer);
    const next = withMeta(object, { finalizers: kept.length === 0 ? undefined : kept });
    if (kept.length === 0 && (object.metadata.deletionGracePeriodSeconds ?? 0) === 0) {
      this.#state.store.remove(place.kind, object);
    } else this.#put(place, next);
  }

  /** fact: pkg/controller/namespace/deletion: everything in it is deleted, and when nothing is left so is the namespace. */
  #emptyNamespace(place: Place): void {
    const space = this.#read(place);
    if (space?.metadata.deletionTimestamp === undefined) return;
    const { name } = space.metadata;
    const remaining: Remaining[] = [];
    for (const { kind } of this.#state.kinds.all) {
      if (!kind.namespaced) continue;
      for (const object of this.#state.store.list(kind, name)) {
        if (object.metadata.deletionTimestamp === undefined) this.#delete(placeOf(kind, object), object);
      }
      const objects = this.#state.store.list(kind, name);
      if (objects.length > 0) remaining.push({ kind, objects });
    }
    if (remaining.length > 0) this.#tellRemaining(place, space, remaining);
    else if ((space.metadata.finalizers ?? []).length === 0) this.#state.store.remove(namespaces, space);
    else this.#put(place, withMembers(space, { spec: {} }));
  }

  #tellRemaining(place: Place, space: StoredObject, remaining: readonly Remaining[]): void {
    const { phase, conditions: before } = space['status'] as JsonObject;
    const conditions = namespaceConditions(before, remaining, rfc3339(this.#state.clock.now()));
    const next = withMembers(space, { status: { phase, conditions } });
    if (!sameJson(next, space)) this.#put(place, next);
  }

  #recountNow(namespace: string): void {
    for (const quota of this.#state.store.list(resourceQuotas, namespace)) {
      this.#put(placeOf(resourceQuotas, quota), recountedQuota(this.#state, quota));
    }
  }

  #delete(place: Place, object: StoredObject, propagation?: string): void {
    const { uid } = object.metadata;
    try {
      deleteObject(this.#state, {
        served: this.#state.kinds.of(place.kind),
        namespace: place.namespace,
        name: place.name,
        ...(uid !== undefined && { uid }),
        ...(propagation !== undefined && { propagation }),
        dryRun: false,
      });
    } catch (error) {
      // An admission that refuses is asked again at the object's next change, as the real collector does by retrying.
      if (!(error instanceof Refusal)) throw error;
    }
  }

  #read({ kind, namespace, name }: Place): StoredObject | undefined {
    return this.#state.store.get(kind, namespace, name);
  }

  #put(place: Place, object: StoredObject): void {
    if (object !== this.#read(place)) this.#state.store.put(place.kind, object);
  }
}

function keyOf({ kind, namespace, name }: Place): string {
  return `${resourceName(kind)} ${namespace}/${name}`;
}
