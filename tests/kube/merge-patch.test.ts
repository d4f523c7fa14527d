import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { applyMerge, diffMerge, isEqualJson } from '../../src/kube/merge-patch.ts';

/** Objects as an API server returns them: no null members. */
function document(): fc.Arbitrary<object> {
  const { object } = fc.letrec<{ value: unknown; object: object }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom('', 'a', 'b', 0, 1, true, false),
      fc.array(tie('value'), { maxLength: 3 }),
      tie('object'),
    ),
    object: fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor'), tie('value'), {
      maxKeys: 4,
    }),
  }));
  return object;
}

describe('the law of the difference', () => {
  test('what is applied to the one gives the other', () => {
    fc.assert(
      fc.property(document(), document(), (before, after) => {
        const patch = diffMerge(before, after);
        const result = patch === undefined ? before : applyMerge(before, JSON.parse(JSON.stringify(patch)));
        expect(isEqualJson(result, after)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test('there is none between equals', () => {
    fc.assert(fc.property(document(), (one) => diffMerge(one, structuredClone(one)) === undefined));
  });
});

test('arrays are replaced whole, absent members removed, untouched ones left out', () => {
  const before = { metadata: { labels: { a: '1', b: '2' } }, status: { list: [1, 2], kept: { x: 1 } } };
  const after = { metadata: { labels: { a: '1' } }, status: { list: [1, 3], kept: { x: 1 } } };
  expect(diffMerge(before, after)).toEqual({
    metadata: { labels: { b: null } },
    status: { list: [1, 3] },
  });
});

test('a null in the wanted state is an absent member, also deep in a new one', () => {
  expect(diffMerge({ a: 1 }, { a: null, b: { c: null, d: 1 } })).toEqual({ a: null, b: { d: 1 } });
  expect(diffMerge({}, { a: undefined })).toBeUndefined();
});

test('the examples of RFC 7386 hold', () => {
  const cases: readonly (readonly [unknown, unknown, unknown])[] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ];
  for (const [target, patch, wanted] of cases) expect(applyMerge(target, patch)).toEqual(wanted);
});
