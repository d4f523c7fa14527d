import { describe, expect, test } from '@jest/globals';
import { differencesBetween, judge, lastingDifferences } from './differences.ts';

const known = (where: string) => ({ id: where, where, why: 'a test' });

describe('differences between two documents', () => {
  test('equal documents have none, whatever the order of their members', () => {
    expect(differencesBetween({ a: [1, { b: 2 }], c: null }, { c: null, a: [1, { b: 2 }] }, 's')).toEqual([]);
  });

  test('the deepest place that differs is named, and what is on one side only', () => {
    const real = { a: { b: [1, 2], gone: true } };
    const sandbox = { a: { b: [1, 3, 4] } };
    expect(differencesBetween(real, sandbox, 's > t')).toEqual([
      { where: 's > t.a.b[1]', real: 2, sandbox: 3 },
      { where: 's > t.a.b[2]', real: undefined, sandbox: 4 },
      { where: 's > t.a.gone', real: true, sandbox: undefined },
    ]);
  });

  test('a value is not taken for a document that holds it', () => {
    expect(differencesBetween('a', ['a'], 's')).toHaveLength(1);
    expect(differencesBetween({}, [], 's')).toHaveLength(1);
    expect(differencesBetween(null, undefined, 's')).toHaveLength(1);
  });
});

describe('differences that last', () => {
  const differ = (...places: readonly string[]) => places.map((where) => ({ where, real: 1, sandbox: 2 }));
  const looks = (...found: readonly (readonly string[])[]) => {
    const left = found.map((places) => differ(...places));
    return { left, look: () => Promise.resolve(left.shift()!) };
  };

  test('are those that are found twice', async () => {
    const { look } = looks(['s > a', 's > b'], ['s > b', 's > c']);
    expect(await lastingDifferences(look)).toEqual(differ('s > b'));
  });

  test('are none where a first look finds none, and nobody looks again', async () => {
    const { look, left } = looks([], ['s > a']);
    expect(await lastingDifferences(look)).toEqual([]);
    expect(left).toHaveLength(1);
  });
});

describe('the list of known differences', () => {
  const differences = [
    { where: 'api > a story > create > body.spec.x[0].y', real: 1, sandbox: 2 },
    { where: 'api > a story > create > status', real: 1, sandbox: 2 },
  ];

  test('explains what is inside a place that it names, and nothing beside it', () => {
    const { unexplained } = judge(differences, [known('api > a story > create > body.spec.x')], 'api');
    expect(unexplained.map(({ where }) => where)).toEqual(['api > a story > create > status']);
    expect(judge(differences, [known('api > a story > create > body.spe')], 'api').unexplained).toHaveLength(
      2,
    );
  });

  test('a star stands for any text', () => {
    expect(judge(differences, [known('api > * > create > *')], 'api').unexplained).toEqual([]);
  });

  test('an entry that explains nothing any more is told, unless it belongs to another suite', () => {
    const list = [
      known('api > a story > create > status'),
      known('api > healed > x'),
      known('volumes > y > z'),
    ];
    expect(judge(differences, list, 'api').healed.map(({ id }) => id)).toEqual(['api > healed > x']);
  });
});
