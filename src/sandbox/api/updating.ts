import { contentErrors, defaulted, withoutUnknown } from './content.ts';
import type { Json } from './json.ts';
import { isObject, sameJson, withMembers } from './json.ts';
import { validateMeta, validateMetaChange } from './object-meta.ts';
import { badRequest, conflict, DecodeRefusal, invalid, notFound, Refusal, staleVersion } from './refusal.ts';
import { invalidValue } from './field-error.ts';
import type { ServedKind } from './served-kind.ts';
import type { ServerState, WriteOptions } from './server-state.ts';
import { admit, checkSize, judgeUnknownFields, refuseErrors } from './server-state.ts';
import { checkResize } from './claim-protection.ts';
import type { StoredObject } from './stored-object.ts';
import { withMeta } from './stored-object.ts';
import { typed } from './decoding.ts';

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
  const { decoded, split } = readable(request, result, () => {
    const decoded = withoutUnknown(served, typed(served, result, request.isPut ? 'put' : 'patch'), unknown);
    return { decoded, split: splitStatus(request, withOldSystemFields(decoded, old), old) };
  });
  judgeUnknownFields(served, unknown, options, (text) => request.refuseUnknown(result, text));
  checkIdentity(request, decoded, old);
  const next = countGeneration(served, defaulted(served, split), old);
  if (sameJson(next, old)) return old;
  const check = (object: StoredObject): void => refuseErrors(kind, name, updateErrors(request, object, old));
  check(next);
  // A rule for `plans` does not match `plans/status`: webhooks do not see status writes.
  const admitted =
    request.subresource === undefined
      ? admit(state, served, { operation: 'UPDATE', object: next, oldObject: old, dryRun: options.dryRun })
      : next;
  if (admitted !== next) check(admitted);
  checkResize(state, served, admitted, old);
  checkSize(options);
  if (options.dryRun) return admitted;
  if (isDone(admitted, old)) {
    state.store.remove(kind, old);
    return admitted;
  }
  return state.store.put(kind, admitted);
}

function readable<T>(request: UpdateRequest, result: Json, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (request.isPut || !(error instanceof DecodeRefusal)) throw error;
    throw request.refuseUnknown(result, error.why);
  }
}

function updateErrors({ served, subresource }: UpdateRequest, object: StoredObject, old: StoredObject) {
  const metaChanged = object.metadata !== old.metadata;
  return [
    ...(metaChanged ? validateMeta(object.metadata, served) : []),
    // fact: registry/rest/update.go asks once for all kinds, and then each kind's strategy does so again.
    ...validateMetaChange(object.metadata, old.metadata),
    ...validateMetaChange(object.metadata, old.metadata),
    ...contentErrors(served, object, old, subresource),
    ...(served.strategy.validateUpdate?.(object, old) ?? []),
  ];
}

function checkIdentity(request: UpdateRequest, next: StoredObject, old: StoredObject): void {
  const { served, name, isPut } = request;
  const { kind } = served;
  const { metadata } = next;
  const { uid = '', resourceVersion: version = '', deletionTimestamp } = metadata;
  if (((metadata.name as string | undefined) ?? '') === '') {
    throw badRequest(
      `the name of the object (${name} based on URL) was undeterminable: name must be provided`,
    );
  }
  if (metadata.name !== name) {
    throw badRequest(
      `the name of the object (${metadata.name}) does not match the name on the URL (${name})`,
    );
  }
  if ((metadata.namespace ?? '') !== '' && metadata.namespace !== old.metadata.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (isPut && uid !== '' && uid !== old.metadata.uid) {
    throw conflict(kind, name, otherUid(served, uid, old));
  }
  checkVersion(request, version, old);
  const errors = [
    ...(uid !== '' && uid !== old.metadata.uid
      ? [invalidValue('metadata.uid', uid, 'field is immutable')]
      : []),
    ...(deletionTimestamp !== undefined && deletionTimestamp !== old.metadata.deletionTimestamp
      ? [invalidValue('metadata.deletionTimestamp', deletionTimestamp, 'field is immutable')]
      : []),
  ];
  // Told twice, as all that is wrong with metadata is.
  refuseErrors(kind, name, [...errors, ...errors]);
}

/** fact: apiserver storage/errors.go: what the store says is passed on as it is. */
function otherUid({ kind }: ServedKind, uid: string, { metadata }: StoredObject): string {
  const group = kind.group === '' ? '' : `${kind.group}/`;
  const place = [metadata.namespace, metadata.name].filter((part) => part !== undefined).join('/');
  return (
    `StorageError: invalid object, Code: 4, Key: /registry/${group}${kind.plural}/${place}, ResourceVersion: 0, ` +
    `AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid ?? ''}`
  );
}

function checkVersion({ served, name, isPut }: UpdateRequest, version: string, old: StoredObject): void {
  const { kind } = served;
  if (version === '') {
    if (!isPut || !served.custom) return;
    // The plural stands where a kind would, as in the original.
    throw invalid({ group: kind.group, kind: kind.plural }, name, [
      invalidValue('metadata.resourceVersion', 0, 'must be specified for an update'),
    ]);
  }
  if (!/^\d+$/.test(version))
    throw new Refusal(500, '', `strconv.ParseUint: parsing ${JSON.stringify(version)}: invalid syntax`);
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
