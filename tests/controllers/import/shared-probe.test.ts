import { expect, test } from '@jest/globals';
import { SharedProbe } from '../../../src/controllers/import/shared-probe.ts';
import { SimulatedClock } from '../../../src/sandbox/simulated-clock.ts';

function setUp() {
  const clock = new SimulatedClock({ start: 0 });
  const probe = new SharedProbe(clock);
  const asked: string[] = [];
  const ask = (subject: string, answer: Promise<void> = Promise.resolve()): Promise<void> =>
    probe.ask(subject, () => {
      asked.push(subject);
      return answer;
    });
  return { clock, ask, asked };
}

test('who asks at the same time, or soon after, gets the answer that is there', async () => {
  const { clock, ask, asked } = setUp();
  await Promise.all([ask('a'), ask('a'), ask('b')]);
  await clock.advance(29_000);
  await ask('a');
  expect(asked).toEqual(['a', 'b']);
  await clock.advance(1_000);
  await ask('a');
  expect(asked).toEqual(['a', 'b', 'a']);
});

test('an error goes to all who wait for it, and the next one asks anew', async () => {
  const { ask, asked } = setUp();
  const refusal = Promise.reject(new Error('no'));
  const both = await Promise.allSettled([ask('a', refusal), ask('a', refusal)]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await ask('a');
  expect(asked).toEqual(['a', 'a']);
});
