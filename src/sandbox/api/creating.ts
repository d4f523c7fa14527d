import { namespaces } from '../../api/kinds.ts';
import { rfc3339 } from '../../runtime/clock.ts';
import { contentErrors, defaulted, withoutUnknown } from './content.ts';
import type { Json } from './json.ts';
import { withMembers } from './json.ts';
import { typed } from './decoding.ts';
import { validateMeta } from './object-meta.ts';
import { checkQuota } from './quota.ts';
import { alreadyExists, badRequest, forbidden, notFound, Refusal } from './refusal.ts';
import type { ServedKind } from './served-kind.ts';
import type { ServerState, WriteOptions } from './server-state.ts';
import { admit, checkSize, judgeUnknownFields, refuseErrors } from './server-state.ts';
import type { StoredObject } from './stored-object.ts';
import { withMeta } from './stored-object.ts';

/**
 * POST. Checks in the order of an API server: decoding, namespace, defaults, admission, schema, quota, and only then whether the name
 * is taken (fact: apiserver registry/rest/create.go).
 */
export function createObject(
  state: ServerState,
  served: ServedKind,
  namespace: string,
  body: Json,
  options: WriteOptions,
): StoredObject {
  const unknown: string[] = [];
  const decoded = withoutUnknown(served, typed(served, body, 'create'), unknown);
  const { kind } = served;
  judgeUnknownFields(served, unknown, options, (text) =>
    badRequest(`${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: ${text}`),
  );
  const named = withSystemFields(state, served, namespace, decoded);
  requireNamespace(state, served, namespace, named);
  const prepared = prepare(served, defaulted(served, named));
  const { name } = prepared.metadata;
  const check = (object: StoredObject): void =>
    refuseErrors(kind, name, [
      ...validateMeta(object.metadata, served),
      ...contentErrors(served, object, undefined),
      ...(served.strategy.validateCreate?.(object) ?? []),
    ]);
  check(prepared);
  const admitted = admit(state, served, { operation: 'CREATE', object: prepared, dryRun: options.dryRun });
  if (admitted !== prepared) check(admitted);
  checkQuota(state, served, admitted);
  const taken = state.store.get(kind, namespace, name);
  if (taken !== undefined) throw alreadyExists(kind, name, taken.metadata.deletionTimestamp !== undefined);
  checkSize(options);
  return options.dryRun ? admitted : state.store.put(kind, admitted);
}

function withSystemFields(
  state: ServerState,
  served: ServedKind,
  namespace: string,
  object: StoredObject,
): StoredObject {
  const { metadata } = object;
  if (
    served.kind.namespaced &&
    (metadata.namespace ?? namespace) !== namespace &&
    metadata.namespace !== ''
  ) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (metadata.resourceVersion !== undefined && metadata.resourceVersion !== '') {
    // fact: registry/generic BeforeCreate: a plain error, of which the server makes a 500 without a reason.
    throw new Refusal(500, '', 'resourceVersion should not be set on objects to be created');
  }
  return withMeta(object, {
    name: nameOf(state, served, namespace, metadata),
    namespace: served.kind.namespaced ? namespace : undefined,
    uid: uuid(state.random),
    resourceVersion: undefined,
    creationTimestamp: rfc3339(state.clock.now()),
    deletionTimestamp: undefined,
    deletionGracePeriodSeconds: undefined,
    // Every custom resource counts from 1, with or without a status of its own (fact: customresource/strategy.go).
    generation: served.custom || served.strategy.countsGenerations === true ? 1 : metadata.generation,
  });
}

const suffixLetters = 'bcdfghjklmnpqrstvwxz2456789';

/** generateName: 5 letters after at most 58 (fact: apiserver storage/names); a name in use is drawn again. */
function nameOf(
  state: ServerState,
  { kind }: ServedKind,
  namespace: string,
  metadata: { readonly name?: string; readonly generateName?: string },
): string {
  if (metadata.name !== undefined && metadata.name !== '') return metadata.name;
  const { generateName } = metadata;
  if (generateName === undefined || generateName === '') return '';
  for (;;) {
    const suffix = Array.from(
      { length: 5 },
      () => suffixLetters[Math.floor(state.random() * suffixLetters.length)],
    );
    const name = `${generateName.slice(0, 58)}${suffix.join('')}`;
    if (state.store.get(kind, namespace, name) === undefined) return name;
  }
}

/** Version 4, from the world's own randomness. */
export function uuid(random: () => number): string {
  const hex = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16));
  hex[12] = '4';
  hex[16] = (8 + Math.floor(random() * 4)).toString(16);
  const text = hex.join('');
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join(
    '-',
  );
}

/** fact: admission NamespaceLifecycle: 404 for a namespace that is not there, 403 for one that is going. */
function requireNamespace(
  { store }: ServerState,
  { kind }: ServedKind,
  namespace: string,
  object: StoredObject,
): void {
  if (!kind.namespaced) return;
  const space = store.get(namespaces, '', namespace);
  if (space === undefined) throw notFound(namespaces, namespace);
  if (space.metadata.deletionTimestamp === undefined) return;
  throw forbidden(
    kind,
    object.metadata.name,
    `unable to create new content in namespace ${namespace} because it is being terminated`,
    [
      {
        reason: 'NamespaceTerminating',
        message: `namespace ${namespace} is being terminated`,
        field: 'metadata.namespace',
      },
    ],
  );
}

/** A status comes from /status alone (fact: customresource/strategy.go); built-in kinds begin with one of their own. */
function prepare(served: ServedKind, object: StoredObject): StoredObject {
  const cleared =
    served.custom && served.kind.hasStatus ? withMembers(object, { status: undefined }) : object;
  return served.strategy.prepareCreate?.(cleared) ?? cleared;
}
