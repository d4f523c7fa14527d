import { createControllers } from '../../src/controllers/controllers.ts';
import type { AtBoundary } from '../../src/controllers/import/boundary.ts';
import { createKubeClient } from '../../src/kube/rest-client.ts';
import type { ApiResponse, Transport } from '../../src/kube/transport.ts';
import type { EngineSettings } from '../../src/migration/settings.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/log.ts';
import { mortalEndpoint, mortalTransport } from '../../src/sandbox/mortal.ts';
import type { SourceRegistry } from '../../src/sources/registry.ts';
import type { SourceDeps } from '../../src/sources/source.ts';

/**
 * A request that writes, as "POST /api/v1/namespaces/migrated/secrets". What it throws is what the controller meets: before, the request
 * never arrived; after, its answer was lost.
 */
export type AtWrite = (when: 'before' | 'after', what: string) => void | Promise<void>;

/** An answer in place of the server's, which then never sees the request; undefined: none. */
export type AnswerWrite = (what: string) => ApiResponse | undefined;

/** One run of the controller process: what is started, stopped in good order, or killed between two lines. */
export interface ControllerInstance {
  /** Ends in good order. */
  stop(): Promise<void>;
  /** Ends at once: nothing it does from here on has an effect, whatever it is in the middle of. */
  kill(): void;
  /** Rejects when the process would have ended by itself. */
  readonly ended: Promise<void>;
  /** Requests so far, "verb plural". */
  readonly requests: readonly string[];
}

export interface ControllerOptions {
  readonly atBoundary?: (instance: ControllerInstance) => AtBoundary;
  /** Called before and after each request that writes, "create secrets"; may kill, and never return. */
  readonly atWrite?: (instance: ControllerInstance) => AtWrite;
  readonly answerWrite?: AnswerWrite;
  readonly settings?: Partial<EngineSettings>;
}

/** What a world gives to a controller that runs in it. */
export interface ControllerParts {
  readonly transport: Transport;
  readonly connect: SourceDeps['connect'];
  readonly sources: SourceRegistry;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly settings: EngineSettings;
}

export function startInstance(parts: ControllerParts, options: ControllerOptions): ControllerInstance {
  const { clock, random, log, sources } = parts;
  const end = new AbortController();
  const requests: string[] = [];
  const life = { isDead: false };
  let atWrite: AtWrite = () => undefined;
  // Those who are told may kill: what they let through still asks whether the process lives.
  const transport = toldOfWrites(
    mortalTransport(parts.transport, life),
    (when, what) => atWrite(when, what),
    options.answerWrite,
  );
  const client = createKubeClient(transport, {
    clock,
    random,
    onRequest: ({ verb, resource }) => requests.push(`${verb} ${resource}`),
  });
  let run: Promise<void> = Promise.resolve();
  const instance: ControllerInstance = {
    requests,
    get ended() {
      return run;
    },
    async stop() {
      end.abort(new Error('stopped by the test'));
      await run;
    },
    kill() {
      life.isDead = true;
      end.abort(new Error('killed by the test'));
    },
  };
  if (options.atWrite !== undefined) atWrite = options.atWrite(instance);
  const { manager } = createControllers({
    client,
    clock,
    random,
    log,
    settings: { ...parts.settings, ...options.settings },
    platformOf: (type) => sources.platform(type),
    connect: (url, trust) => mortalEndpoint(parts.connect(url, trust), life),
    version: 'test',
    ...(options.atBoundary !== undefined && { atBoundary: options.atBoundary(instance) }),
  });
  run = manager.run(end.signal);
  run.catch(() => undefined);
  return instance;
}

/** Tells of each request that writes, before it is sent and when its answer is there. */
function toldOfWrites(
  transport: Transport,
  atWrite: AtWrite,
  answerWrite: AnswerWrite | undefined,
): Transport {
  return {
    async request(request, signal) {
      if (request.method === 'GET' || request.query?.['dryRun'] !== undefined)
        return transport.request(request, signal);
      const what = `${request.method} ${request.path}`;
      await atWrite('before', what);
      const instead = answerWrite?.(what);
      if (instead !== undefined) return instead;
      const answer = await transport.request(request, signal);
      await atWrite('after', what);
      return answer;
    },
    stream: (request, signal) => transport.stream(request, signal),
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
}
