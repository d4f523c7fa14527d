import type { JsonPatch, KubeObject, ResourceKind, Stored } from '../api/meta.ts';
import { apiVersionOf, resourceName } from '../api/meta.ts';
import type {
  CreateOptions,
  DeleteOptions,
  KubeClient,
  ListOptions,
  ObjectKey,
  ObjectList,
  PatchOptions,
  WatchEvent,
  WatchOptions,
} from './client.ts';
import { isKubeError } from './errors.ts';
import { LinkedAbort } from './linked-abort.ts';
import { keyString } from './object-key.ts';
import type { Attempt, RequestDeps } from './request-sender.ts';
import { RequestSender, asKubeError, attemptOn, attemptOnAll, isSuccess } from './request-sender.ts';
import { collectionPath, objectPath } from './resource-path.ts';
import { isStatusObject } from './status-to-error.ts';
import type { ApiRequest, ApiResponse, ContentType, Transport } from './transport.ts';
import { contentTypes } from './transport.ts';
import { readWatchEvents } from './watch-events.ts';

/** A page of a list: large enough for few round trips, small enough that one page's parsing does not hold up the process. */
const pageSize = 500;
/** Times a list starts anew because its `continue` token expired; the last time it asks for everything at once. */
const listRestarts = 2;

/** A KubeClient over any Transport. The client owns nothing: whoever made the transport disposes of it. */
export function createKubeClient(transport: Transport, deps: RequestDeps): KubeClient {
  return new RestClient(new RequestSender(transport, deps));
}

class RestClient implements KubeClient {
  readonly #sender: RequestSender;

  constructor(sender: RequestSender) {
    this.#sender = sender;
  }

  async get<T extends KubeObject>(
    kind: ResourceKind<T>,
    at: ObjectKey,
    signal?: AbortSignal,
  ): Promise<Stored<T> | undefined> {
    const request: ApiRequest = { method: 'GET', path: objectPath(kind, at) };
    try {
      const response = await this.#sender.send(attemptOn('get', kind, at), request, signal);
      return response.body as Stored<T>;
    } catch (error) {
      if (isKubeError(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  async list<T extends KubeObject>(
    kind: ResourceKind<T>,
    options: ListOptions = {},
    signal?: AbortSignal,
  ): Promise<ObjectList<T>> {
    for (let restarts = 0; ; restarts += 1) {
      try {
        return await this.#listPages(kind, options, restarts < listRestarts, signal);
      } catch (error) {
        if (!isKubeError(error, 'Gone') || restarts >= listRestarts) throw error;
      }
    }
  }

  async *watch<T extends KubeObject>(
    kind: ResourceKind<T>,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<T>> {
    const attempt = attemptOnAll('watch', kind, options.namespace);
    const request: ApiRequest = {
      method: 'GET',
      path: collectionPath(kind, options.namespace),
      query: {
        ...selectors(options),
        watch: '1',
        allowWatchBookmarks: 'true',
        resourceVersion: options.resourceVersion,
        ...(options.timeoutSeconds !== undefined && { timeoutSeconds: String(options.timeoutSeconds) }),
      },
    };
    // A consumer that leaves the loop must not leave the connection behind.
    using abort = new LinkedAbort(signal);
    try {
      const stream = await this.#sender.open(attempt, request, abort.signal);
      yield* readWatchEvents<T>(attempt.words, stream);
    } catch (error) {
      throw asKubeError(error, attempt);
    } finally {
      abort.abort(new Error('watch left'));
    }
  }

  async create<T extends KubeObject>(
    kind: ResourceKind<T>,
    object: T,
    options: CreateOptions = {},
    signal?: AbortSignal,
  ): Promise<Stored<T>> {
    const { namespace } = object.metadata;
    if (kind.namespaced && namespace === undefined) {
      throw new TypeError(`create ${resourceName(kind)} ${object.metadata.name}: a namespace is needed`);
    }
    const request: ApiRequest = {
      method: 'POST',
      path: collectionPath(kind, namespace),
      query: options.dryRun === true ? { dryRun: 'All' } : {},
      contentType: contentTypes.json,
      body: object,
    };
    const response = await this.#sender.send(attemptOn('create', kind, object.metadata), request, signal);
    return response.body as Stored<T>;
  }

  mergePatch<T extends KubeObject>(
    kind: ResourceKind<T>,
    at: ObjectKey,
    patch: object,
    options?: PatchOptions,
    signal?: AbortSignal,
  ): Promise<Stored<T>> {
    return this.#patch(kind, at, contentTypes.mergePatch, patch, options, signal);
  }

  jsonPatch<T extends KubeObject>(
    kind: ResourceKind<T>,
    at: ObjectKey,
    patch: JsonPatch,
    options?: PatchOptions,
    signal?: AbortSignal,
  ): Promise<Stored<T>> {
    return this.#patch(kind, at, contentTypes.jsonPatch, patch, options, signal);
  }

  async delete(
    kind: ResourceKind,
    at: ObjectKey,
    options: DeleteOptions = {},
    signal?: AbortSignal,
  ): Promise<boolean> {
    const request: ApiRequest = {
      method: 'DELETE',
      path: objectPath(kind, at),
      contentType: contentTypes.json,
      body: {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        ...(options.uid !== undefined && { preconditions: { uid: options.uid } }),
        ...(options.propagation !== undefined && { propagationPolicy: options.propagation }),
        ...(options.gracePeriodSeconds !== undefined && { gracePeriodSeconds: options.gracePeriodSeconds }),
      },
    };
    try {
      await this.#sender.send(attemptOn('delete', kind, at), request, signal);
      return true;
    } catch (error) {
      if (isKubeError(error, 'NotFound')) return false;
      throw error;
    }
  }

  async podProxy(
    at: ObjectKey,
    port: number,
    path: string,
    method: 'GET' | 'POST',
    signal?: AbortSignal,
  ): Promise<{ readonly status: number; readonly body: string }> {
    if (at.namespace === undefined) throw new TypeError(`pod proxy ${at.name}: a namespace is needed`);
    const pod = `${encodeURIComponent(at.name)}:${port}`;
    const request: ApiRequest = {
      method,
      path: `/api/v1/namespaces/${encodeURIComponent(at.namespace)}/pods/${pod}/proxy/${path.replace(/^\//, '')}`,
    };
    const words = `${method} ${path} of pod ${keyString(at)} port ${port}`;
    const attempt: Attempt = { verb: 'proxy', resource: 'pods', words };
    // A status of the pod's own belongs to the caller; a Status object is the API server saying that it never reached the pod.
    const answer = (response: ApiResponse): boolean => isSuccess(response) || !isStatusObject(response.body);
    const { status, body } = await this.#sender.send(attempt, request, signal, answer);
    return { status, body: typeof body === 'string' ? body : JSON.stringify(body) };
  }

  async version(signal?: AbortSignal): Promise<{ readonly gitVersion: string }> {
    const attempt: Attempt = { verb: 'version', resource: '', words: 'read the server version' };
    const { body } = await this.#sender.send(attempt, { method: 'GET', path: '/version' }, signal);
    return body as { readonly gitVersion: string };
  }

  async #patch<T extends KubeObject>(
    kind: ResourceKind<T>,
    at: ObjectKey,
    contentType: ContentType,
    body: object,
    options: PatchOptions = {},
    signal: AbortSignal | undefined,
  ): Promise<Stored<T>> {
    const subresource = options.subresource === undefined ? '' : `/${options.subresource}`;
    const request: ApiRequest = {
      method: 'PATCH',
      path: `${objectPath(kind, at)}${subresource}`,
      contentType,
      body,
    };
    const response = await this.#sender.send(attemptOn('patch', kind, at, subresource), request, signal);
    return response.body as Stored<T>;
  }

  async #listPages<T extends KubeObject>(
    kind: ResourceKind<T>,
    options: ListOptions,
    paged: boolean,
    signal: AbortSignal | undefined,
  ): Promise<ObjectList<T>> {
    const attempt = attemptOnAll('list', kind, options.namespace);
    const path = collectionPath(kind, options.namespace);
    const items: Stored<T>[] = [];
    let token = '';
    for (;;) {
      const query: Readonly<Record<string, string>> = {
        ...selectors(options),
        ...(paged && { limit: String(pageSize) }),
        ...(token !== '' && { continue: token }),
      };
      const response = await this.#sender.send(attempt, { method: 'GET', path, query }, signal);
      const page = response.body as ListBody<T>;
      for (const item of page.items ?? []) items.push(withTypeMeta(item, kind));
      // All pages of one list carry the resourceVersion of its first: the list is one consistent state.
      token = page.metadata.continue ?? '';
      if (token === '') return { items, resourceVersion: page.metadata.resourceVersion };
    }
  }
}

interface ListBody<T extends KubeObject> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  /** Go writes an empty slice that was never made as null. */
  readonly items: readonly Stored<T>[] | null;
}

/** API servers leave apiVersion and kind out of the items of a built-in kind's list. */
function withTypeMeta<T extends KubeObject>(item: Stored<T>, kind: ResourceKind<T>): Stored<T> {
  const { apiVersion, kind: name } = item as Partial<KubeObject>;
  if (apiVersion !== undefined && name !== undefined) return item;
  return { ...item, apiVersion: apiVersionOf(kind), kind: kind.kind };
}

function selectors(options: ListOptions): Readonly<Record<string, string>> {
  return {
    ...(options.labelSelector !== undefined && { labelSelector: options.labelSelector }),
    ...(options.fieldSelector !== undefined && { fieldSelector: options.fieldSelector }),
  };
}
