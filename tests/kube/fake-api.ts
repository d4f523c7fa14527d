import type { JsonPatch, KubeObject, ResourceKind, Stored } from '../../src/api/meta.ts';
import { applyMerge, isEqualJson } from '../../src/kube/merge-patch.ts';
import type { ApiRequest, ApiResponse, ApiStream, Transport } from '../../src/kube/transport.ts';
import { contentTypes } from '../../src/kube/transport.ts';

export interface Widget extends KubeObject {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}
export const widgets: ResourceKind<Widget> = {
  group: 'example.org',
  version: 'v1',
  kind: 'Widget',
  plural: 'widgets',
  namespaced: true,
  hasStatus: true,
};

export function widget(name: string, fields: Partial<Omit<Widget, 'kind'>> = {}): Widget {
  return {
    apiVersion: 'example.org/v1',
    kind: 'Widget',
    ...fields,
    metadata: { name, namespace: 'ns', ...fields.metadata },
  };
}

interface LogEntry {
  readonly version: number;
  readonly collection: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: Stored<KubeObject>;
}
type Document = Readonly<Record<string, unknown>>;

/**
 * An API server in a hundred lines, for tests of the client side: objects by path, one version counter, a log that watches read, and
 * faults on demand. It answers what a real server answers (research: Kubernetes API conventions), no more.
 */
export class FakeApi implements Transport {
  readonly requests: ApiRequest[] = [];
  version = 100;
  /** Versions up to here are compacted: a watch from before them is answered 410. */
  compacted = 0;
  readonly #objects = new Map<string, Stored<KubeObject>>();
  #log: LogEntry[] = [];
  readonly #watches = new Set<Watch>();
  readonly #faults: { readonly matches: (request: ApiRequest) => boolean; readonly answer: Fault }[] = [];

  /** The next request that matches is answered by `answer` and has no effect; an Error is thrown, as a transport does. */
  failNext(answer: Fault, matches: (request: ApiRequest) => boolean = () => true): void {
    this.#faults.push({ matches, answer });
  }

  get watchCount(): number {
    return this.#watches.size;
  }

  /** Ends all watches: cleanly, by an error of the connection, or by an ERROR event. */
  endWatches(how?: Error | Document): void {
    for (const watch of [...this.#watches]) {
      if (how === undefined || how instanceof Error) watch.end(how);
      else {
        watch.push({ type: 'ERROR', object: how });
        watch.end();
      }
    }
  }

  bookmark(): void {
    for (const watch of this.#watches) {
      const metadata = { resourceVersion: String(this.version) };
      watch.push({ type: 'BOOKMARK', object: { kind: 'Widget', apiVersion: 'example.org/v1', metadata } });
    }
  }

  request(request: ApiRequest, signal?: AbortSignal): Promise<ApiResponse> {
    this.requests.push(request);
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const fault = this.#takeFault(request);
    if (fault instanceof Error) return Promise.reject(fault);
    const [status, body] = fault ?? this.#handle(request);
    const headers: Record<string, string> = fault?.[2] ?? {};
    return Promise.resolve({ status, headers, body: structuredClone(body) });
  }

  stream(request: ApiRequest, signal: AbortSignal): Promise<ApiStream> {
    this.requests.push(request);
    const fault = this.#takeFault(request);
    if (fault instanceof Error) return Promise.reject(fault);
    const from = Number(request.query?.['resourceVersion']);
    const refusal = fault ?? (from < this.compacted ? statusBody(410, 'Expired', 'too old') : undefined);
    const watch = new Watch(request, (ended) => this.#watches.delete(ended));
    if (refusal !== undefined) {
      watch.push(refusal[1]);
      watch.end();
      return Promise.resolve({ status: refusal[0], headers: refusal[2] ?? {}, lines: watch });
    }
    this.#watches.add(watch);
    signal.addEventListener('abort', () => watch.end(signal.reason as Error), { once: true });
    for (const entry of this.#log) if (entry.version > from) watch.offer(entry);
    return Promise.resolve({ status: 200, headers: {}, lines: watch });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.endWatches();
    await Promise.resolve();
  }

  /** A change by someone else. */
  put(object: KubeObject, collection = '/apis/example.org/v1/namespaces/ns/widgets'): Stored<KubeObject> {
    const path = `${collection}/${object.metadata.name}`;
    const held = this.#objects.get(path);
    return this.#store(path, object, held === undefined ? 'ADDED' : 'MODIFIED');
  }

  find(
    name: string,
    collection = '/apis/example.org/v1/namespaces/ns/widgets',
  ): Stored<KubeObject> | undefined {
    return this.#objects.get(`${collection}/${name}`);
  }

  remove(name: string, collection = '/apis/example.org/v1/namespaces/ns/widgets'): void {
    this.#delete(`${collection}/${name}`);
  }

  #takeFault(request: ApiRequest): Fault | undefined {
    const at = this.#faults.findIndex((fault) => fault.matches(request));
    return at === -1 ? undefined : this.#faults.splice(at, 1)[0]?.answer;
  }

  #handle(request: ApiRequest): Answer {
    const { method, path } = request;
    if (path === '/version') return [200, { gitVersion: 'v1.35.0' }];
    if (method === 'POST') return this.#create(request);
    const target = path.replace(/\/status$/, '');
    const held = this.#objects.get(target);
    if (method === 'GET' && this.#isCollection(target)) return this.#list(request);
    if (held === undefined) return statusBody(404, 'NotFound', `${target} not found`);
    if (method === 'GET') return [200, held];
    if (method === 'DELETE') {
      const uid = (request.body as { preconditions?: { uid?: string } }).preconditions?.uid;
      if (uid !== undefined && uid !== held.metadata.uid) return statusBody(409, 'Conflict', 'uid differs');
      return [200, this.#delete(target)];
    }
    return this.#patch(target, held, request);
  }

  #isCollection(path: string): boolean {
    return path.endsWith('/widgets') || path.endsWith('/events') || path.endsWith('/leases');
  }

  #list(request: ApiRequest): Answer {
    const { limit, continue: token, labelSelector } = request.query ?? {};
    const [version = String(this.version), startText = '0'] = token?.split('/') ?? [];
    if (Number(version) < this.compacted) return statusBody(410, 'Expired', 'the continue token expired');
    const all = [...this.#objects]
      .filter(([path]) => inCollection(path, request.path))
      .map(([, object]) => object)
      .filter((object) => matches(object, labelSelector));
    const start = Number(startText);
    const end = limit === undefined ? all.length : start + Number(limit);
    const more = end < all.length ? { continue: `${version}/${end}` } : {};
    const items = all.slice(start, end).map(({ metadata, ...rest }) => {
      // As a server does with the items of a built-in kind.
      const { apiVersion: _a, kind: _k, ...fields } = rest;
      return { metadata, ...fields };
    });
    return [200, { kind: 'List', metadata: { resourceVersion: version, ...more }, items }];
  }

  #create(request: ApiRequest): Answer {
    const object = request.body as KubeObject;
    const path = `${request.path}/${object.metadata.name}`;
    if (this.#objects.has(path)) return statusBody(409, 'AlreadyExists', `${path} already exists`);
    if (request.query?.['dryRun'] === 'All') return [201, object];
    return [201, this.#store(path, object, 'ADDED')];
  }

  #patch(path: string, held: Stored<KubeObject>, request: ApiRequest): Answer {
    const isMerge = request.contentType === contentTypes.mergePatch;
    const patched = isMerge
      ? applyMerge(held, request.body)
      : applyJsonPatch(held, request.body as JsonPatch);
    if (patched === undefined)
      return statusBody(422, 'Invalid', 'the server rejected our request: test failed');
    const { metadata } = patched as KubeObject;
    if (isMerge && metadata.resourceVersion !== held.metadata.resourceVersion) {
      return statusBody(409, 'Conflict', 'the object has been modified');
    }
    if (isEqualJson(patched, held)) return [200, held];
    if (metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).length === 0) {
      this.#store(path, patched as KubeObject, 'MODIFIED');
      return [200, this.#delete(path)];
    }
    return [200, this.#store(path, patched as KubeObject, 'MODIFIED')];
  }

  #store(path: string, object: KubeObject, type: 'ADDED' | 'MODIFIED'): Stored<KubeObject> {
    this.version += 1;
    const held = this.#objects.get(path);
    const stored: Stored<KubeObject> = structuredClone({
      ...object,
      metadata: {
        creationTimestamp: '2026-01-01T00:00:00Z',
        uid: `uid-${this.version}`,
        ...(held && { uid: held.metadata.uid }),
        ...object.metadata,
        resourceVersion: String(this.version),
      },
    });
    this.#objects.set(path, stored);
    this.#emit({
      version: this.version,
      collection: path.slice(0, path.lastIndexOf('/')),
      type,
      object: stored,
    });
    return stored;
  }

  #delete(path: string): Stored<KubeObject> | undefined {
    const held = this.#objects.get(path);
    if (held === undefined) return undefined;
    this.version += 1;
    this.#objects.delete(path);
    const object = { ...held, metadata: { ...held.metadata, resourceVersion: String(this.version) } };
    const collection = path.slice(0, path.lastIndexOf('/'));
    this.#emit({ version: this.version, collection, type: 'DELETED', object });
    return object;
  }

  #emit(entry: LogEntry): void {
    this.#log = [...this.#log, entry];
    for (const watch of this.#watches) watch.offer(entry);
  }
}

type Answer = readonly [status: number, body: unknown, headers?: Record<string, string>];
export type Fault = Answer | Error;

export function statusBody(code: number, reason: string, message: string): Answer {
  return [code, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message }];
}

/** All namespaces' widgets live at ".../v1/widgets", one namespace's at ".../v1/namespaces/ns/widgets". */
function inCollection(path: string, collection: string): boolean {
  const parent = path.slice(0, path.lastIndexOf('/'));
  return parent === collection || parent.replace(/\/namespaces\/[^/]+/, '') === collection;
}

function matches(object: KubeObject, labelSelector: string | undefined): boolean {
  return labelSelector === undefined || object.metadata.labels?.[labelSelector] !== undefined;
}

function applyJsonPatch(target: KubeObject, patch: JsonPatch): unknown {
  const result: unknown = structuredClone(target);
  for (const step of patch) {
    const tokens = step.path
      .slice(1)
      .split('/')
      .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = tokens.pop() ?? '';
    let parent = result as Record<string, unknown>;
    for (const token of tokens) parent = parent[token] as Record<string, unknown>;
    if (step.op === 'test') {
      if (!isEqualJson(parent[last], step.value)) return undefined;
    } else if (step.op === 'remove') {
      if (Array.isArray(parent)) parent.splice(Number(last), 1);
      else Reflect.deleteProperty(parent, last);
    } else if (Array.isArray(parent) && last === '-') parent.push(step.value);
    else parent[last] = step.value;
  }
  return result;
}

/** One open watch: a queue of lines that its reader takes from. */
class Watch implements AsyncIterable<unknown> {
  readonly #request: ApiRequest;
  readonly #onEnd: (watch: Watch) => void;
  readonly #lines: unknown[] = [];
  #ended = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(request: ApiRequest, onEnd: (watch: Watch) => void) {
    this.#request = request;
    this.#onEnd = onEnd;
  }

  offer(entry: LogEntry): void {
    if (!inCollection(`${entry.collection}/x`, this.#request.path)) return;
    if (!matches(entry.object, this.#request.query?.['labelSelector'])) return;
    this.push({ type: entry.type, object: entry.object });
  }

  push(line: unknown): void {
    this.#lines.push(structuredClone(line));
    this.#wake?.();
  }

  end(error?: Error): void {
    this.#ended = true;
    this.#error ??= error;
    this.#onEnd(this);
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<unknown, void, undefined> {
    for (;;) {
      while (this.#lines.length > 0) yield this.#lines.shift();
      if (this.#ended) {
        if (this.#error !== undefined) throw this.#error;
        return;
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
