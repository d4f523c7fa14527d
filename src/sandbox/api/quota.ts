import type { Container, Pod, ResourceQuota } from '../../api/external/core.ts';
import { persistentVolumeClaims, pods, resourceQuotas } from '../../api/kinds.ts';
import { resourceName } from '../../api/meta.ts';
import { fieldAt } from './columns.ts';
import { isObject, sameJson, textOf, withMembers } from './json.ts';
import type { Quantity } from './quantity.ts';
import { add, formatQuantity, parseQuantity, zero } from './quantity.ts';
import { forbidden } from './refusal.ts';
import type { ServedKind } from './served-kind.ts';
import type { ServerState } from './server-state.ts';
import { byText } from './store.ts';
import type { StoredObject } from './stored-object.ts';

type Usage = ReadonlyMap<string, Quantity>;

/**
 * Refuses an object that would exceed a ResourceQuota of its namespace (fact: apiserver admission/plugin/resourcequota). What counts:
 * claims and their storage, also by storage class; pods' requests and limits; `count/<resource>` of anything.
 */
export function checkQuota(state: ServerState, served: ServedKind, object: StoredObject): void {
  const namespace = object.metadata.namespace;
  if (namespace === undefined) return;
  for (const quota of state.store.list(resourceQuotas, namespace)) {
    const hard = hardOf(quota);
    const asked = new Map([...usageOf(served, object)].filter(([name]) => name in hard));
    if (asked.size === 0) continue;
    const used = usedIn(state, namespace, [...asked.keys()]);
    const exceeded = [...asked.keys()]
      .filter((name) => {
        const limit = parseQuantity(hard[name] ?? '') ?? zero;
        const wanted = asked.get(name) ?? zero;
        return wanted.milli > 0n && add(used.get(name) ?? zero, wanted).milli > limit.milli;
      })
      .sort(byText);
    if (exceeded.length === 0) continue;
    const show = (usage: (name: string) => string): string =>
      exceeded.map((name) => `${name}=${usage(name)}`).join(',');
    throw forbidden(
      served.kind,
      object.metadata.name,
      `exceeded quota: ${quota.metadata.name}, requested: ${show((name) => formatQuantity(asked.get(name) ?? zero))}, ` +
        `used: ${show((name) => formatQuantity(used.get(name) ?? zero))}, limited: ${show((name) => hard[name] ?? '')}`,
    );
  }
}

/** The quota with status.hard and status.used as they are now; the same object when they are right already. */
export function recountedQuota(state: ServerState, quota: StoredObject): StoredObject {
  const hard = hardOf(quota);
  const names = Object.keys(hard);
  const sums = usedIn(state, quota.metadata.namespace ?? '', names);
  const used = Object.fromEntries(names.map((name) => [name, formatQuantity(sums.get(name) ?? zero)]));
  const status = { hard, used };
  return sameJson(quota['status'], status) ? quota : withMembers(quota, { status });
}

function hardOf(quota: StoredObject): Readonly<Record<string, string>> {
  return (quota as unknown as ResourceQuota).spec?.hard ?? {};
}

/** Sums only over the kinds that the names speak of. */
function usedIn(state: ServerState, namespace: string, names: readonly string[]): Usage {
  const sums = new Map<string, Quantity>();
  for (const served of state.kinds.all) {
    if (!served.kind.namespaced || !names.some((name) => concerns(served, name))) continue;
    for (const object of state.store.list(served.kind, namespace)) {
      for (const [name, quantity] of usageOf(served, object)) {
        sums.set(name, add(sums.get(name) ?? zero, quantity));
      }
    }
  }
  return sums;
}

function isKind({ kind }: ServedKind, other: { readonly group: string; readonly plural: string }): boolean {
  return kind.group === other.group && kind.plural === other.plural;
}

function concerns(served: ServedKind, name: string): boolean {
  if (name === `count/${resourceName(served.kind)}`) return true;
  if (isKind(served, persistentVolumeClaims)) {
    return (
      name === 'persistentvolumeclaims' ||
      name.endsWith('requests.storage') ||
      name.includes('.storageclass.')
    );
  }
  if (isKind(served, pods)) return name === 'pods' || /^((requests|limits)\.)?(cpu|memory)$/.test(name);
  return served.kind.group === '' && name === served.kind.plural;
}

function usageOf(served: ServedKind, object: StoredObject): Usage {
  const one: Quantity = { milli: 1000n, binary: false };
  const usage = new Map<string, Quantity>([[`count/${resourceName(served.kind)}`, one]]);
  if (served.kind.group === '') usage.set(served.kind.plural, one);
  if (isKind(served, persistentVolumeClaims)) addClaim(usage, object);
  // A pod that has ended counts no longer, not even as a pod (fact: quota evaluator of pods).
  if (isKind(served, pods)) {
    const phase = fieldAt(object, 'status.phase');
    if (phase === 'Succeeded' || phase === 'Failed') usage.delete('pods');
    else addPod(usage, object as unknown as Pod);
  }
  return usage;
}

function addClaim(usage: Map<string, Quantity>, object: StoredObject): void {
  const storage = parseQuantity(textOf(fieldAt(object, 'spec.resources.requests.storage')));
  const storageClass = fieldAt(object, 'spec.storageClassName') as string | undefined;
  if (storage !== undefined) usage.set('requests.storage', storage);
  if (storageClass === undefined || storageClass === '') return;
  const prefix = `${storageClass}.storageclass.storage.k8s.io/`;
  usage.set(`${prefix}persistentvolumeclaims`, { milli: 1000n, binary: false });
  if (storage !== undefined) usage.set(`${prefix}requests.storage`, storage);
}

function addPod(usage: Map<string, Quantity>, pod: Pod): void {
  for (const [side, resources] of sides(pod.spec.containers)) {
    for (const [resource, text] of resources) {
      const quantity = parseQuantity(text);
      if (quantity === undefined) continue;
      const names = side === 'requests' ? [`requests.${resource}`, resource] : [`limits.${resource}`];
      for (const name of names) usage.set(name, add(usage.get(name) ?? zero, quantity));
    }
  }
}

function sides(containers: readonly Container[]): readonly ['requests' | 'limits', [string, string][]][] {
  return containers.flatMap(({ resources }) => [
    ['requests', isObject(resources?.requests) ? Object.entries(resources.requests) : []] as [
      'requests',
      [string, string][],
    ],
    ['limits', isObject(resources?.limits) ? Object.entries(resources.limits) : []] as [
      'limits',
      [string, string][],
    ],
  ]);
}
