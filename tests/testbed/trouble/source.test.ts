import { describe, expect, test } from '@jest/globals';
import { secrets } from '../../../src/api/kinds.ts';
import { untilImport } from '../../support/trouble.ts';
import type { TestbedWorld } from '../../support/testbed-world.ts';
import {
  importerPod,
  isMovedInTheEnd,
  startSlowRun,
  untilHalfCopied,
  untilSaid,
  type RealRun,
} from './real-run.ts';

const another = 'an0ther-password';

/** As the last lines of its container go: what it was in the middle of begins anew. */
async function killImporter({ testbed, world }: RealRun): Promise<void> {
  const { metadata } = await importerPod(world);
  await testbed.killContainer({ namespace: world.targetNamespace, name: metadata.name });
}

async function editSecret(
  { client, planNamespace: namespace }: TestbedWorld,
  password: string,
): Promise<void> {
  await client.mergePatch(secrets, { namespace, name: 'vcenter' }, { stringData: { password } });
}

describe('in mid-copy', () => {
  test('a password that is changed at the vCenter is said, costs no lock-out, and the edit of the Secret cures it', async () => {
    await using run = await startSlowRun();
    const { world } = run;
    await untilHalfCopied(world);
    world.secrets.add(another);
    world.vcenter.setAccount(another);
    await killImporter(run);
    run.brake.release();
    await untilSaid(world, 'SourceUnavailable');
    await world.letPass(10);
    const { account } = world.vcenter;
    expect({ isLocked: account.locked, wrongTries: account.wrongTries }).toMatchObject({ isLocked: false });
    await editSecret(world, another);
    // What importers log in with was taken away meanwhile, and made anew.
    await isMovedInTheEnd(run, 2);
  });

  test('a vCenter that is gone for a while is said, and nothing that fails meanwhile counts', async () => {
    await using run = await startSlowRun({ settings: { importerRestarts: 0 } });
    const { world } = run;
    await untilHalfCopied(world);
    {
      using _outage = world.faults.start('vcenter-down');
      run.brake.release();
      await untilSaid(world, 'SourceUnavailable');
      // nbdkit tries on by itself for a minute before the importer fails.
      await untilImport(
        world,
        'an importer has failed',
        ({ status }) => (status?.disks?.[0]?.excused ?? 0) > 0,
        'web-01',
        100,
      );
    }
    await isMovedInTheEnd(run);
  });
});
