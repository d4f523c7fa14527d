import { describe, expect, test } from '@jest/globals';
import type { Stored } from '../../../src/api/meta.ts';
import type { Migration } from '../../../src/api/migration.ts';
import type { Plan } from '../../../src/api/plan.ts';
import { nextMigration, planKeyOf } from '../../../src/controllers/run/migrations.ts';

function migration(name: string, made: string, status?: object, more: object = {}): Stored<Migration> {
  const metadata = {
    name,
    namespace: 'ns',
    uid: name,
    resourceVersion: '1',
    creationTimestamp: made,
    ...more,
  };
  return { metadata, spec: { plan: { name: 'plan' } }, status } as unknown as Stored<Migration>;
}
const plan = (ran: readonly string[]): Plan =>
  ({ status: { migration: { history: ran.map((uid) => ({ migration: { uid } })) } } }) as unknown as Plan;
const ended = { conditions: [{ type: 'Failed', status: 'True' }] };

describe('the next run of a plan', () => {
  test('is its oldest Migration, and of two of one second the first by name', () => {
    const all = [
      migration('b', '2026-01-01T00:00:01Z'),
      migration('a', '2026-01-01T00:00:01Z'),
      migration('c', '2026-01-01T00:00:02Z'),
    ];
    expect(nextMigration(all, plan([]))?.metadata.name).toBe('a');
  });

  test('is none that has ended, is being deleted or has had its run', () => {
    const all = [
      migration('ended', '2026-01-01T00:00:01Z', ended),
      migration('going', '2026-01-01T00:00:02Z', undefined, { deletionTimestamp: '2026-01-01T00:00:03Z' }),
      migration('ran', '2026-01-01T00:00:03Z'),
      migration('next', '2026-01-01T00:00:04Z'),
    ];
    expect(nextMigration(all, plan(['ran']))?.metadata.name).toBe('next');
    expect(nextMigration(all.slice(0, 3), plan(['ran']))).toBeUndefined();
  });
});

test('a Migration that names no namespace means the plan beside it', () => {
  expect(planKeyOf(migration('a', '2026-01-01T00:00:00Z'))).toBe('ns/plan');
});
