import { describe, expect, test } from '@jest/globals';
import { away, frozen, isMovedInTheEnd, startSlowRun, untilHalfCopied } from './real-run.ts';

const minuteMs = 60_000;
/** Longer than the other tests: a minute of it is the outage, and CDI is slow to come back. */
const limitMs = 5 * minuteMs;

describe('a cluster whose etcd answers nothing for a minute in mid-copy', () => {
  test(
    'costs that minute and nothing else',
    async () => {
      await using run = await startSlowRun();
      await untilHalfCopied(run.world);
      {
        await using _outage = await frozen(run.testbed, 'etcd');
        const writes = run.world.namespace(`${run.world.targetNamespace}-late`).then(() => 'was written');
        const minute = run.world.clock.sleep(minuteMs).then(() => 'a minute');
        expect(await Promise.race([writes.catch(() => minute), minute])).toBe('a minute');
      }
      run.brake.release();
      await isMovedInTheEnd(run);
    },
    limitMs,
  );
});

describe('an API server that is killed in mid-copy', () => {
  test(
    'is found again by everybody when it is back',
    async () => {
      await using run = await startSlowRun();
      await untilHalfCopied(run.world);
      {
        await using _away = await away(run.testbed, 'kube-apiserver');
        await run.world.clock.sleep(3000);
      }
      run.brake.release();
      await isMovedInTheEnd(run);
    },
    limitMs,
  );
});
