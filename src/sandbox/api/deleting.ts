import { namespaces, pods } from '../../api/kinds.ts';
import { rfc3339 } from '../../runtime/clock.ts';
import { fieldAt } from './columns.ts';
import type { Json } from './json.ts';
import { isObject, sameJson, textOf, withMembers } from './json.ts';
import { invalidValue, notSupported } from './field-error.ts';
import type { Status } from './refusal.ts';
import { badRequest, conflict, detailsOf, notFound } from './refusal.ts';
import type { ServedKind } from './served-kind.ts';
import type { ServerState } from './server-state.ts';
import { admit, dryRunErrors, refuseErrors } from './server-state.ts';
import type { StoredObject } from './stored-object.ts';
import { withMeta } from './stored-object.ts';
import { isDone } from './updating.ts';

export const orphanFinalizer = 'orphan';
export const foregroundFinalizer = 'foregroundDeletion';

export interface DeletionRequest {
  readonly served: ServedKind;
  readonly namespace: string;
  readonly name: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly propagation?: string;
  readonly gracePeriodSeconds?: number;
  readonly dryRun: boolean;
}

/** DeleteOptions of the body, with those of the query, which older clients use. */
export function deletionOptions(
  body: Json | undefined,
  query: Readonly<Record<string, string>>,
): Pick<DeletionRequest, 'uid' | 'resourceVersion' | 'propagation' | 'gracePeriodSeconds' | 'dryRun'> {
  const options = isObject(body) ? body : {};
  const preconditions = isObject(options['preconditions']) ? options['preconditions'] : {};
  const text = (value: Json | undefined) => (typeof value === 'string' && value !== '' ? value : undefined);
  const uid = text(preconditions['uid']);
  const resourceVersion = text(preconditions['resourceVersion']);
  const propagation = text(options['propagationPolicy'] ?? query['propagationPolicy']);
  const grace = options['gracePeriodSeconds'] ?? query['gracePeriodSeconds'];
  const dryRun = options['dryRun'] ?? query['dryRun'];
  return {
    ...(uid !== undefined && { uid }),
    ...(resourceVersion !== undefined && { resourceVersion }),
    ...(propagation !== undefined && { propagation }),
    ...((typeof grace === 'number' || typeof grace === 'string') && { gracePeriodSeconds: Number(grace) }),
    dryRun: dryRun === 'All' || (Array.isArray(dryRun) && dryRun.includes('All')),
  };
}

/** DELETE (fact: apiserver registry/generic/registry/store.go Delete, registry/rest/delete.go). The answer is an object or a Status. */
export function deleteObject(state: ServerState, request: DeletionRequest): StoredObject | Status {
  const { served, namespace, name } = request;
  const { kind } = served;
  const old = state.store.get(kind, namespace, name);
  if (old === undefined) throw notFound(kind, name);
  checkPreconditions(served, old, request);
  admit(state, served, { operation: 'DELETE', object: old, oldObject: old, dryRun: request.dryRun });
  if (kind.plural === namespaces.plural && kind.group === '')
    return deleteNamespace(state, served, old, request);
  const marked = mark(state, old, graceOf(served, old, request), finalizersAfter(served, old, request));
  if (marked === 'remove') {
    if (!request.dryRun) state.store.remove(kind, old);
    return served.returnsDeleted ? asDeleted(state, served, old) : success(served, old);
  }
  if (sameJson(marked, old) || request.dryRun) return marked;
  return state.store.put(kind, marked);
}

/** fact: rest.BeforeDelete; the kind stands where a plural would, as in the original. */
function checkPreconditions(served: ServedKind, old: StoredObject, request: DeletionRequest): void {
  const { metadata } = old;
  const shown = { ...served.kind, plural: served.kind.kind };
  if (request.uid !== undefined && request.uid !== metadata.uid) {
    throw conflict(
      shown,
      metadata.name,
      `the UID in the precondition (${request.uid}) does not match the UID in record (${metadata.uid ?? ''}). ` +
        'The object might have been deleted and then recreated',
    );
  }
  if (request.resourceVersion !== undefined && request.resourceVersion !== metadata.resourceVersion) {
    throw conflict(
      shown,
      metadata.name,
      `the ResourceVersion in the precondition (${request.resourceVersion}) does not match the ResourceVersion in record ` +
        `(${metadata.resourceVersion ?? ''}). The object might have been modified`,
    );
  }
}

const propagations = ['Foreground', 'Background', 'Orphan', 'nil'];

/** What a body of a DELETE must be before anything is looked at (fact: metav1 validation of DeleteOptions). */
export function checkDeletionOptions(body: Json | undefined): void {
  if (!isObject(body)) return;
  const { kind, apiVersion, dryRun, propagationPolicy: policy, orphanDependents } = body;
  if (kind !== undefined && kind !== 'DeleteOptions') {
    const version = textOf(apiVersion);
    throw badRequest(
      `no kind "${textOf(kind)}" is registered for version "${version}" in scheme "pkg/runtime/scheme.go:111"`,
    );
  }
  const both = 'orphanDependents and deletionPropagation cannot be both set';
  refuseErrors({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', [
    ...(policy !== undefined && policy !== null && orphanDependents !== undefined
      ? [invalidValue('propagationPolicy', policy, both)]
      : []),
    ...(policy !== undefined && policy !== null && !propagations.includes(textOf(policy))
      ? [notSupported('propagationPolicy', policy, propagations)]
      : []),
    ...dryRunErrors(dryRun),
  ]);
}

/** Garbage collection is asked for by finalizers; what is not said comes from those there are, then from the kind. */
function finalizersAfter(
  served: ServedKind,
  { metadata }: StoredObject,
  { propagation }: DeletionRequest,
): readonly string[] {
  const before = metadata.finalizers ?? [];
  if (
    propagation === undefined &&
    before.some((one) => one === orphanFinalizer || one === foregroundFinalizer)
  ) {
    return before;
  }
  const others = before.filter((one) => one !== orphanFinalizer && one !== foregroundFinalizer);
  if (propagation === 'Foreground') return [...others, foregroundFinalizer];
  if (propagation === 'Orphan' || (propagation === undefined && served.orphansByDefault)) {
    return [...others, orphanFinalizer];
  }
  return others;
}

/** Seconds that a pod still has; 0 for everything else, and for a pod that no node has or that has ended (fact: pod strategy). */
function graceOf(served: ServedKind, old: StoredObject, request: DeletionRequest): number {
  if (served.kind.plural !== pods.plural || served.kind.group !== '') return 0;
  const phase = fieldAt(old, 'status.phase');
  if (phase === 'Succeeded' || phase === 'Failed') return 0;
  if (((fieldAt(old, 'spec.nodeName') as string | undefined) ?? '') === '' && phase !== 'Running') return 0;
  const usual = (fieldAt(old, 'spec.terminationGracePeriodSeconds') as number | undefined) ?? 30;
  const asked = request.gracePeriodSeconds ?? usual;
  return asked < 0 ? 1 : asked;
}

function mark(
  state: ServerState,
  old: StoredObject,
  graceSeconds: number,
  finalizers: readonly string[],
): StoredObject | 'remove' {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = old.metadata;
  const held = withMeta(old, { finalizers: finalizers.length === 0 ? undefined : finalizers });
  if (deletionTimestamp !== undefined) {
    // Grace can only be shortened.
    const shorter = Math.min(deletionGracePeriodSeconds, graceSeconds);
    const moved = Date.parse(deletionTimestamp) - (deletionGracePeriodSeconds - shorter) * 1000;
    const next = withMeta(held, {
      deletionTimestamp: rfc3339(Math.max(moved, Math.min(state.clock.now(), Date.parse(deletionTimestamp)))),
      deletionGracePeriodSeconds: shorter,
    });
    return shorter === 0 && isDone(next, next) ? 'remove' : next;
  }
  if (graceSeconds === 0 && finalizers.length === 0) return 'remove';
  return withMeta(held, {
    deletionTimestamp: rfc3339(state.clock.now() + graceSeconds * 1000),
    deletionGracePeriodSeconds: graceSeconds,
    ...(old.metadata.generation !== undefined && { generation: old.metadata.generation + 1 }),
  });
}

/** A pod that goes at once is shown as it was marked for that. */
function asDeleted({ clock }: ServerState, { kind }: ServedKind, old: StoredObject): StoredObject {
  if (kind.plural !== pods.plural || kind.group !== '') return old;
  return withMeta(old, { deletionTimestamp: rfc3339(clock.now()), deletionGracePeriodSeconds: 0 });
}

/** fact: core namespace storage: first it is only marked; its content goes before it does. */
function deleteNamespace(
  { store, clock }: ServerState,
  { kind }: ServedKind,
  old: StoredObject,
  { dryRun }: DeletionRequest,
): StoredObject {
  if (old.metadata.deletionTimestamp !== undefined) return old;
  const marked = withMembers(withMeta(old, { deletionTimestamp: rfc3339(clock.now()) }), {
    status: { phase: 'Terminating' },
  });
  return dryRun ? marked : store.put(kind, marked);
}

function success({ kind }: ServedKind, { metadata }: StoredObject): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { ...detailsOf(kind, metadata.name), ...(metadata.uid !== undefined && { uid: metadata.uid }) },
  };
}
