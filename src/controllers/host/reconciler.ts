import { findCondition, mergeConditions } from '../../api/conditions.ts';
import type { Host } from '../../api/host.ts';
import { hosts } from '../../api/kinds.ts';
import type { ObjectCache } from '../../kube/cache.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { EventRecorder } from '../../kube/events.ts';
import { rfc3339, type Clock } from '../../runtime/clock.ts';
import type { Reconcile } from '../../runtime/controller.ts';
import { referred, type PlanWorld } from '../plan/inputs.ts';
import { writeStatus } from '../write-status.ts';
import { judgeHost, notUsedType } from './judge.ts';

export interface HostDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly hosts: ObjectCache<Host>;
  readonly world: Pick<PlanWorld, 'providers' | 'platformOf'> & {
    readonly hub: Pick<PlanWorld['hub'], 'inventory'>;
  };
}

/** Keyed by "namespace/name" of a Host. Writes its status, and tells once by an event that the Host has no effect. */
export function hostReconciler({ client, clock, events, hosts: cache, world }: HostDeps): Reconcile {
  return async (key, signal) => {
    const host = cache.getByKey(key);
    if (host === undefined || host.metadata.deletionTimestamp !== undefined) return {};
    const at = referred(host.spec.provider, host);
    const provider = at.name === '' ? undefined : world.providers.get(at);
    const conditions = judgeHost({
      spec: host.spec,
      providerShown: `${at.namespace}/${at.name}`,
      provider,
      platform: provider === undefined ? undefined : world.platformOf(provider.spec.type),
      inventory: provider === undefined ? undefined : world.hub.inventory(provider.metadata.uid),
    });
    const before = host.status?.conditions ?? [];
    const { generation } = host.metadata;
    const status = {
      ...host.status,
      conditions: mergeConditions(before, conditions, rfc3339(clock.now())),
      ...(generation !== undefined && { observedGeneration: generation }),
    };
    await writeStatus(hosts, host, status, { client, cache }, signal);
    const notUsed = conditions.find(({ type }) => type === notUsedType);
    if (notUsed !== undefined && findCondition(before, notUsedType) === undefined)
      events.record(host, { type: 'Warning', reason: notUsedType, message: notUsed.message ?? '' });
    return {};
  };
}
