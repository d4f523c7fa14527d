import { contentErrors, defaulted, withoutUnknown } from './content.ts';
import type { Json } from './json.ts';
import { isObject, sameJson, withMembers } from './json.ts';
import { validateMeta, validateMetaChange } from './object-meta.ts';
import type { Refusal } from './refusal.ts';
import { badRequest, conflict, invalid, notFound, staleVersion } from './refusal.ts';
import { invalidValue } from './field-error.ts';
import type { ServedKind } from './served-kind.ts';
import type { ServerState, WriteOptions } from './server-state.ts';
import { admit, judgeUnknownFields, refuseErrors } from './server-state.ts';
import type { StoredObject } from './stored-object.ts';
import { withMeta } from './stored-object.ts';
import { typed } from './creating.ts';

export interface UpdateRequest {
  readonly served: ServedKind;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: 'status' | undefined;
  /** The object as it is to be, from the object as it is. */
  readonly change: (old: StoredObject) => Json;
  /** How unknown fields in the result are refused. */
  readonly refuseUnknown: (result: Json, text: string) => Refusal;
  /** PUT sends a whole object, which must say which version it replaces. */
  readonly isPut: boolean;
}

/**
 * PUT and PATCH, of the object or of its status (fact: apiserver registry/rest/update.go, customresource/strategy.go). A write that
 * changes nothing makes no new version and no event. The last finalizer's removal from an object that is being deleted removes it.
 */
export function updateObject(
  state: ServerState,
  request: UpdateRequest,
  options: WriteOptions,
): StoredObject {
  const { served, namespace, name } = request;
  const { kind } = served;
  const old = state.store.get(kind, namespace, name);
  if (old === undefined) throw notFound(kind, name);
  const result = request.change(old);
  const unknown: string[] = [];
  const decoded = withoutUnknown(served, typed(served, result), unknown);
  judgeUnknownFields(served, unknown, options, (text) => request.refuseUnknown(result, text));
  checkIdentity(request, decoded, old);
  const split = splitStatus(request, withOldSystemFields(decoded, old), old);
  const next = countGeneration(served, defaulted(served, split), old);
  if (sameJson(next, old)) return old;
  const check = (object: StoredObject): void => refuseErrors(kind, name, updateErrors(served, object, old));
  check(next);
  // A rule for `plans` does not match `plans/status`: webhooks do not see status writes.
  const admitted =
    request.subresource === undefined
      ? admit(state, served, { operation: 'UPDATE', object: next, oldObject: old, dryRun: options.dryRun })
      : next;
  if (admitted !== next) check(admitted);
  if (options.dryRun) return admitted;
  if (isDone(admitted, old)) {
    state.store.remove(kind, old);
    return admitted;
  }
  return state.store.put(kind, admitted);
}

function updateErrors(served: ServedKind, object: StoredObject, old: StoredObject) {
  const metaChanged = object.metadata !== old.metadata;
  return [
    ...(metaChanged ? validateMeta(object.metadata, served.nameRule) : []),
    ...validateMetaChange(object.metadata, old.metadata),
    ...contentErrors(served, object, old),
    ...(served.strategy.validateUpdate?.(object, old) ?? []),
  ];
}

function checkIdentity(request: UpdateRequest, next: StoredObject, old: StoredObject): void {
  const { served, name } = request;
  const { kind } = served;
  const { metadata } = next;
  if (metadata.name !== name) {
    throw badRequest(
      `the name of the object (${metadata.name}) does not match the name on the URL (${name})`,
    );
  }
  if ((metadata.namespace ?? '') !== '' && metadata.namespace !== old.metadata.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (metadata.uid !== undefined && metadata.uid !== '' && metadata.uid !== old.metadata.uid) {
    throw conflict(
      kind,
      name,
      `Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${old.metadata.uid ?? ''}`,
    );
  }
  const version = metadata.resourceVersion ?? '';
  if (version === '') {
    if (!request.isPut || !served.custom) return;
    throw invalid(kind, name, [
      invalidValue('metadata.resourceVersion', 0, 'must be specified for an update'),
    ]);
  }
  if (version !== old.metadata.resourceVersion) throw staleVersion(kind, name);
}

/** What the server alone decides stays as it was, whatever the request says. */
function withOldSystemFields(next: StoredObject, old: StoredObject): StoredObject {
  const { metadata } = old;
  const kept = withMeta(next, {
    namespace: metadata.namespace,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    generation: metadata.generation,
    creationTimestamp: metadata.creationTimestamp,
    deletionTimestamp: metadata.deletionTimestamp,
    deletionGracePeriodSeconds: metadata.deletionGracePeriodSeconds,
  });
  return sameJson(kept.metadata, metadata) ? withMembers(kept, { metadata }) : kept;
}

/** A write to the object leaves its status alone; a write to /status leaves all else alone, for custom resources metadata too. */
function splitStatus(request: UpdateRequest, next: StoredObject, old: StoredObject): StoredObject {
  const { served } = request;
  if (request.subresource === 'status') {
    const changes = { status: next['status'], ...(served.custom ? {} : { metadata: next.metadata }) };
    return withMembers(old, changes);
  }
  const kept = served.kind.hasStatus ? withMembers(next, { status: old['status'] }) : next;
  return served.strategy.prepareUpdate?.(kept, old) ?? kept;
}

/** Custom resources count every change but those of metadata and status; built-in kinds that count, count changes of spec. */
function countGeneration(served: ServedKind, next: StoredObject, old: StoredObject): StoredObject {
  if (!served.custom && served.strategy.countsGenerations !== true) return next;
  const changed = served.custom
    ? Object.keys({ ...next, ...old }).some(
        (field) =>
          field !== 'metadata' &&
          !(field === 'status' && served.kind.hasStatus) &&
          !sameJson(next[field], old[field]),
      )
    : !sameJson(next['spec'], old['spec']);
  return changed ? withMeta(next, { generation: (old.metadata.generation ?? 0) + 1 }) : next;
}

/** fact: apiserver ShouldDeleteDuringUpdate: nothing holds it any more, and its grace is over. */
export function isDone(next: StoredObject, old: StoredObject): boolean {
  return (
    (next.metadata.finalizers ?? []).length === 0 &&
    old.metadata.deletionTimestamp !== undefined &&
    (old.metadata.deletionGracePeriodSeconds ?? 0) === 0 &&
    !holdsNamespace(next)
  );
}

/** A namespace goes only when its content is gone: the collector then takes this one finalizer out of its spec. */
export function holdsNamespace(object: StoredObject): boolean {
  if (object.kind !== 'Namespace' || object.apiVersion !== 'v1') return false;
  const spec = object['spec'];
  const finalizers = isObject(spec) ? spec['finalizers'] : undefined;
  return Array.isArray(finalizers) && finalizers.length > 0;
}
