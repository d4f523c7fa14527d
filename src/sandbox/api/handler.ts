import type { ServerAnswer, ServerRequest } from './exchange.ts';
import { refused } from './exchange.ts';
import { namespaces } from '../../api/kinds.ts';
import type { ResourceKind } from '../../api/meta.ts';
import type { AnswerForm } from './answer-form.ts';
import { asList, formOf, metadataList, partial } from './answer-form.ts';
import { createObject } from './creating.ts';
import { unrecognized } from './decoding.ts';
import { checkDeletionOptions, deleteObject, deletionOptions } from './deleting.ts';
import type { Documents } from './documents.ts';
import { notSupported } from './field-error.ts';
import type { Json } from './json.ts';
import { isList, isObject } from './json.ts';
import { checkListOptions } from './list-options.ts';
import { jsonPatch, mergePatch } from './patch.ts';
import { strategicPatch } from './strategic-patch.ts';
import type { ObjectPage } from './reading.ts';
import { checkVersion, getObject, Lister } from './reading.ts';
import {
  badRequest,
  methodNotAllowed,
  notSupportedVerb,
  pageNotFound,
  Refusal,
  unsupportedMediaType,
} from './refusal.ts';
import type { Route } from './routes.ts';
import { selectorOf } from './selectors.ts';
import type { ServedKind } from './served-kind.ts';
import type { ServerState, WriteOptions } from './server-state.ts';
import { dryRunErrors, invalidPatch, refuseErrors } from './server-state.ts';
import type { StoredObject } from './stored-object.ts';
import { asTable } from './table.ts';
import { updateObject } from './updating.ts';

type ResourceRoute = Extract<Route, { to: 'resource' }>;

const strategicType = 'application/strategic-merge-patch+json';
const patchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/apply-patch+yaml',
];

/** Carries out one request. Never throws: what is refused comes back as an answer. Watches and pods' proxies are the caller's. */
export class RequestHandler {
  readonly #state: ServerState;
  readonly #lister: Lister;
  readonly #documents: Documents;

  constructor(state: ServerState, documents: Documents) {
    this.#state = state;
    this.#lister = new Lister(state);
    this.#documents = documents;
  }

  handle(request: ServerRequest, route: Exclude<Route, { to: 'podProxy' }>): ServerAnswer {
    const warnings: string[] = [];
    const answer = this.#attempt(request, route, warnings);
    if (warnings.length === 0) return answer;
    const warning = warnings.map((text) => `299 - ${JSON.stringify(text)}`).join(', ');
    return { ...answer, headers: { ...answer.headers, warning } };
  }

  #attempt(
    request: ServerRequest,
    route: Exclude<Route, { to: 'podProxy' }>,
    warnings: string[],
  ): ServerAnswer {
    try {
      return route.to === 'document'
        ? this.#documents.answer(request, route.path)
        : this.#resource(request, route, warnings);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return refused(error);
    }
  }

  #resource(request: ServerRequest, route: ResourceRoute, warnings: string[]): ServerAnswer {
    const { served, name } = route;
    const namespace = route.namespace ?? '';
    const form = formOf(request.headers['accept']);
    switch (request.method) {
      case 'GET':
        return this.#read(request, route, form);
      case 'POST': {
        checkCreation(route);
        requireJson(request.contentType);
        const body = bodyOf(served, request);
        const options = writeOptions(request, warnings, 'CreateOptions');
        const created = createObject(this.#state, served, namespace, body, options);
        return this.#shown(request, route, created, 201, form);
      }
      case 'PUT':
      case 'PATCH': {
        if (name === undefined) {
          if (served.custom && request.method === 'PUT') throw badRequest('name must be provided');
          throw methodNotAllowed();
        }
        const kind = request.method === 'PUT' ? 'UpdateOptions' : 'PatchOptions';
        const options = writeOptions(request, warnings, kind);
        return this.#shown(request, route, this.#update(request, route, name, options), 200, form);
      }
      case 'DELETE':
        return this.#delete(request, route, form);
    }
  }

  #read(request: ServerRequest, { served, namespace, name }: ResourceRoute, form: AnswerForm): ServerAnswer {
    const route = { served, namespace, name };
    if (name !== undefined) {
      checkVersion(this.#state, request.query['resourceVersion'] ?? '');
      return this.#shown(request, route, getObject(this.#state, served, namespace ?? '', name), 200, form);
    }
    checkListOptions(request.query);
    const page = this.#lister.list(served, namespace, request.query);
    return { status: 200, headers: {}, body: this.#formed(request, served, page, form) };
  }

  #formed(request: ServerRequest, served: ServedKind, page: ObjectPage, form: AnswerForm): object {
    if (form === 'table') return asTable(served, page, this.#state.clock.now(), request.query);
    return form === 'metadata' ? metadataList(page) : asList(served, page);
  }

  #update(
    request: ServerRequest,
    { served, namespace = '', subresource }: ResourceRoute,
    name: string,
    options: WriteOptions,
  ): StoredObject {
    if (request.method === 'PUT') {
      requireJson(request.contentType);
      const body = bodyOf(served, request);
      const refuse = (_: Json, text: string): Refusal =>
        badRequest(
          `${served.kind.kind} in version "${served.kind.version}" cannot be handled as a ${served.kind.kind}: ${text}`,
        );
      const update = {
        served,
        namespace,
        name,
        subresource,
        change: () => body,
        refuseUnknown: refuse,
        isPut: true,
      };
      return updateObject(this.#state, update, options);
    }
    const apply = patchFor(request.contentType, served.custom);
    const patch = patchBody(request);
    const change = (old: StoredObject): Json => apply(old as unknown as Json, patch);
    const refuseUnknown = (result: Json, text: string): Refusal => invalidPatch(result)(text);
    const update = { served, namespace, name, subresource, change, refuseUnknown, isPut: false };
    return updateObject(this.#state, update, options);
  }

  #delete(request: ServerRequest, route: ResourceRoute, form: AnswerForm): ServerAnswer {
    const { served, namespace, name, subresource } = route;
    if (subresource !== undefined) throw verbRefused(served, 'delete');
    if (request.unread !== undefined)
      throw badRequest(`couldn't get version/kind; json parse error: ${request.unread.why}`);
    checkDeletionOptions(request.body);
    const options = deletionOptions(request.body, request.query);
    if (name !== undefined) {
      const result = deleteObject(this.#state, { served, namespace: namespace ?? '', name, ...options });
      return result.kind === 'Status'
        ? { status: 200, headers: {}, body: result }
        : this.#shown(request, route, result as StoredObject, 200, form);
    }
    if (isKindOf(served, namespaces)) throw methodNotAllowed();
    if (served.kind.namespaced && namespace === undefined)
      throw served.custom ? pageNotFound() : methodNotAllowed();
    const selector = selectorOf(served, request.query);
    const objects = this.#state.store
      .list(served.kind, namespace)
      .filter((object) => selector?.(object) !== false);
    for (const { metadata } of objects) {
      deleteObject(this.#state, { served, namespace: namespace ?? '', name: metadata.name, ...options });
    }
    const page = this.#lister.list(served, namespace, { fieldSelector: 'metadata.name=' });
    return { status: 200, headers: {}, body: asList(served, { ...page, items: objects }) };
  }

  #shown(
    request: ServerRequest,
    { served }: Pick<ResourceRoute, 'served'>,
    object: StoredObject,
    status: number,
    form: AnswerForm,
  ): ServerAnswer {
    if (form === 'whole') return { status, headers: {}, body: object };
    if (form === 'metadata') return { status, headers: {}, body: partial(object) };
    const page = {
      apiVersion: object.apiVersion,
      kind: `${object.kind}List`,
      metadata: { resourceVersion: object.metadata.resourceVersion ?? '' },
      items: [object],
    };
    return { status, headers: {}, body: asTable(served, page, this.#state.clock.now(), request.query) };
  }
}

/** A custom resource may be created under its name's path, one of Kubernetes not (fact: customresource_handler.go). */
function checkCreation({ served, namespace, name, subresource }: ResourceRoute): void {
  if (subresource !== undefined) throw verbRefused(served, 'create');
  if (served.kind.namespaced && namespace === undefined)
    throw served.custom ? pageNotFound() : methodNotAllowed();
  if (name !== undefined && !served.custom) throw methodNotAllowed();
}

function verbRefused({ kind, custom }: ServedKind, verb: string): Refusal {
  return custom ? notSupportedVerb(kind, verb) : methodNotAllowed();
}

function isKindOf({ kind }: ServedKind, other: ResourceKind): boolean {
  return kind.plural === other.plural && kind.group === other.group;
}

/** kubectl writes a few built-in kinds as protobuf when it makes them without a file: never served here. */
function requireJson(contentType: string | undefined): void {
  if (contentType === undefined || contentType === 'application/json' || contentType === 'application/yaml')
    return;
  throw unsupportedMediaType(['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']);
}

function bodyOf(served: ServedKind, { body, unread }: ServerRequest): Json {
  const broken =
    unread ?? (body === undefined ? { text: '', why: 'unexpected end of JSON input' } : undefined);
  if (broken === undefined) return body ?? null;
  throw unrecognized(served, broken.text, `couldn't get version/kind; json parse error: ${broken.why}`);
}

function patchBody({ body, unread }: ServerRequest): Json {
  if (body !== undefined && unread === undefined) return body;
  throw badRequest(`error decoding patch: ${unread?.why ?? 'unexpected end of JSON input'}`);
}

/** Custom resources take no strategic merge patch anywhere, in these words; server-side apply is not served (design: sandbox.md). */
function patchFor(contentType: string | undefined, isCustom: boolean): (old: Json, patch: Json) => Json {
  if (contentType === 'application/merge-patch+json') return mergePatchBody;
  if (contentType === 'application/json-patch+json') return jsonPatch;
  if (contentType === strategicType && !isCustom) return strategicPatch;
  const isPatch = contentType === strategicType || contentType === 'application/apply-patch+yaml';
  // fact: installer.go: the routes of Kubernetes' own kinds refuse a type that is no patch before anybody looks at it.
  if (!isCustom && !isPatch)
    throw new Refusal(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
  throw unsupportedMediaType(patchTypes);
}

function mergePatchBody(old: Json, patch: Json): Json {
  if (isObject(patch)) return mergePatch(old, patch);
  const type = isList(patch) ? 'array' : patch === null ? 'null' : typeof patch;
  throw badRequest(
    `error decoding patch: json: cannot unmarshal ${type} into Go value of type map[string]interface {}`,
  );
}

const validations: readonly string[] = ['', 'Ignore', 'Strict', 'Warn'];

function writeOptions(
  { query, bytes }: ServerRequest,
  warnings: string[],
  kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions',
): WriteOptions {
  const wanted = query['fieldValidation'] ?? '';
  refuseErrors({ group: 'meta.k8s.io', kind }, '', [
    ...dryRunErrors(query['dryRun']),
    ...(validations.includes(wanted) ? [] : [notSupported('fieldValidation', wanted, validations)]),
  ]);
  // fact: apiserver field validation: what is not said is Warn.
  const fieldValidation = wanted === 'Strict' || wanted === 'Ignore' ? wanted : 'Warn';
  return {
    dryRun: query['dryRun'] === 'All',
    fieldValidation,
    warnings,
    ...(bytes !== undefined && { bytes }),
  };
}
