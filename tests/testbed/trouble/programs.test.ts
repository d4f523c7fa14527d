import { describe, expect, test } from '@jest/globals';
import { dataVolumes } from '../../../src/api/kinds.ts';
import { namesOf, once, untilImport, web } from '../../support/trouble.ts';
import {
  away,
  importerPod,
  isMovedInTheEnd,
  onTestbed,
  startSlowRun,
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
    expect(run.source.power).toBe('poweredOn');
    await outage.end();
    await isMovedInTheEnd(run);
  });

  test('whose controller is away in mid-copy goes on where it was', async () => {
    await using run = await startSlowRun();
    await untilHalfCopied(run.world);
    {
      await using _away = await away(run.testbed, 'cdi-controller');
      run.brake.release();
      // Nobody of CDI sees it.
      await run.world.until('the importer has ended', async () =>
        (await importerPod(run.world)).status?.phase === 'Succeeded' ? true : undefined,
      );
    }
    await isMovedInTheEnd(run);
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
    await isMovedInTheEnd(run);
  });
});
