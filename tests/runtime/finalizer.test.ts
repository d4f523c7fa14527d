import { expect, test } from '@jest/globals';
import { createKubeClient } from '../../src/kube/rest-client.ts';
import { addFinalizer, removeFinalizer } from '../../src/runtime/finalizer.ts';
import { SimulatedClock } from '../../src/sandbox/simulated-clock.ts';
import { FakeApi, widget, widgets } from '../kube/fake-api.ts';

const at = { namespace: 'ns', name: 'a' };
const ours = 'example.org/ours';

async function setUp(finalizers?: readonly string[]) {
  const api = new FakeApi();
  const client = createKubeClient(api, { clock: new SimulatedClock({ start: 0 }), random: () => 0 });
  const object = await client.create(
    widgets,
    widget('a', { metadata: { ...at, ...(finalizers && { finalizers }) } }),
  );
  const held = async () => (await client.get(widgets, at))?.metadata.finalizers;
  return { api, client, object, held };
}

test('it is added beside others, once', async () => {
  const { api, client, object, held } = await setUp(['other']);
  const stored = await addFinalizer(client, widgets, object, ours);
  expect(stored.metadata.finalizers).toEqual(['other', ours]);
  const before = api.requests.length;
  expect(await addFinalizer(client, widgets, stored, ours)).toBe(stored);
  expect(api.requests).toHaveLength(before);
  expect(await held()).toEqual(['other', ours]);
});

test('a finalizer that someone else adds at the same time is kept', async () => {
  const { api, client, object, held } = await setUp();
  api.put({ ...object, metadata: { ...object.metadata, finalizers: ['foreign'] } });
  await addFinalizer(client, widgets, object, ours);
  expect(await held()).toEqual(['foreign', ours]);
  const now = await client.get(widgets, at);
  if (now === undefined) throw new Error('lost');
  api.put({ ...now, metadata: { ...now.metadata, finalizers: ['foreign', ours, 'third'] } });
  await removeFinalizer(client, widgets, now, ours);
  expect(await held()).toEqual(['foreign', 'third']);
});

test('the last removal from a deleted object ends it', async () => {
  const { client, api, object, held } = await setUp([ours]);
  const deleted = api.put({ ...object, metadata: { ...object.metadata, deletionTimestamp: 't' } });
  expect(await removeFinalizer(client, widgets, deleted, ours)).toBeUndefined();
  expect(await held()).toBeUndefined();
});

test('removing from an object that is gone is done, adding to it is not possible', async () => {
  const { client, api, object } = await setUp([ours]);
  api.remove('a');
  expect(await removeFinalizer(client, widgets, object, ours)).toBeUndefined();
  await expect(addFinalizer(client, widgets, object, 'second')).rejects.toMatchObject({ code: 'NotFound' });
});

test('another object that took the name is left alone', async () => {
  const { client, api, object, held } = await setUp([ours]);
  api.remove('a');
  api.put(widget('a', { metadata: { ...at, finalizers: [ours] } }));
  expect(await removeFinalizer(client, widgets, object, ours)).toBeUndefined();
  await expect(addFinalizer(client, widgets, object, 'second')).rejects.toMatchObject({ code: 'NotFound' });
  expect(await held()).toEqual([ours]);
});

test('an object being deleted takes no new finalizer', async () => {
  const { client, api, object } = await setUp(['other']);
  const deleted = api.put({ ...object, metadata: { ...object.metadata, deletionTimestamp: 't' } });
  await expect(addFinalizer(client, widgets, deleted as typeof object, ours)).rejects.toThrow(
    'it is being deleted',
  );
});

test('an object that always changes is given up after some tries', async () => {
  const { client, api, object } = await setUp();
  const request = api.request.bind(api);
  api.request = (one, signal) => {
    if (one.method === 'PATCH') api.put({ ...object, spec: { n: api.version } } as typeof object);
    return request(one, signal);
  };
  await expect(addFinalizer(client, widgets, object, ours)).rejects.toMatchObject({ code: 'Conflict' });
});
