import { describe, expect, test } from '@jest/globals';
import { configMaps, dataVolumes, pods } from '../../../src/api/kinds.ts';
import { TransportError } from '../../../src/kube/transport.ts';
import { configMap, dataVolume, Harness, pod } from './harness.ts';

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'answered';
  } catch (error) {
    return error instanceof TransportError ? error.code : String(error);
  }
}

describe('faults of the API server', () => {
  test('an outage refuses connections and breaks open streams', async () => {
    await using world = new Harness();
    const watch = await world.watch(configMaps);
    const outage = world.faults.start('api-outage');
    await world.settle();
    expect(watch.state).toMatchObject({ code: 'ConnectionLost' });
    expect(await codeOf(world.get(configMaps, 'a'))).toBe('ConnectFailed');
    outage[Symbol.dispose]();
    expect((await world.get(configMaps, 'a')).status).toBe(404);
  });

  test('a subject narrows a fault, and it ends by itself', async () => {
    await using world = new Harness();
    world.faults.start('api-error', { subject: 'create datavolumes', times: 1 });
    expect((await world.create(configMaps, configMap('a'))).status).toBe(201);
    expect((await world.create(dataVolumes, dataVolume('d'))).status).toBe(500);
    expect((await world.create(dataVolumes, dataVolume('d'))).status).toBe(201);
    expect(world.trace.entries).toMatchObject([
      { who: 'fault', what: 'api-error', on: 'create datavolumes' },
    ]);
  });

  test('too many requests say when to come again', async () => {
    await using world = new Harness();
    world.faults.start('api-too-many-requests', { times: 1 });
    const answer = await world.get(configMaps, 'a');
    expect(answer.status).toBe(429);
    expect(answer.headers['retry-after']).toBe('1');
  });

  test('a conflict strikes changes only', async () => {
    await using world = new Harness();
    world.faults.start('api-conflict', { times: 1 });
    expect((await world.create(configMaps, configMap('a'))).status).toBe(201);
    expect((await world.merge(configMaps, 'a', {})).status).toBe(409);
    expect((await world.merge(configMaps, 'a', {})).status).toBe(200);
  });

  test('a lost answer comes after the effect', async () => {
    await using world = new Harness();
    world.faults.start('api-answer-lost', { subject: 'create configmaps', times: 1 });
    expect(await codeOf(world.create(configMaps, configMap('a')))).toBe('ConnectionLost');
    expect((await world.get(configMaps, 'a')).status).toBe(200);
  });

  test('a cut watch is followed up without loss', async () => {
    await using world = new Harness();
    const { body } = await world.create(configMaps, configMap('a'));
    const watch = await world.watch(configMaps, { resourceVersion: body.metadata.resourceVersion });
    await world.create(configMaps, configMap('b'));
    world.faults.start('watch-cut', { subject: 'watch configmaps', times: 1 });
    await world.create(configMaps, configMap('c'));
    await world.settle();
    expect(watch.seen).toEqual(['ADDED b']);
    expect(watch.state).toMatchObject({ code: 'ConnectionLost' });
    const next = await world.watch(configMaps, {
      resourceVersion: watch.lines[0]!.object.metadata.resourceVersion,
    });
    await world.settle();
    expect(next.seen).toEqual(['ADDED c']);
  });

  test('a watch can be told that its version is gone', async () => {
    await using world = new Harness();
    const open = await world.watch(configMaps);
    world.faults.start('watch-gone', { times: 2 });
    await world.settle();
    expect(open.lines).toMatchObject([{ type: 'ERROR', object: { code: 410 } }]);
    const late = await world.watch(configMaps, { resourceVersion: '5' });
    await world.settle();
    expect(late.lines.at(-1)).toMatchObject({ type: 'ERROR', object: { code: 410 } });
    expect(late.state).toBe('ended');
  });

  test('a webhook that does not answer in time is an internal error', async () => {
    await using world = new Harness();
    world.api.admit(dataVolumes, ({ object }) => object);
    world.faults.start('webhook-timeout', { times: 1 });
    const { status, body } = await world.create(dataVolumes, dataVolume('d'));
    expect(status).toBe(500);
    expect(body.message).toContain('context deadline exceeded');
  });
});

describe('the transport', () => {
  test('of a stopped client answers nothing more', async () => {
    await using world = new Harness();
    const watch = await world.watch(configMaps);
    await world.transport[Symbol.asyncDispose]();
    await world.settle();
    expect(watch.state).toMatchObject({ code: 'ConnectionLost' });
    expect(await codeOf(world.get(configMaps, 'a'))).toBe('ConnectFailed');
  });

  test('an aborted request rejects with the reason', async () => {
    await using world = new Harness();
    const reason = new Error('stop');
    const signal = AbortSignal.abort(reason);
    await expect(world.transport.request({ method: 'GET', path: '/version' }, signal)).rejects.toBe(reason);
  });

  test('requests go into the trace when asked for', async () => {
    await using world = new Harness({ traceRequests: true });
    await world.create(configMaps, configMap('a'));
    await world.get(configMaps, 'b');
    expect(world.trace.entries.map(({ who, what, on, detail }) => [who, what, on, detail])).toEqual([
      ['test', 'create', 'configmaps default', undefined],
      ['test', 'get', 'configmaps default/b', '404'],
    ]);
  });

  test('the same seed gives the same trace, uids and names', async () => {
    const runs = await Promise.all(
      [3, 3].map(async (seed) => {
        await using world = new Harness({ seed, traceRequests: true });
        await world.create(configMaps, { metadata: { generateName: 'x-' } });
        return JSON.stringify([world.trace.entries, (await world.call('GET', '/api/v1/configmaps')).body]);
      }),
    );
    expect(runs[0]).toBe(runs[1]);
  });

  test('a pod answers through the proxy, and a pod that does not is unavailable', async () => {
    await using world = new Harness();
    await world.create(pods, pod('v2v'));
    const path = '/api/v1/namespaces/default/pods/v2v:8080/proxy/vm';
    expect((await world.call('GET', path)).status).toBe(503);
    world.api.answerForPods((request) =>
      Promise.resolve(
        request.port === 8080 ? { status: 200, body: `${request.method} ${request.path}` } : undefined,
      ),
    );
    expect((await world.call('GET', path)).body).toBe('GET /vm');
    expect((await world.call('GET', path.replace('v2v:', 'other:'))).status).toBe(404);
  });
});
