import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Json } from '../../../src/sandbox/api/json.ts';
import { copyOf, sameJson } from '../../../src/sandbox/api/json.ts';
import { jsonPatch, mergePatch } from '../../../src/sandbox/api/patch.ts';

const plain = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as Json);
const withoutNulls = plain.map((value) => JSON.parse(JSON.stringify(value, dropNull)) as Json);

function dropNull(this: unknown, _: string, value: unknown): unknown {
  return value === null ? 0 : value;
}

describe('merge patch (RFC 7386)', () => {
  test('the examples of the RFC', () => {
    const cases: readonly (readonly [Json, Json, Json])[] = [
      [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
      [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
      [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
      [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
      [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
      [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
      [
        ['a', 'b'],
        ['c', 'd'],
        ['c', 'd'],
      ],
      [{ a: 'foo' }, null, null],
      [{ e: null }, { a: 1 }, { e: null, a: 1 }],
      [[1, 2], { a: 'b', c: null }, { a: 'b' }],
      [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
    ];
    for (const [target, patch, result] of cases) expect(mergePatch(target, patch)).toEqual(result);
  });

  test('a key that JavaScript has plans for is a key like any other', () => {
    const target = JSON.parse('{"__proto__":"1"}') as Json;
    const patch = JSON.parse('{"__proto__":"2","constructor":"3"}') as Json;
    expect(JSON.stringify(mergePatch(target, patch))).toBe('{"__proto__":"2","constructor":"3"}');
    expect(JSON.stringify(copyOf(target))).toBe('{"__proto__":"1"}');
  });

  test('a value merged into itself stays the same value', () => {
    fc.assert(
      fc.property(withoutNulls, (value) => {
        const merged = mergePatch(value, copyOf(value));
        expect(sameJson(merged, value)).toBe(true);
      }),
    );
  });

  test('the target is never changed', () => {
    fc.assert(
      fc.property(plain, plain, (target, patch) => {
        const before = copyOf(target);
        mergePatch(target, patch);
        expect(target).toEqual(before);
      }),
    );
  });
});

describe('JSON patch (RFC 6902)', () => {
  const target: Json = { a: { b: [1, 2, 3] }, 'x/y': 1, 'm~n': 2 };

  test('every operation, with escaped pointers', () => {
    expect(
      jsonPatch(target, [
        { op: 'test', path: '/x~1y', value: 1 },
        { op: 'test', path: '/m~0n', value: 2 },
        { op: 'add', path: '/a/b/1', value: 9 },
        { op: 'remove', path: '/a/b/0' },
        { op: 'replace', path: '/a/b/2', value: 8 },
        { op: 'copy', from: '/a/b', path: '/c' },
        { op: 'move', from: '/x~1y', path: '/z' },
      ]),
    ).toEqual({ a: { b: [9, 2, 8] }, c: [9, 2, 8], z: 1, 'm~n': 2 });
    expect(target).toEqual({ a: { b: [1, 2, 3] }, 'x/y': 1, 'm~n': 2 });
  });

  test('a member that is not there is no obstacle to a replacement, and a place may be counted from the end', () => {
    expect(jsonPatch(target, [{ op: 'replace', path: '/q', value: 1 }])).toEqual({ ...target, q: 1 });
    expect(jsonPatch(target, [{ op: 'remove', path: '/a/b/-1' }])).toMatchObject({ a: { b: [1, 2] } });
  });

  test('what is not there cannot be removed, an item not replaced, and its parent must be there', () => {
    for (const operation of [
      { op: 'replace', path: '/q/r', value: 1 },
      { op: 'replace', path: '/a/b/3', value: 1 },
      { op: 'remove', path: '/q' },
      { op: 'remove', path: '/a/b/3' },
      { op: 'add', path: '/q/r', value: 1 },
      { op: 'add', path: '/a/b/4', value: 1 },
      { op: 'add', path: '/a/b/01', value: 1 },
      { op: 'test', path: '/a', value: 1 },
    ]) {
      expect(() => jsonPatch(target, [operation])).toThrow('the server rejected our request');
    }
  });
});
