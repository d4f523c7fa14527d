import { describe, expect, test } from '@jest/globals';
import { normalised } from './normalise.ts';

const answer = (body: unknown) => ({ does: 'it', status: 200, headers: {}, body });
const bodies = (...all: readonly unknown[]): readonly unknown[] =>
  normalised({ answers: all.map(answer), names: { ns: 'story-x1', other: 'other-x1' } }).map(
    ({ body }) => body,
  );

const first = '11111111-1111-4111-8111-111111111111';
const second = '22222222-2222-4222-8222-222222222222';

describe('what two servers have not in common', () => {
  test('uids and versions are numbered as they come, and the same one keeps its number', () => {
    const object = (uid: string, resourceVersion: string) => ({
      kind: 'Plan',
      metadata: { uid, resourceVersion },
    });
    expect(bodies(object(first, '7'), object(second, '9'), object(first, '7'))).toEqual([
      object('<uid 1>', '<version 1>'),
      object('<uid 2>', '<version 2>'),
      object('<uid 1>', '<version 1>'),
    ]);
  });

  test('numbers do not depend on the order in which members are written', () => {
    expect(bodies({ b: second, a: first })).toEqual([{ a: '<uid 1>', b: '<uid 2>' }]);
  });

  test('a uid is known again inside a text', () => {
    expect(bodies({ a: first, b: `UID in record (${first}).` })).toEqual([
      { a: '<uid 1>', b: 'UID in record (<uid 1>).' },
    ]);
  });

  test('the version of a list is the server’s own and has no number', () => {
    const list = { kind: 'PlanList', metadata: { resourceVersion: '12', continue: 'abc' }, items: [] };
    expect(bodies(list)).toEqual([
      { kind: 'PlanList', metadata: { resourceVersion: '<version>', continue: '<token>' }, items: [] },
    ]);
  });

  test('names of the telling, generated names, times and ages are words', () => {
    const metadata = { name: 'made-abcde', generateName: 'made-', namespace: 'story-x1' };
    expect(
      bodies(
        { metadata, at: '2026-01-01T00:00:00Z', said: '"made-abcde" not found' },
        { cells: ['a', '5m3s'] },
      ),
    ).toEqual([
      {
        metadata: { name: '<generated 1>', generateName: 'made-', namespace: '<ns>' },
        at: '<time>',
        said: '"<generated 1>" not found',
      },
      { cells: ['a', '<age>'] },
    ]);
  });

  test('what is wrong with an object is told in one order, in its causes and in its message', () => {
    const status = (...fields: readonly string[]) => ({
      message: `Plan "p" is invalid: [${fields.map((field) => `${field}: Required value`).join(', ')}]`,
      details: { causes: fields.map((field) => ({ field, message: 'Required value' })) },
    });
    const [one, two] = bodies(status('b', 'a'), status('a', 'b'));
    expect(one).toEqual(two);
    expect(one).toEqual(status('a', 'b'));
  });

  test('a message that says something else than its causes is left as it is', () => {
    const status = {
      message: 'Plan "p" is invalid: [other]',
      details: { causes: [{ field: 'a', message: 'm' }] },
    };
    expect(bodies(status)).toEqual([status]);
  });

  test('managedFields are left out, and nothing else that differs is', () => {
    expect(bodies({ metadata: { managedFields: [{}], labels: { a: '1' } }, spec: { size: 5 } })).toEqual([
      { metadata: { labels: { a: '1' } }, spec: { size: 5 } },
    ]);
  });
});
