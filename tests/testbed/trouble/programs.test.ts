import { describe, expect, test } from '@jest/globals';
import { dataVolumes } from '../../../src/api/kinds.ts';
import { namesOf, once, untilImport, web } from '../../support/trouble.ts';
import {
  away,
  isMovedOnceInTheEnd,
  onTestbed,
  slowDisk,
  startRealRun,
  untilHalfCopied,
  untilSaid,
  type Outage,
} from './real-run.ts';

describe('CDI', () => {
  test('whose webhook server is away at the start is waited for, and said so', async () => {
    await using stack = new AsyncDisposableStack();
    let outage!: Outage;
    await using run = await startRealRun([web], {
      async prepare(world) {
        outage = stack.use(await away(onTestbed(world).testbed, 'cdi-apiserver'));
      },
    });
    await untilSaid(run.world, 'TargetUnavailable', 'datavolumes', 'webhook');
    expect(await namesOf(run.world, dataVolumes)).toEqual([]);
    await outage.end();
    await isMovedOnceInTheEnd(run);
  });

  test('whose controller is away in mid-copy goes on where it was', async () => {
    await using run = await startRealRun([slowDisk.vm], { copy: slowDisk.copy });
    await untilHalfCopied(run.world);
    {
      await using _away = await away(run.testbed, 'cdi-controller');
      // The importer ends meanwhile, and nobody sees it.
      await run.world.clock.sleep(10_000);
    }
    await isMovedOnceInTheEnd(run);
  });
});

describe('KubeVirt', () => {
  test('whose API is away when the VM is to be made is waited for, and said so', async () => {
    await using stack = new AsyncDisposableStack();
    let outage!: Outage;
    await using run = await startRealRun([web], {
      atBoundary: (world) =>
        once('before', 'CreateVM createVm', async () => {
          outage = stack.use(await away(onTestbed(world).testbed, 'virt-api'));
        }),
    });
    await untilImport(run.world, 'is to make its VM', ({ status }) => status?.phase === 'CreateVM');
    await untilSaid(run.world, 'TargetUnavailable', 'virtualmachines', 'webhook');
    expect(run.source.power).toBe('poweredOff');
    await outage.end();
    await isMovedOnceInTheEnd(run);
  });
});
