import { describe, expect, test } from '@jest/globals';
import { strategicPatch } from '../../../src/sandbox/api/strategic-patch.ts';

describe('a strategic merge patch', () => {
  const pod = {
    spec: {
      containers: [
        { name: 'a', image: '1' },
        { name: 'b', image: '1' },
      ],
    },
  };

  test('finds the items of a list by their key, and puts new ones first', () => {
    const patch = { spec: { containers: [{ name: 'b', image: '2' }, { name: 'c' }] } };
    expect(strategicPatch(pod, patch)).toEqual({
      spec: { containers: [{ name: 'c' }, { name: 'a', image: '1' }, { name: 'b', image: '2' }] },
    });
  });

  test('deletes, replaces and orders by directive', () => {
    expect(strategicPatch(pod, { spec: { containers: [{ $patch: 'delete', name: 'a' }] } })).toEqual({
      spec: { containers: [{ name: 'b', image: '1' }] },
    });
    expect(strategicPatch(pod, { spec: { containers: [{ $patch: 'replace' }, { name: 'z' }] } })).toEqual({
      spec: { containers: [{ name: 'z' }] },
    });
    const order = { spec: { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }] } };
    expect(strategicPatch(pod, order)).toEqual({
      spec: {
        containers: [
          { name: 'b', image: '1' },
          { name: 'a', image: '1' },
        ],
      },
    });
  });

  test('merges finalizers, and takes out those it names', () => {
    const held = { metadata: { finalizers: ['a', 'b'] } };
    expect(strategicPatch(held, { metadata: { finalizers: ['c', 'a'] } })).toEqual({
      metadata: { finalizers: ['c', 'a', 'b'] },
    });
    expect(strategicPatch(held, { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] } })).toEqual({
      metadata: { finalizers: ['b'] },
    });
  });

  test('replaces a list without a key whole', () => {
    expect(strategicPatch({ spec: { accessModes: ['a'] } }, { spec: { accessModes: ['b'] } })).toEqual({
      spec: { accessModes: ['b'] },
    });
  });

  test('keeps what it does not change as it was, to the identity', () => {
    const next = strategicPatch(pod, { spec: { containers: [{ name: 'a', image: '1' }] } });
    expect(next).toBe(pod);
  });

  test('refuses an item without its key', () => {
    expect(() => strategicPatch(pod, { spec: { containers: [{ image: '1' }] } })).toThrow(
      'map: map[image:1] does not contain declared merge key: name',
    );
  });
});
