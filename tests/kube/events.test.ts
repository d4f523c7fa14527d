import { expect, test } from '@jest/globals';
import type { Event } from '../../src/api/external/core.ts';
import { events } from '../../src/api/kinds.ts';
import { ApiEventRecorder } from '../../src/kube/events.ts';
import { createKubeClient } from '../../src/kube/rest-client.ts';
import { RecordingLogger } from '../../src/runtime/recording-logger.ts';
import { SimulatedClock } from '../../src/sandbox/simulated-clock.ts';
import { FakeApi, statusBody, widget } from './fake-api.ts';

const done = { type: 'Normal', reason: 'Done', message: 'all is well' } as const;

function setUp() {
  const clock = new SimulatedClock({ start: Date.UTC(2026, 0, 1) });
  const api = new FakeApi();
  const client = createKubeClient(api, { clock, random: () => 0 });
  const logger = new RecordingLogger();
  let state = 1;
  const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  const recorder = new ApiEventRecorder({ client, component: 'tester', clock, random, logger });
  const stored = async (): Promise<readonly Event[]> =>
    (await client.list(events, { namespace: 'ns' })).items;
  return { clock, api, recorder, stored };
}
const object = widget('a', { metadata: { name: 'a', namespace: 'ns', uid: 'u1', resourceVersion: '7' } });

test('an event names its object, and when and by whom it was told', async () => {
  const { recorder, stored } = setUp();
  recorder.record(object, done);
  await recorder.flush();
  expect(await stored()).toEqual([
    expect.objectContaining({
      involvedObject: {
        apiVersion: 'example.org/v1',
        kind: 'Widget',
        name: 'a',
        namespace: 'ns',
        uid: 'u1',
        resourceVersion: '7',
      },
      ...done,
      count: 1,
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:00:00Z',
      source: { component: 'tester' },
    }),
  ]);
  expect((await stored())[0]?.metadata.name).toMatch(/^a\.[0-9a-f]{16}$/);
});

test('the same words are one event with a count, other words another', async () => {
  const { recorder, stored, clock } = setUp();
  recorder.record(object, done);
  await recorder.flush();
  await clock.advance(60_000);
  recorder.record(object, done);
  recorder.record(object, done);
  recorder.record(object, { ...done, message: 'still well' });
  await recorder.flush();
  expect((await stored()).map((event) => [event.message, event.count, event.lastTimestamp])).toEqual([
    ['all is well', 3, '2026-01-01T00:01:00Z'],
    ['still well', 1, '2026-01-01T00:01:00Z'],
  ]);
});

test('an event that the server has dropped is made anew', async () => {
  const { recorder, stored, api } = setUp();
  recorder.record(object, done);
  await recorder.flush();
  const [event] = await stored();
  api.remove(event?.metadata.name ?? '', '/api/v1/namespaces/ns/events');
  recorder.record(object, done);
  await recorder.flush();
  expect((await stored()).map((one) => one.count)).toEqual([2]);
});

test('one object cannot flood the server, and does not cost another its say', async () => {
  const { recorder, stored, clock } = setUp();
  for (let i = 0; i < 100; i += 1) recorder.record(object, { ...done, message: `message ${i}` });
  recorder.record(widget('b'), done);
  await recorder.flush();
  expect(await stored()).toHaveLength(26);
  await clock.advance(5 * 60_000);
  recorder.record(object, { ...done, message: 'later' });
  await recorder.flush();
  expect(await stored()).toHaveLength(27);
});

test('a server that refuses costs the caller nothing, and later events are sent', async () => {
  const { recorder, stored, api } = setUp();
  api.failNext(statusBody(403, 'Forbidden', 'no'));
  recorder.record(object, done);
  recorder.record(object, { ...done, message: 'second' });
  await recorder.flush();
  expect((await stored()).map((event) => event.message)).toEqual(['second']);
});

test('the longest names and messages are cut to what a server takes', async () => {
  const { recorder, stored } = setUp();
  const name = `${'x'.repeat(235)}-${'y'.repeat(17)}`;
  recorder.record(widget(name), { ...done, message: 'm'.repeat(5000) });
  await recorder.flush();
  const [event] = await stored();
  expect(event?.metadata.name).toMatch(/^x{235}\.[0-9a-f]{16}$/);
  expect(event?.message).toHaveLength(1024);
});

test('a stop waits for what is not sent yet, but not for a server that does not answer', async () => {
  const { recorder, stored, api, clock } = setUp();
  const abort = new AbortController();
  const over = recorder.run(abort.signal);
  recorder.record(object, done);
  abort.abort(new Error('stop'));
  await over;
  expect(await stored()).toHaveLength(1);
  api.request = () => new Promise(() => undefined);
  recorder.record(object, { ...done, message: 'unheard' });
  let isOver = false;
  void recorder.run(abort.signal).then(() => (isOver = true));
  await clock.advance(4999);
  expect(isOver).toBe(false);
  await clock.advance(1);
  expect(isOver).toBe(true);
});
