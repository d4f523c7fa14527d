import { describe, expect, test } from '@jest/globals';
import { configMaps, dataVolumes, plans, pods } from '../../../src/api/kinds.ts';
import type { Body } from './harness.ts';
import { configMap, dataVolume, Harness, plan, pod } from './harness.ts';

function namesOf(body: Body): readonly string[] {
  return body.items.map(({ metadata }) => metadata.name);
}

describe('a watch', () => {
  test('without a version begins with what exists', async () => {
    await using world = new Harness();
    await world.create(configMaps, configMap('b'));
    await world.create(configMaps, configMap('a'));
    const watch = await world.watch(configMaps);
    await world.create(configMaps, configMap('c'));
    await world.merge(configMaps, 'a', { data: { a: '2' } });
    await world.delete(configMaps, 'b');
    await world.settle();
    expect(watch.seen).toEqual(['ADDED a', 'ADDED b', 'ADDED c', 'MODIFIED a', 'DELETED b']);
  });

  test('from a version replays what came after it, and nothing else', async () => {
    await using world = new Harness();
    const { body } = await world.create(configMaps, configMap('a'));
    await world.create(configMaps, configMap('b'));
    const watch = await world.watch(configMaps, { resourceVersion: body.metadata.resourceVersion });
    await world.settle();
    expect(watch.seen).toEqual(['ADDED b']);
  });

  test('the version of a deletion is newer than all before', async () => {
    await using world = new Harness();
    const { body } = await world.create(configMaps, configMap('a'));
    const watch = await world.watch(configMaps, { resourceVersion: body.metadata.resourceVersion });
    await world.delete(configMaps, 'a');
    await world.settle();
    expect(Number(watch.lines[0]!.object.metadata.resourceVersion)).toBeGreaterThan(
      Number(body.metadata.resourceVersion),
    );
  });

  test('an object that leaves the selection is DELETED, one that enters it ADDED', async () => {
    await using world = new Harness();
    const watch = await world.watch(configMaps, { labelSelector: 'gantry.dev/import' });
    const { body } = await world.create(
      configMaps,
      configMap('a', { metadata: { labels: { 'gantry.dev/import': 'u' } } }),
    );
    await world.merge(configMaps, 'a', { data: { a: '2' } });
    await world.merge(configMaps, 'a', { metadata: { labels: { 'gantry.dev/import': null } } });
    await world.merge(configMaps, 'a', { data: { a: '3' } });
    await world.merge(configMaps, 'a', { metadata: { labels: { 'gantry.dev/import': 'v' } } });
    await world.settle();
    expect(watch.seen).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a', 'ADDED a']);
    expect(watch.lines[2]!.object.metadata.labels).toEqual(body.metadata.labels);
  });

  test('by a field follows one object', async () => {
    await using world = new Harness();
    const watch = await world.watch(configMaps, { fieldSelector: 'metadata.name=a' });
    await world.create(configMaps, configMap('b'));
    await world.create(configMaps, configMap('a'));
    await world.settle();
    expect(watch.seen).toEqual(['ADDED a']);
  });

  test('ends after timeoutSeconds of the world, with a bookmark for those who ask', async () => {
    await using world = new Harness();
    const { body } = await world.create(configMaps, configMap('a'));
    const resourceVersion = body.metadata.resourceVersion;
    const watch = await world.watch(dataVolumes, {
      resourceVersion,
      timeoutSeconds: '300',
      allowWatchBookmarks: 'true',
    });
    await world.clock.advance(299_000);
    expect(watch.lines).toEqual([
      {
        type: 'BOOKMARK',
        object: {
          kind: 'DataVolume',
          apiVersion: 'cdi.kubevirt.io/v1beta1',
          metadata: { resourceVersion },
        },
      },
    ]);
    expect(watch.state).toBe('open');
    await world.clock.advance(1000);
    expect(watch.state).toBe('ended');
  });

  test('that asks for no end gets one within the hour', async () => {
    await using world = new Harness();
    const watch = await world.watch(plans);
    await world.clock.advance(3600_000);
    expect(watch.state).toBe('ended');
  });

  test('from a version whose events are gone is told 410 in the stream', async () => {
    await using world = new Harness();
    const { body } = await world.create(configMaps, configMap('a'));
    await world.create(configMaps, configMap('b'));
    world.api.compact();
    const watch = await world.watch(configMaps, { resourceVersion: body.metadata.resourceVersion });
    await world.settle();
    expect(watch.stream.status).toBe(200);
    expect(watch.lines).toMatchObject([{ type: 'ERROR', object: { code: 410, reason: 'Expired' } }]);
    expect(watch.state).toBe('ended');
  });

  test('is one copy a reader', async () => {
    await using world = new Harness();
    const first = await world.watch(configMaps);
    const second = await world.watch(configMaps);
    await world.create(configMaps, configMap('a'));
    await world.settle();
    first.lines[0]!.object.data['a'] = 'changed';
    expect(second.lines[0]!.object.data['a']).toBe('1');
  });

  test('of an unknown kind is refused', async () => {
    await using world = new Harness();
    const stream = await world.transport.stream(
      { method: 'GET', path: '/apis/x.y/v1/zs', query: { watch: 'true' } },
      new AbortController().signal,
    );
    expect(stream.status).toBe(404);
    for await (const line of stream.lines) expect(line).toBe('404 page not found\n');
  });

  test('that is aborted rejects with the reason', async () => {
    await using world = new Harness();
    const watch = await world.watch(configMaps);
    const reason = new Error('enough');
    watch.abort.abort(reason);
    await world.settle();
    expect(watch.state).toBe(reason);
  });

  test('as a table carries its head once', async () => {
    await using world = new Harness();
    const lines: unknown[] = [];
    const stream = await world.transport.stream(
      {
        method: 'GET',
        path: '/apis/forklift.konveyor.io/v1beta1/plans',
        query: { watch: 'true' },
        headers: { Accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' },
      },
      new AbortController().signal,
    );
    void (async () => {
      for await (const line of stream.lines) lines.push(line);
    })();
    await world.create(plans, plan('p'));
    await world.merge(plans, 'p', { metadata: { labels: { a: 'b' } } });
    await world.settle();
    expect(lines).toMatchObject([
      {
        type: 'ADDED',
        object: { kind: 'Table', columnDefinitions: [{ name: 'Name' }, { name: 'READY' }, {}, {}, {}, {}] },
      },
      {
        type: 'MODIFIED',
        object: { columnDefinitions: null, rows: [{ cells: ['p', null, null, null, null, '0s'] }] },
      },
    ]);
  });
});

describe('lists', () => {
  test('come in the order of their names, and tell the version they show', async () => {
    await using world = new Harness();
    for (const name of ['b', 'c', 'a']) await world.create(configMaps, configMap(name));
    const { body } = await world.call('GET', '/api/v1/configmaps');
    expect(body.kind).toBe('ConfigMapList');
    expect(namesOf(body)).toEqual(['a', 'b', 'c']);
    expect(Number(body.metadata.resourceVersion)).toBeGreaterThan(0);
  });

  test('in pages all show the moment of the first page', async () => {
    await using world = new Harness();
    for (const name of ['a', 'b', 'c']) await world.create(configMaps, configMap(name));
    const first = await world.call('GET', '/api/v1/configmaps', { query: { limit: '2' } });
    expect(first.body.items).toHaveLength(2);
    expect(first.body.metadata.remainingItemCount).toBe(1);
    await world.delete(configMaps, 'c');
    const token = first.body.metadata.continue ?? '';
    const second = await world.call('GET', '/api/v1/configmaps', { query: { limit: '2', continue: token } });
    expect(namesOf(second.body)).toEqual(['c']);
    expect(second.body.metadata.continue).toBeUndefined();
    const again = await world.call('GET', '/api/v1/configmaps', { query: { limit: '2', continue: token } });
    expect(again.body).toMatchObject({ code: 410, reason: 'Expired' });
  });

  test.each([
    ['app', ['a', 'b']],
    ['!app', ['c']],
    ['app=x', ['a']],
    ['app==x', ['a']],
    ['app!=x', ['b', 'c']],
    ['app in (x,y)', ['a', 'b']],
    ['app notin (x)', ['b', 'c']],
    ['app in (x, y),tier', ['b']],
  ])('by the label selector %s are %s', async (labelSelector, names) => {
    await using world = new Harness();
    await world.create(configMaps, configMap('a', { metadata: { labels: { app: 'x' } } }));
    await world.create(configMaps, configMap('b', { metadata: { labels: { app: 'y', tier: '1' } } }));
    await world.create(configMaps, configMap('c'));
    const { body } = await world.call('GET', '/api/v1/configmaps', { query: { labelSelector } });
    expect(namesOf(body)).toEqual(names);
  });

  test('by a field that a kind cannot be selected by are refused', async () => {
    await using world = new Harness();
    const custom = await world.call('GET', '/apis/forklift.konveyor.io/v1beta1/plans', {
      query: { fieldSelector: 'status.phase=x' },
    });
    expect(custom.body).toMatchObject({ code: 400, message: 'field label not supported: status.phase' });
    await world.create(dataVolumes, dataVolume('d'));
    await world.create(pods, pod('p'));
    const pending = await world.call('GET', '/api/v1/pods', {
      query: { fieldSelector: 'status.phase=Pending' },
    });
    expect(pending.body.items).toHaveLength(1);
  });
});
