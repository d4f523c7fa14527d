import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { secrets } from '../../../src/api/kinds.ts';
import { untilImport, type Run } from '../../support/trouble.ts';
import type { TestbedWorld } from '../../support/testbed-world.ts';
import { cutoverNow, isMovedWarm, roundsOf, startWarm, tracked, untilCopied } from '../../support/warm.ts';
import { importerPod, onTestbed, untilSaid } from './real-run.ts';

const another = 'an0ther-password';
const block = 64 * 1024;
const written = 8;
const diskBytes = 4 * written * block;

interface WarmRun extends Run {
  readonly world: TestbedWorld;
  /** Of the source's disks. */
  readonly pace: { bytesPerSecond: number };
}

/** One disk, copied as fast as it goes until `pace` says otherwise. */
async function startPaced(settings: { readonly importerRestarts: number }): Promise<WarmRun> {
  const pace = { bytesPerSecond: Infinity };
  const run = await startWarm({ copy: pace, settings }, [tracked({ disks: [{ sizeBytes: diskBytes }] })]);
  return { ...run, world: onTestbed(run.world), pace };
}

/** The guest writes so much that the next round takes a while; resolves in the middle of it, to the round's number. */
async function inMiddleOfNext({ world, source, pace }: WarmRun): Promise<number> {
  const before = world.vcenter.bytesRead;
  pace.bytesPerSecond = block;
  // Each is an area of its own, and read by itself.
  for (let at = 0; at < diskBytes; at += 4 * block) source.disks[0]!.disk.write(at, randomBytes(block));
  await world.until('a part of it is copied', () =>
    Promise.resolve(world.vcenter.bytesRead > before || undefined),
  );
  return roundsOf(world);
}

async function killImporter(world: TestbedWorld): Promise<void> {
  const { metadata } = await importerPod(world);
  const at = { namespace: world.targetNamespace, name: metadata.name };
  expect(await world.testbed.killContainer(at)).toBe(true);
}

/** So many times an importer of the disk, in all rounds. */
async function untilFailed(world: TestbedWorld, times: number): Promise<void> {
  await untilImport(world, `has counted ${times}`, ({ status }) => {
    const counts = (status?.disks ?? []).flatMap(({ restarts = {} }) => Object.values(restarts));
    return counts.reduce((sum, count) => sum + count, 0) === times;
  });
}

describe('in the middle of a later round', () => {
  test('an importer that is killed begins that round again, and each round has a budget of its own', async () => {
    const run = await startPaced({ importerRestarts: 1 });
    await using world = run.world;
    await untilCopied(world, 1);
    for (const kills of [1, 2]) {
      const round = await inMiddleOfNext(run);
      await killImporter(world);
      await untilFailed(world, kills);
      run.pace.bytesPerSecond = Infinity;
      await untilCopied(world, round);
    }
    await cutoverNow(world);
    await isMovedWarm(run);
  });

  test('a vCenter that is gone for less than a minute is said, and the importer reads on where it was', async () => {
    const run = await startPaced({ importerRestarts: 0 });
    await using world = run.world;
    await untilCopied(world, 1);
    const before = world.vcenter.bytesRead;
    const round = await inMiddleOfNext(run);
    {
      using _outage = world.faults.start('vcenter-down');
      await untilSaid(world, 'SourceUnavailable');
    }
    await untilCopied(world, round);
    expect(world.vcenter.bytesRead - before).toBe(written * block);
    await cutoverNow(world);
    await isMovedWarm(run);
  });

  test('a password that is changed at the vCenter is said, and the edit of the Secret lets the round go on', async () => {
    // The first of them may be over before anybody knows why.
    const run = await startPaced({ importerRestarts: 1 });
    await using world = run.world;
    const object = await untilCopied(world, 1);
    // Who is logged in stays so: the round's importer is refused.
    world.secrets.add(another);
    world.vcenter.setAccount(another);
    await untilSaid(world, 'SourceUnavailable');
    const at = { namespace: world.planNamespace, name: 'vcenter' };
    await world.client.mergePatch(secrets, at, { stringData: { password: another } });
    await untilCopied(world, (object.status?.records?.roundsTotal ?? 0) + 1);
    await cutoverNow(world);
    await isMovedWarm(run);
    expect(world.vcenter.account.locked).toBe(false);
  });
});
