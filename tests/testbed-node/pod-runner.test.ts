import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { namespaces, pods, secrets } from '../../src/api/kinds.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { createKubeClient } from '../../src/kube/rest-client.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { RecordingLogger } from '../../src/runtime/recording-logger.ts';
import { EmbeddedApiServer } from '../../src/sandbox/api/api-server.ts';
import { SwitchedFaults } from '../../src/sandbox/faults.ts';
import { seededRandom } from '../../src/sandbox/random.ts';
import { RecordedTrace } from '../../src/sandbox/trace.ts';
import type { Image, NodeProgram } from '../../hack/testbed/node/images.ts';
import { imageTable } from '../../hack/testbed/node/images.ts';
import type { NodeContainerStatus, NodePod, NodePodSpec } from '../../hack/testbed/node/node-pod.ts';
import { nodePods } from '../../hack/testbed/node/node-pod.ts';
import type { NodeAgent } from '../../hack/testbed/node/pod-runner.ts';
import { evictAnnotation, startPodRunner } from '../../hack/testbed/node/pod-runner.ts';
import { container, namespace } from './pods.ts';

/** A pod runner on the embedded API server, with programs of this process in place of images. */
const clock = new SystemClock();
const backoffScale = 0.002;
let folder: string;
let api: EmbeddedApiServer;
let client: KubeClient;
let networks: Set<string>;
let log: RecordingLogger;
let programs: Record<string, Image>;
let beforeBinding: () => Promise<unknown>;
let abort: AbortController;
let agent: NodeAgent;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pod-runner-'));
  const random = seededRandom(1);
  const trace = new RecordedTrace(clock);
  api = new EmbeddedApiServer({ clock, random, faults: new SwitchedFaults(trace), trace });
  client = createKubeClient(api.transport('test'), { clock, random });
  networks = new Set();
  log = new RecordingLogger();
  programs = {};
  beforeBinding = () => Promise.resolve();
  startAgent();
  const metadata = { name: namespace };
  if ((await client.get(namespaces, metadata)) === undefined) {
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata });
  }
});

afterEach(async () => {
  await stopAgent();
  await api[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
  expect(networks.size).toBe(0);
});

function startAgent(): void {
  abort = new AbortController();
  agent = startPodRunner(
    nodeClient(client),
    {
      clock,
      random: seededRandom(2),
      log,
      folder,
      backoffScale,
      images: (reference) => imageTable(programs)(reference),
      networks: {
        add: (name, address) => {
          networks.add(name);
          return Promise.resolve({ name, address });
        },
        remove: ({ name }) => {
          networks.delete(name);
          return Promise.resolve();
        },
      },
    },
    abort.signal,
  );
}

async function stopAgent(): Promise<void> {
  abort.abort(new Error('the test ends'));
  await agent.stopped;
}

/** The embedded API server has no Nodes and no Bindings: both are done as a real one does them. */
function nodeClient(real: KubeClient): KubeClient {
  return {
    get: (...args) => real.get(...args),
    list: (...args) => real.list(...args),
    watch: (...args) => real.watch(...args),
    jsonPatch: (...args) => real.jsonPatch(...args),
    delete: (...args) => real.delete(...args),
    podProxy: (...args) => real.podProxy(...args),
    version: (...args) => real.version(...args),
    mergePatch: async (kind, at, ...rest) =>
      kind.plural === 'nodes' ? (undefined as never) : real.mergePatch(kind, at, ...rest),
    create: async (kind, object, ...rest) => {
      if (kind.plural === 'nodes') return undefined as never;
      if (kind.kind !== 'Binding') return real.create(kind, object, ...rest);
      const { target } = object as unknown as { readonly target: { readonly name: string } };
      const { name } = object.metadata;
      await beforeBinding();
      await real.mergePatch(pods, { namespace, name }, { spec: { nodeName: target.name } });
      return undefined as never;
    },
  };
}

async function run(program: NodeProgram, spec: Partial<NodePodSpec> = {}): Promise<void> {
  programs['test/program'] = { program };
  await create(spec);
}

async function create(spec: Partial<NodePodSpec>): Promise<void> {
  await client.create<NodePod>(nodePods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace },
    spec: {
      restartPolicy: 'OnFailure',
      terminationGracePeriodSeconds: 30,
      containers: [container()],
      ...spec,
    },
  });
}

const at = { namespace, name: 'p' };
const read = () => client.get(nodePods, at);
const main = (pod: NodePod) => pod.status?.containerStatuses?.[0] as NodeContainerStatus | undefined;

/** The pod once it is so; undefined: once it is gone. Throws after ten seconds. */
async function when<R>(accept: (pod: NodePod | undefined) => R | undefined): Promise<R> {
  const { items, resourceVersion } = await client.list(nodePods, { namespace });
  let result = accept(items[0]);
  const limit = new AbortController();
  using _limit = clock.setTimeout(() => limit.abort(new Error(`still: ${JSON.stringify(items)}`)), 10_000);
  if (result !== undefined) return result;
  for await (const event of client.watch(nodePods, { namespace, resourceVersion }, limit.signal)) {
    if (event.type === 'BOOKMARK') continue;
    result = accept(event.type === 'DELETED' ? undefined : event.object);
    if (result !== undefined) return result;
  }
  throw new Error('the watch ended');
}
const phase = (wanted: string) => when((pod) => (pod?.status?.phase === wanted ? pod : undefined));
const gone = () => when((pod) => (pod === undefined ? true : undefined));

/** Runs until it is told to end. */
const untilTold: NodeProgram = (_, signal) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });

describe('a pod', () => {
  test('is given to the node, runs its program and succeeds', async () => {
    await run(
      ({ env, network }) => Promise.resolve({ exitCode: 0, message: `${env['A']} ${network.address}` }),
      {
        containers: [container({ env: [{ name: 'A', value: 'a' }] })],
      },
    );
    const pod = await phase('Succeeded');
    expect(pod.spec.nodeName).toBe('testbed-node');
    expect(main(pod)?.state?.terminated).toMatchObject({
      exitCode: 0,
      reason: 'Completed',
      message: 'a 10.77.10.1',
    });
    expect(pod.status?.podIP).toBe('10.77.10.1');
  });

  test('whose program fails runs again at once, then with growing waits, and is Running all the while', async () => {
    let starts = 0;
    const states: string[] = [];
    const watching = when((pod) => {
      const { state, restartCount } = (pod && main(pod)) ?? {};
      const shown = `${restartCount} ${state?.waiting?.reason ?? Object.keys(state ?? {}).join()}`;
      if (states.at(-1) !== shown) states.push(shown);
      return pod?.status?.phase === 'Succeeded' ? true : undefined;
    });
    await run(() => Promise.resolve({ exitCode: (starts += 1) === 4 ? 0 : 1, message: `run ${starts}` }));
    await watching;
    expect(states.slice(-10)).toEqual([
      '0 running',
      '0 terminated',
      '1 running',
      '1 terminated',
      '1 CrashLoopBackOff',
      '2 running',
      '2 terminated',
      '2 CrashLoopBackOff',
      '3 running',
      '3 terminated',
    ]);
    expect(main((await read())!)?.lastState?.terminated?.message).toBe('run 3');
  });

  test('that must not restart fails with its program', async () => {
    await run(() => Promise.reject(new Error('no such disk')), { restartPolicy: 'Never' });
    expect(main(await phase('Failed'))?.state?.terminated).toMatchObject({
      exitCode: 1,
      reason: 'Error',
      message: 'no such disk',
    });
  });

  test('waits for its Secret, says so, and reads it anew at each start', async () => {
    const secret = (value: string) => ({ data: { k: Buffer.from(value).toString('base64') } });
    const seen: (string | undefined)[] = [];
    const rewritten = Promise.withResolvers<undefined>();
    await run(
      async ({ env }) => {
        seen.push(env['S']);
        await rewritten.promise;
        return { exitCode: seen.length === 2 ? 0 : 1, message: '' };
      },
      {
        containers: [
          container({ env: [{ name: 'S', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] }),
        ],
      },
    );
    await when((pod) => {
      const waiting = pod && main(pod)?.state?.waiting;
      return waiting?.message === 'secret "s" not found' ? waiting : undefined;
    });
    const metadata = { name: 's', namespace };
    await client.create(secrets, { apiVersion: 'v1', kind: 'Secret', metadata, ...secret('first') });
    await phase('Running');
    await client.mergePatch(secrets, metadata, secret('second'));
    rewritten.resolve(undefined);
    await phase('Succeeded');
    expect(seen).toEqual(['first', 'second']);
  });

  test('whose image nobody has backs off from pulling it', async () => {
    await create({});
    const waiting = await when((pod) => {
      const state = pod && main(pod)?.state?.waiting;
      return state?.reason === 'ImagePullBackOff' ? state : undefined;
    });
    expect(waiting.message).toContain('Back-off pulling image "test/program"');
  });

  test('runs its init containers one after another before all others', async () => {
    const order: string[] = [];
    await run(
      ({ container: { name } }) => {
        order.push(name);
        return Promise.resolve({ exitCode: 0, message: '' });
      },
      { initContainers: [container({ name: 'one' }), container({ name: 'two' })] },
    );
    const { status } = await phase('Succeeded');
    expect(order).toEqual(['one', 'two', 'main']);
    expect(status?.initContainerStatuses?.map(({ ready }) => ready)).toEqual([true, true]);
  });
});

test('a pod that waits for what is missing is gone as soon as it is deleted', async () => {
  await run(untilTold, { volumes: [{ name: 'v', configMap: { name: 'none' } }] });
  await when((pod) => (pod?.status?.containerStatuses === undefined ? undefined : true));
  const failed = phase('Failed');
  await client.delete(pods, at);
  expect(main(await failed)?.state?.terminated?.reason).toBe('ContainerStatusUnknown');
  await gone();
});

test('a pod that is deleted while a place is found for it is no trouble, nor is the next of its name', async () => {
  beforeBinding = () => client.delete(pods, at);
  await run(() => Promise.resolve({ exitCode: 0, message: '' }));
  await gone();
  beforeBinding = () => Promise.resolve();
  await create({});
  await phase('Succeeded');
  expect(log.lines.filter(({ level }) => level === 'error')).toEqual([]);
});

describe('a pod that runs', () => {
  test('is told to end when it is deleted, and is gone then', async () => {
    let reason: unknown;
    await run((_, signal) =>
      untilTold(_, signal).catch((error: unknown) => {
        reason = error;
        return { exitCode: 0, message: '' };
      }),
    );
    await phase('Running');
    await client.delete(pods, at);
    await gone();
    expect(reason).toEqual(new Error('SIGTERM'));
  });

  test('is killed when it does not heed that', async () => {
    await run(() => new Promise(() => undefined), { terminationGracePeriodSeconds: 1 });
    await phase('Running');
    const ended = when((pod) => pod && main(pod)?.state?.terminated);
    await client.delete(pods, at);
    expect(await ended).toMatchObject({ exitCode: 137 });
    await gone();
  });

  test('starts again when its program is killed', async () => {
    let starts = 0;
    await run((context, signal) => {
      starts += 1;
      return starts === 1 ? untilTold(context, signal) : Promise.resolve({ exitCode: 0, message: '' });
    });
    await phase('Running');
    expect(await agent.killContainer(at)).toBe(true);
    const status = main(await phase('Succeeded'));
    expect(status).toMatchObject({ restartCount: 1, lastState: { terminated: { exitCode: 137 } } });
    expect(await agent.killContainer(at)).toBe(false);
  });

  test('is thrown out by an annotation, and stays failed', async () => {
    await run(untilTold);
    await phase('Running');
    const annotations = { [evictAnnotation]: 'The node was low on resource: memory.' };
    await client.mergePatch(pods, at, { metadata: { annotations } });
    const pod = await phase('Failed');
    expect(pod.status).toMatchObject({ reason: 'Evicted', message: annotations[evictAnnotation] });
    expect(main(pod)?.state?.terminated?.exitCode).toBe(137);
  });

  test('is thrown out by its own program, as one of the sandbox asks for it', async () => {
    await run(() => Promise.resolve({ evicted: 'low on disk' }));
    expect((await phase('Failed')).status).toMatchObject({ reason: 'Evicted', message: 'low on disk' });
  });

  test('tells how far it is', async () => {
    await run((context, signal) => {
      context.report(42);
      return untilTold(context, signal);
    });
    const pod = await phase('Running');
    const stored = (await client.get(nodePods, { namespace, name: pod.metadata.name }))!;
    expect(await agent.progress(stored, abort.signal)).toBe(42);
  });

  test('fails under the next pod runner where it must not restart', async () => {
    let starts = 0;
    await run(
      (context, signal) => {
        starts += 1;
        return untilTold(context, signal);
      },
      { restartPolicy: 'Never' },
    );
    await phase('Running');
    await stopAgent();
    startAgent();
    expect(main(await phase('Failed'))).toMatchObject({
      restartCount: 0,
      state: { terminated: { exitCode: 255, reason: 'Unknown' } },
    });
    expect(starts).toBe(1);
  });

  test('runs anew under the next pod runner, one restart later', async () => {
    await run(untilTold);
    await phase('Running');
    await stopAgent();
    programs['test/program'] = { program: () => Promise.resolve({ exitCode: 0, message: '' }) };
    startAgent();
    const status = main(await phase('Succeeded'));
    expect(status).toMatchObject({
      restartCount: 1,
      lastState: { terminated: { exitCode: 255, reason: 'Unknown' } },
    });
  });
});
