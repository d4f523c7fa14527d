import { describe, expect, test } from '@jest/globals';
import type { ApiResponse } from '../../../src/kube/transport.ts';
import { TransportError } from '../../../src/kube/transport.ts';
import { planWith, plannedWorld, untilClean } from '../../support/move.ts';
import { isMovedOnce } from '../../support/moved.ts';
import { isOnTestbed, sandboxOnly } from '../../support/needs.ts';
import { migrationObject } from '../../support/objects.ts';
import {
  importOf,
  once,
  slowCopy,
  startRun,
  Stores,
  untilCopying,
  web,
  type Run,
} from '../../support/trouble.ts';

const minute = 60_000;
/** The testbed's own tests stop the real one. */
const only = sandboxOnly({ faults: 'an API server that is away, or answers as it is told' });

/** Nobody reaches the server: not the controller, not CDI, not KubeVirt. */
async function outage({ world }: Pick<Run, 'world'>, minutes: number): Promise<void> {
  using _outage = only.world(world).faults.start('api-outage');
  await world.clock.sleep(minutes * minute);
}

async function isMovedInOrder(run: Run, made: Stores): Promise<void> {
  const { world, source } = run;
  await planWith(world, 'Succeeded');
  await untilClean(world);
  await isMovedOnce(world, source, made);
  const { status } = (await importOf(world))!;
  const { power, copyCompleteAt, committedAt } = status!.records!;
  const times = [
    status?.started,
    power?.offRequestedAt,
    power?.offSeenAt,
    copyCompleteAt,
    committedAt,
    status?.completed,
  ];
  expect(times.map((time) => Date.parse(time!))).toEqual(
    times.map((time) => Date.parse(time!)).sort((a, b) => a - b),
  );
  for (const step of status?.steps ?? []) {
    expect(Date.parse(step.completedAt!)).toBeGreaterThanOrEqual(Date.parse(step.startedAt!));
  }
}

only.describe('an API server', () => {
  describe.each([1, 5, 15])('that is away for %i min', (minutes) => {
    test('in the middle of the copy fails nothing', async () => {
      let made!: Stores;
      const run = await startRun(undefined, {
        ...slowCopy,
        prepare: (world) => Promise.resolve(void (made = new Stores(only.world(world)))),
      });
      await using world = run.world;
      await untilCopying(world);
      await outage(run, minutes);
      await isMovedInOrder(run, made);
    });

    test.each(['PowerOffSource powerOff', 'CreateVM createVm', 'StartVM setRunStrategy'])(
      'right after %s fails nothing, and what goes on then goes on within a minute',
      async (boundary) => {
        let made!: Stores;
        let backAt = 0;
        const run = await startRun(undefined, {
          prepare: (world) => Promise.resolve(void (made = new Stores(only.world(world)))),
          atBoundary: (world) =>
            once('after', boundary, () => {
              // Not waited for: the controller goes on into it.
              void outage({ world }, minutes).then(() => (backAt = world.clock.now()));
            }),
        });
        await using world = run.world;
        await world.until('it is over', () => Promise.resolve(backAt > 0 || undefined));
        await isMovedInOrder(run, made);
        const { completed } = (await importOf(world))!.status!;
        expect(Date.parse(completed!) - backAt).toBeLessThan(2 * minute);
      },
    );
  });
});
only.describe('watches', () => {
  test.each(['watch-cut', 'watch-gone'] as const)(
    'that break again and again (%s) lose nothing',
    async (fault) => {
      const run = await startRun(undefined, slowCopy);
      await using world = run.world;
      await untilCopying(world);
      for (let times = 0; times < 10; times += 1) {
        using _fault = only.world(world).faults.start(fault, { times: 20 });
        if (fault === 'watch-gone') only.world(world).sandbox.api.compact();
        await world.clock.sleep(10_000);
      }
      await planWith(world, 'Succeeded');
      await untilClean(world);
      expect(run.source.power).toBe('poweredOff');
    },
  );
});

// ---- every write, once ----------------------------------------------------------------------------------------------------------------

function refusal(code: number, reason: string, message: string, retryAfter?: number): ApiResponse {
  return {
    status: code,
    headers: {
      'content-type': 'application/json',
      ...(retryAfter !== undefined && { 'retry-after': `${retryAfter}` }),
    },
    body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason, code, message },
  };
}

type Trouble = 'answer lost' | 'never arrives' | 500 | 409 | 429;
const answers: Readonly<Record<500 | 409 | 429, ApiResponse>> = {
  500: refusal(500, 'InternalError', 'etcdserver: request timed out'),
  409: refusal(
    409,
    'Conflict',
    'the object has been modified; please apply your changes to the latest version',
  ),
  429: refusal(429, 'TooManyRequests', 'Too many requests, please try again later.', 1),
};

const writes = isOnTestbed ? [] : await recordWrites();

async function recordWrites(): Promise<readonly string[]> {
  const { world } = await plannedWorld([web]);
  await using _world = world;
  const passed: string[] = [];
  await world.apply(migrationObject(world));
  world.startController({
    atWrite: () => (when, what) => {
      if (when === 'before') passed.push(kindOf(what));
    },
  });
  await planWith(world, 'Succeeded');
  await untilClean(world);
  return passed;
}

/** "PATCH virtualmachineimports status": what is written, without which one. */
function kindOf(what: string): string {
  const [method = '', path = ''] = what.split(' ');
  const parts = path
    .replace(/^\/apis?\/([^/]+\/)?v[^/]+\//, '')
    .replace(/^namespaces\/[^/]+\//, '')
    .split('/');
  return [method, parts[0], parts[2]].filter((part) => part !== undefined).join(' ');
}

/** A conflict is an answer to a write that names a version, and a name that is taken never comes of it. */
function mayMeet(what: string, trouble: Trouble): boolean {
  return trouble !== 409 || !what.startsWith('POST');
}

const cases = ([...new Set(writes)] as const).flatMap((kind) =>
  (['answer lost', 'never arrives', 500, 409, 429] as const)
    .filter((trouble) => mayMeet(kind, trouble))
    .map((trouble) => [kind, trouble] as const),
);

only.describe('trouble with a write', () => {
  test('is tried for all of them', () => {
    expect(cases.length).toBeGreaterThan(50);
    for (const verb of ['POST', 'PATCH', 'DELETE'])
      expect(cases.some(([what]) => what.startsWith(verb))).toBe(true);
  });

  test.each(cases)('each "%s" once: %s, and the VM moves all the same', async (kind, trouble) => {
    const hit = new Set<string>();
    const strikes = (what: string): boolean => {
      if (kindOf(what) !== kind || hit.has(what)) return false;
      hit.add(what);
      return true;
    };
    const { world, sources } = await plannedWorld([web]);
    await using _world = world;
    const made = new Stores(only.world(world));
    await world.apply(migrationObject(world));
    world.startController(
      typeof trouble === 'number'
        ? { answerWrite: (what) => (strikes(what) ? answers[trouble] : undefined) }
        : {
            atWrite: () => (when, what) => {
              const isNow = when === (trouble === 'never arrives' ? 'before' : 'after');
              if (isNow && strikes(what)) throw new TransportError('ConnectionLost', `${what}: ${trouble}`);
            },
          },
    );
    await planWith(world, 'Succeeded');
    await untilClean(world);
    expect(hit.size).toBeGreaterThan(0);
    await isMovedOnce(world, sources[0]!, made);
  });
});
