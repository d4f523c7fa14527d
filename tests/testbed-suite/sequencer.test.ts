import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import EvenSequencer from '../../hack/testbed/suite/sequencer.ts';

const known = ['boundaries', 'trouble/cancel', 'bad-input/runs', 'trouble/power'].map(
  (name) => `integration/${name}`,
);
const paths = fc
  .uniqueArray(fc.oneof(fc.constantFrom(...known), fc.stringMatching(/^[a-z]{1,8}\/[a-z]{1,8}$/)), {
    maxLength: 40,
  })
  .map((names) => names.map((name) => ({ path: `/repo/tests/${name}.test.ts` })));

test('each file runs on one testbed, whatever their number', () => {
  fc.assert(
    fc.property(paths, fc.integer({ min: 1, max: 5 }), (tests, shardCount) => {
      const sequencer = new EvenSequencer();
      const shards = Array.from({ length: shardCount }, (_, index) =>
        sequencer.shard(tests, { shardIndex: index + 1, shardCount }),
      );
      const dealt = shards.flat().map(({ path }) => path);
      expect([...dealt].sort()).toEqual(tests.map(({ path }) => path).sort());
      const sizes = shards.map(({ length }) => length);
      // Only the known long ones make a difference between them.
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(known.length * 8);
    }),
  );
});

test('the longest files come first, the same way each time', () => {
  const names = ['x/short', 'integration/trouble/power', 'a/short', 'integration/boundaries'];
  const tests = names.map((name) => ({ path: `/repo/tests/${name}.test.ts` }));
  const sorted = new EvenSequencer().sort(tests).map(({ path }) => path);
  expect(sorted).toEqual(
    ['integration/boundaries', 'integration/trouble/power', 'a/short', 'x/short'].map(
      (name) => `/repo/tests/${name}.test.ts`,
    ),
  );
});
