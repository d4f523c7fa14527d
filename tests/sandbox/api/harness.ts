import type { JsonPatch, ResourceKind } from '../../../src/api/meta.ts';
import { apiVersionOf } from '../../../src/api/meta.ts';
import { collectionPath } from '../../../src/kube/resource-path.ts';
import type { ApiStream, ContentType, HttpMethod, Transport } from '../../../src/kube/transport.ts';
import { contentTypes } from '../../../src/kube/transport.ts';
import { EmbeddedApiServer } from '../../../src/sandbox/api/api-server.ts';
import { SwitchedFaults } from '../../../src/sandbox/faults.ts';
import { SimulatedClock } from '../../../src/sandbox/simulated-clock.ts';
import { RecordedTrace } from '../../../src/sandbox/trace.ts';

/** What a test writes. */
export type Input = Readonly<Record<string, unknown>>;

interface Meta {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly deletionTimestamp?: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly object[];
}

/** An object, a list or a Status, read without ceremony: a test looks only at what it knows to be there. */
export interface Body {
  readonly kind: string;
  readonly message: string;
  readonly details: unknown;
  readonly metadata: Meta;
  readonly spec: Input;
  readonly status: Input;
  readonly data: Record<string, string>;
  readonly stringData?: unknown;
  readonly items: readonly Body[];
}

export interface Answer {
  readonly status: number;
  readonly body: Body;
  readonly headers: Readonly<Record<string, string>>;
}

export const startMs = Date.UTC(2026, 0, 1);

/** A small generator with a seed, so that a failing test fails again. */
export function seeded(seed = 1): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A server on simulated time, and short words for its requests. */
export class Harness implements AsyncDisposable {
  readonly clock = new SimulatedClock({ start: startMs });
  readonly trace = new RecordedTrace(this.clock);
  readonly faults = new SwitchedFaults(this.trace);
  readonly api: EmbeddedApiServer;
  readonly transport: Transport;

  constructor(options: { readonly seed?: number; readonly traceRequests?: boolean } = {}) {
    this.api = new EmbeddedApiServer({
      clock: this.clock,
      random: seeded(options.seed),
      faults: this.faults,
      trace: this.trace,
      traceRequests: options.traceRequests ?? false,
    });
    this.transport = this.api.transport('test');
  }

  async call(
    method: HttpMethod,
    path: string,
    options: {
      readonly query?: Record<string, string>;
      readonly body?: unknown;
      readonly contentType?: string;
      readonly accept?: string;
    } = {},
  ): Promise<Answer> {
    const { query, body, contentType, accept } = options;
    const answer = await this.transport.request({
      method,
      path,
      ...(query !== undefined && { query }),
      ...(body !== undefined && { body }),
      ...(contentType !== undefined && { contentType: contentType as ContentType }),
      ...(accept !== undefined && { headers: { accept } }),
    });
    return { ...answer, body: answer.body as Body };
  }

  create(kind: ResourceKind, object: Input, query?: Record<string, string>): Promise<Answer> {
    const namespace = kind.namespaced
      ? ((object['metadata'] as { namespace?: string }).namespace ?? 'default')
      : undefined;
    const body = { apiVersion: apiVersionOf(kind), kind: kind.kind, ...object };
    return this.call('POST', collectionPath(kind, namespace), {
      body,
      ...(query !== undefined && { query }),
    });
  }

  get(kind: ResourceKind, name: string, namespace = 'default'): Promise<Answer> {
    return this.call('GET', this.path(kind, name, namespace));
  }

  merge(kind: ResourceKind, name: string, body: unknown, query?: Record<string, string>): Promise<Answer> {
    return this.call('PATCH', this.path(kind, name), {
      body,
      contentType: contentTypes.mergePatch,
      ...(query !== undefined && { query }),
    });
  }

  mergeStatus(kind: ResourceKind, name: string, status: unknown): Promise<Answer> {
    return this.call('PATCH', `${this.path(kind, name)}/status`, {
      body: { status },
      contentType: contentTypes.mergePatch,
    });
  }

  jsonPatch(kind: ResourceKind, name: string, body: JsonPatch): Promise<Answer> {
    return this.call('PATCH', this.path(kind, name), { body, contentType: contentTypes.jsonPatch });
  }

  delete(kind: ResourceKind, name: string, options?: Input, namespace = 'default'): Promise<Answer> {
    return this.call(
      'DELETE',
      this.path(kind, name, namespace),
      options === undefined ? {} : { body: options },
    );
  }

  path(kind: ResourceKind, name: string, namespace = 'default'): string {
    return `${collectionPath(kind, kind.namespaced ? namespace : undefined)}/${name}`;
  }

  async watch(kind: ResourceKind, query: Record<string, string> = {}): Promise<WatchReader> {
    const abort = new AbortController();
    const path = collectionPath(kind, kind.namespaced ? 'default' : undefined);
    const stream = await this.transport.stream(
      { method: 'GET', path, query: { watch: 'true', ...query } },
      abort.signal,
    );
    return new WatchReader(stream, abort);
  }

  /** Lets everything happen that was set off; no time passes. */
  settle(): Promise<void> {
    return this.clock.advance(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.api[Symbol.asyncDispose]();
  }
}

export interface WatchLine {
  readonly type: string;
  readonly object: Body;
}

/** Collects the lines of a watch as they come. */
export class WatchReader {
  readonly stream: ApiStream;
  readonly abort: AbortController;
  readonly lines: WatchLine[] = [];
  /** 'open', 'ended', or the error that broke it. */
  state: unknown = 'open';

  constructor(stream: ApiStream, abort: AbortController) {
    this.stream = stream;
    this.abort = abort;
    void this.#read();
  }

  /** "ADDED a", "DELETED a"... of all lines so far. */
  get seen(): readonly string[] {
    return this.lines.map(({ type, object }) => `${type} ${object.metadata.name}`);
  }

  async #read(): Promise<void> {
    try {
      for await (const line of this.stream.lines) this.lines.push(line as WatchLine);
      this.state = 'ended';
    } catch (error) {
      this.state = error;
    }
  }
}

interface More {
  readonly metadata?: Input;
  readonly spec?: Input;
}

export const configMap = (name: string, more: More = {}): Input => ({
  metadata: { name, ...more.metadata },
  data: { a: '1' },
});

export const planSpec = {
  provider: {
    source: { name: 'vc', namespace: 'default' },
    destination: { name: 'host', namespace: 'default' },
  },
  map: { network: { name: 'net' }, storage: { name: 'sto' } },
  targetNamespace: 'default',
  vms: [{ name: 'web' }],
};
export const plan = (name: string, spec: Input = {}, metadata: Input = {}): Input => ({
  metadata: { name, ...metadata },
  spec: { ...planSpec, ...spec },
});

export const dataVolume = (name: string, more: More = {}): Input => ({
  metadata: { name, ...more.metadata },
  spec: { source: { blank: {} }, storage: { resources: { requests: { storage: '1Gi' } } }, ...more.spec },
});

export const pod = (name: string, spec: Input = {}, metadata: Input = {}): Input => ({
  metadata: { name, ...metadata },
  spec: { containers: [{ name: 'c' }], ...spec },
});

export const claim = (name: string, storage = '1Gi', more: More = {}): Input => ({
  metadata: { name, ...more.metadata },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } }, ...more.spec },
});
