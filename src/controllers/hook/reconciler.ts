import { mergeConditions } from '../../api/conditions.ts';
import type { Hook } from '../../api/hook.ts';
import { hooks } from '../../api/kinds.ts';
import type { ObjectCache } from '../../kube/cache.ts';
import type { KubeClient } from '../../kube/client.ts';
import { rfc3339, type Clock } from '../../runtime/clock.ts';
import type { Reconcile } from '../../runtime/controller.ts';
import { writeStatus } from '../write-status.ts';
import { judgeHook } from './judge.ts';

export interface HookDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly hooks: ObjectCache<Hook>;
}

/** Keyed by "namespace/name" of a Hook. Writes its status and nothing else. */
export function hookReconciler({ client, clock, hooks: cache }: HookDeps): Reconcile {
  return async (key, signal) => {
    const hook = cache.getByKey(key);
    if (hook === undefined || hook.metadata.deletionTimestamp !== undefined) return {};
    const before = hook.status?.conditions ?? [];
    const { generation } = hook.metadata;
    const status = {
      ...hook.status,
      conditions: mergeConditions(before, judgeHook(hook.spec), rfc3339(clock.now())),
      ...(generation !== undefined && { observedGeneration: generation }),
    };
    await writeStatus(hooks, hook, status, { client, cache }, signal);
    return {};
  };
}
