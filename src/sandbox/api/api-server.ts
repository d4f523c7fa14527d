import { customResourceDefinitions, namespaces, pods } from '../../api/kinds.ts';
import type { KubeObject, ResourceKind } from '../../api/meta.ts';
import { resourceName } from '../../api/meta.ts';
import type { Transport } from '../../kube/transport.ts';
import { TransportError } from '../../kube/transport.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Admission, ApiServer, Faults, Trace } from '../world.ts';
import { Collector } from './collector.ts';
import { createObject } from './creating.ts';
import { Documents } from './documents.ts';
import type { ServerAnswer, ServerRequest } from './exchange.ts';
import { refused } from './exchange.ts';
import { RequestHandler } from './handler.ts';
import { HttpsListener } from './https-listener.ts';
import { InProcessTransport } from './in-process-transport.ts';
import type { Json } from './json.ts';
import { servedKinds } from './kind-table.ts';
import type { PodResponder } from './pod-proxy.ts';
import { proxied } from './pod-proxy.ts';
import type { WatchClient } from './open-watch.ts';
import { OpenWatch } from './open-watch.ts';
import { notFound, Refusal } from './refusal.ts';
import { answerFault } from './request-faults.ts';
import type { Route } from './routes.ts';
import { routeOf } from './routes.ts';
import type { ServerState } from './server-state.ts';
import { internalWrite } from './server-state.ts';
import { Store, type StoreListener } from './store.ts';
import { subjectOf, targetOf } from './subjects.ts';
import { formOf } from './answer-form.ts';
import { checkListOptions } from './list-options.ts';
import { asTableLine } from './table.ts';
import type { WatchLine } from './watching.ts';
import { Watch } from './watching.ts';

export interface ApiServerOptions {
  readonly clock: Clock;
  /** In [0, 1), seeded: UIDs, generated names, the token. */
  readonly random: () => number;
  readonly faults: Faults;
  readonly trace: Trace;
  /** Every request goes into the trace, not only faults. */
  readonly traceRequests?: boolean;
}

export type WatchStart = { readonly watch: Disposable } | { readonly refused: ServerAnswer };

const gitVersion = 'v1.36.3';

/**
 * The sandbox's API server (design: sandbox.md, level one). A request is carried out in one go when it arrives: two requests never see
 * each other half done, and every wait is a promise that is settled without a timer.
 */
export class EmbeddedApiServer implements ApiServer {
  readonly #state: ServerState;
  readonly #admissions = new Map<string, Admission[]>();
  readonly #handler: RequestHandler;
  readonly #collector: Collector;
  readonly #trace: Trace;
  readonly #traceRequests: boolean;
  readonly #responders: PodResponder[] = [];
  readonly #openWatches = new Set<OpenWatch>();
  readonly #resources: Disposable[] = [];
  #listener: HttpsListener | undefined;

  constructor({ clock, random, faults, trace, traceRequests = false }: ApiServerOptions) {
    this.#state = {
      store: new Store(),
      kinds: servedKinds,
      clock,
      random,
      faults,
      admissions: this.#admissions,
    };
    this.#handler = new RequestHandler(this.#state, new Documents(servedKinds, gitVersion));
    this.#collector = new Collector(this.#state);
    this.#trace = trace;
    this.#traceRequests = traceRequests;
    this.#fill();
    // A watch cache begins where it was filled (fact: apiserver storage/cacher).
    this.#state.store.compact();
    for (const fault of ['api-outage', 'watch-cut', 'watch-gone'] as const) {
      this.#resources.push(faults.onStart(fault, () => this.#strikeOpenWatches()));
    }
  }

  transport(user: string): Transport {
    return new InProcessTransport(this, user);
  }

  async listen(options: { readonly port?: number } = {}): ReturnType<ApiServer['listen']> {
    this.#listener ??= await HttpsListener.start(this, {
      port: options.port ?? 0,
      random: this.#state.random,
      clock: this.#state.clock,
    });
    const { url, caPem, token } = this.#listener;
    return { url, caPem, token };
  }

  admit(kind: ResourceKind, admission: Admission): void {
    const key = resourceName(kind);
    this.#admissions.set(key, [...(this.#admissions.get(key) ?? []), admission]);
  }

  /** Who answers for pods behind the API server's proxy; the first that does not answer undefined is taken. */
  answerForPods(responder: PodResponder): Disposable {
    this.#responders.push(responder);
    return {
      [Symbol.dispose]: () => {
        const index = this.#responders.indexOf(responder);
        if (index >= 0) this.#responders.splice(index, 1);
      },
    };
  }

  /** Forgets the events so far, so that a watch from an older version is answered 410. */
  compact(): void {
    this.#state.store.compact();
  }

  /** Tells of every write of every kind, as it is stored: for tests that look at all that was ever there. Not copies: never to be changed. */
  onWrite(listener: StoreListener): Disposable {
    return this.#state.store.listen(undefined, listener);
  }

  /** Reads what is stored, for tests and for parts of the world that look without asking. Not a copy: never to be changed. */
  stored<T extends KubeObject>(
    kind: ResourceKind<T>,
    namespace: string | undefined,
    name: string,
  ): T | undefined {
    return this.#state.store.get(kind, namespace ?? '', name) as T | undefined;
  }

  /**
   * Carries out a request that is no watch. Throws TransportError where a fault takes the connection away, before or after the effect.
   */
  async answer(request: ServerRequest): Promise<ServerAnswer> {
    let route: Route;
    try {
      route = routeOf(this.#state.kinds, request.path);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return refused(error);
    }
    const subject = subjectOf(request, route);
    const fault = answerFault(this.#state.faults, request, subject);
    const answer = fault ?? (await this.#carryOut(request, route));
    this.#note(request, subject, route, answer.status);
    if (fault === undefined && this.#state.faults.strikes('api-answer-lost', subject)) {
      throw new TransportError(
        'ConnectionLost',
        `${subject}: the connection was lost before the answer came`,
      );
    }
    return answer;
  }

  /** Begins a watch, or says why not. Throws TransportError like `answer`. */
  watch(request: ServerRequest, client: WatchClient): WatchStart {
    try {
      const route = routeOf(this.#state.kinds, request.path);
      if (route.to !== 'resource') throw notFound(pods, request.path);
      const subject = subjectOf(request, route);
      const fault = answerFault(this.#state.faults, request, subject);
      this.#note(request, subject, route, fault?.status ?? 200);
      if (fault !== undefined) return { refused: fault };
      return { watch: this.#open(request, route, subject, client) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { refused: refused(error) };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const open of [...this.#openWatches]) open.end();
    for (const resource of this.#resources) resource[Symbol.dispose]();
    this.#collector[Symbol.dispose]();
    await this.#listener?.[Symbol.asyncDispose]();
  }

  #carryOut(request: ServerRequest, route: Route): ServerAnswer | Promise<ServerAnswer> {
    return route.to === 'podProxy'
      ? proxied(this.#state.store, this.#responders, request, route)
      : this.#handler.handle(request, route);
  }

  #open(
    request: ServerRequest,
    route: Extract<Route, { to: 'resource' }>,
    subject: string,
    client: WatchClient,
  ): Disposable {
    const { served, namespace, name } = route;
    const wantsTable = formOf(request.headers['accept']) === 'table';
    checkListOptions(request.query);
    let isFirst = true;
    const shown = (line: WatchLine): WatchLine => {
      if (!wantsTable) return line;
      const first = isFirst;
      isFirst = false;
      return asTableLine(served, line, this.#state.clock.now(), request.query, first);
    };
    const open = new OpenWatch(subject, this.#state.faults, client, shown, () =>
      this.#openWatches.delete(open),
    );
    this.#openWatches.add(open);
    const query =
      name === undefined ? request.query : { ...request.query, fieldSelector: `metadata.name=${name}` };
    try {
      open.start((sink) => new Watch(this.#state, served, namespace, query, sink));
    } catch (error) {
      this.#openWatches.delete(open);
      throw error;
    }
    if (query['resourceVersion'] !== undefined) open.expireOnFault();
    return open;
  }

  #strikeOpenWatches(): void {
    for (const open of [...this.#openWatches]) open.strike();
  }

  #note(request: ServerRequest, subject: string, route: Route, status: number): void {
    if (!this.#traceRequests) return;
    this.#trace.add({
      who: request.user,
      what: subject.split(' ')[0] ?? '',
      on: targetOf(route),
      ...(status >= 400 && { detail: String(status) }),
    });
  }

  /** What is there before anyone has done anything: namespaces, and the definitions of the custom kinds. */
  #fill(): void {
    const { kinds } = this.#state;
    for (const name of ['default', 'kube-system']) {
      const body: Json = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
      createObject(this.#state, kinds.of(namespaces), '', body, internalWrite());
    }
    for (const { definition } of kinds.all) {
      if (definition === undefined) continue;
      const body = definition as unknown as Json;
      createObject(this.#state, kinds.of(customResourceDefinitions), '', body, internalWrite());
    }
  }
}
