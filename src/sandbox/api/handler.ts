import type { ServerAnswer, ServerRequest } from './exchange.ts';
import { refused } from './exchange.ts';
import { createObject } from './creating.ts';
import { deleteObject, deletionOptions } from './deleting.ts';
import type { Documents } from './documents.ts';
import type { Json } from './json.ts';
import { jsonPatch, mergePatch, strategicPatch } from './patch.ts';
import { getObject, Lister } from './reading.ts';
import { badRequest, invalid, methodNotAllowed, Refusal, unsupportedMediaType } from './refusal.ts';
import type { Route } from './routes.ts';
import { selectorOf } from './selectors.ts';
import type { FieldValidation, ServerState, WriteOptions } from './server-state.ts';
import { invalidPatch } from './server-state.ts';
import type { StoredObject } from './stored-object.ts';
import { asTable, tableWanted } from './table.ts';
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
    const options = writeOptions(request.query, warnings);
    switch (request.method) {
      case 'GET':
        return this.#read(request, route);
      case 'POST': {
        if (name !== undefined || (served.kind.namespaced && route.namespace === undefined))
          throw methodNotAllowed();
        requireJson(request.contentType);
        const created = createObject(this.#state, served, namespace, request.body ?? null, options);
        return this.#shown(request, route, created, 201);
      }
      case 'PUT':
      case 'PATCH': {
        if (name === undefined) throw methodNotAllowed();
        return this.#shown(request, route, this.#update(request, route, name, options), 200);
      }
      case 'DELETE':
        return this.#delete(request, route);
    }
  }

  #read(request: ServerRequest, { served, namespace, name }: ResourceRoute): ServerAnswer {
    const route = { served, namespace, name };
    if (name !== undefined) {
      return this.#shown(request, route, getObject(this.#state, served, namespace ?? '', name), 200);
    }
    const page = this.#lister.list(served, namespace, request.query);
    const body = tableWanted(request.headers['accept'])
      ? asTable(served, page, this.#state.clock.now(), request.query)
      : page;
    return { status: 200, headers: {}, body };
  }

  #update(
    request: ServerRequest,
    { served, namespace = '', subresource }: ResourceRoute,
    name: string,
    options: WriteOptions,
  ): StoredObject {
    const body = request.body ?? null;
    if (request.method === 'PUT') {
      requireJson(request.contentType);
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
    const change = (old: StoredObject): Json => apply(old as unknown as Json, body);
    const refuseUnknown = (result: Json, text: string): Refusal => invalidPatch(result)(text);
    const update = { served, namespace, name, subresource, change, refuseUnknown, isPut: false };
    return updateObject(this.#state, update, options);
  }

  #delete(request: ServerRequest, { served, namespace, name, subresource }: ResourceRoute): ServerAnswer {
    if (subresource !== undefined) throw methodNotAllowed();
    const options = deletionOptions(request.body, request.query);
    if (name !== undefined) {
      const result = deleteObject(this.#state, { served, namespace: namespace ?? '', name, ...options });
      return { status: 200, headers: {}, body: result };
    }
    if (served.kind.namespaced && namespace === undefined) throw methodNotAllowed();
    const selector = selectorOf(served, request.query);
    const objects = this.#state.store
      .list(served.kind, namespace)
      .filter((object) => selector?.(object) !== false);
    for (const { metadata } of objects) {
      deleteObject(this.#state, { served, namespace: namespace ?? '', name: metadata.name, ...options });
    }
    const page = this.#lister.list(served, namespace, { fieldSelector: 'metadata.name=' });
    return { status: 200, headers: {}, body: { ...page, items: objects } };
  }

  #shown(
    request: ServerRequest,
    { served }: Pick<ResourceRoute, 'served'>,
    object: StoredObject,
    status: number,
  ): ServerAnswer {
    if (!tableWanted(request.headers['accept'])) return { status, headers: {}, body: object };
    const page = {
      apiVersion: object.apiVersion,
      kind: `${object.kind}List`,
      metadata: { resourceVersion: object.metadata.resourceVersion ?? '' },
      items: [object],
    };
    return { status, headers: {}, body: asTable(served, page, this.#state.clock.now(), request.query) };
  }
}

/** kubectl writes a few built-in kinds as protobuf when it makes them without a file: never served here. */
function requireJson(contentType: string | undefined): void {
  if (contentType !== undefined && contentType !== 'application/json')
    throw unsupportedMediaType(['application/json']);
}

/** Custom resources take no strategic merge patch anywhere, in these words; server-side apply is not served (design: sandbox.md). */
function patchFor(contentType: string | undefined, isCustom: boolean): (old: Json, patch: Json) => Json {
  if (contentType === 'application/merge-patch+json') return mergePatch;
  if (contentType === 'application/json-patch+json') return jsonPatch;
  if (contentType === strategicType && !isCustom) return strategicPatch;
  throw unsupportedMediaType(patchTypes);
}

function writeOptions(query: Readonly<Record<string, string>>, warnings: string[]): WriteOptions {
  const dryRun = query['dryRun'] ?? '';
  if (dryRun !== '' && dryRun !== 'All') {
    throw invalid({ group: 'meta.k8s.io', kind: 'CreateOptions' }, '', [
      { type: 'FieldValueNotSupported', field: 'dryRun', value: [dryRun], detail: 'supported values: "All"' },
    ]);
  }
  // fact: apiserver field validation: what is not said is Warn.
  const wanted = query['fieldValidation'] ?? '';
  const fieldValidation = wanted === 'Strict' || wanted === 'Ignore' ? wanted : 'Warn';
  return { dryRun: dryRun === 'All', fieldValidation: fieldValidation satisfies FieldValidation, warnings };
}
