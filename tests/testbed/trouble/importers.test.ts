import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { persistentVolumeClaims, pods } from '../../../src/api/kinds.ts';
import { evictAnnotation } from '../../../hack/testbed/node/pod-runner.ts';
import { untilClean } from '../../support/move.ts';
import { nothingLeft, saysWhy, untilEnded, untilImport } from '../../support/trouble.ts';
import type { TestbedWorld } from '../../support/testbed-world.ts';
import { Brake, importerPod, isMovedInTheEnd, startSlowRun, untilHalfCopied } from './real-run.ts';

/** What the import's own books have of the first failure of the first disk, once they have so many; the present message goes with its pod. */
async function untilCounted(world: TestbedWorld, count: number): Promise<string> {
  const { status } = await untilImport(world, `has counted ${count}`, (object) => {
    const [disk] = object.status?.disks ?? [];
    return Object.values(disk?.restarts ?? {}).reduce((sum, one) => sum + one, 0) === count;
  });
  return status?.disks?.[0]?.firstError ?? '';
}

/** Writes into the claim's file system until it is full; the path of what was written. */
async function fillUp(world: TestbedWorld): Promise<string> {
  const { items } = await world.client.list(persistentVolumeClaims, { namespace: world.targetNamespace });
  const volume = await world.testbed.volume(items[0]?.metadata.uid ?? '');
  if (volume === undefined) throw new Error('the claim has no volume');
  const path = join(volume.path, 'somebody-elses');
  const file = openSync(path, 'w');
  try {
    for (;;) writeSync(file, Buffer.alloc(4096, 1));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(file);
  }
  return path;
}

describe('an importer', () => {
  test('that is killed in mid-copy starts again, which is counted and said', async () => {
    await using run = await startSlowRun();
    const { world, testbed } = run;
    await untilHalfCopied(world);
    const pod = await importerPod(world);
    const at = { namespace: world.targetNamespace, name: pod.metadata.name };
    expect(await testbed.killContainer(at)).toBe(true);
    run.brake.release();
    expect(await untilCounted(world, 1)).toBe('The importer was killed (signal 9).');
    await isMovedInTheEnd(run);
  });

  test('that is killed with much of the disk copied has it copied anew, into a new claim', async () => {
    await using run = await startSlowRun(
      {
        prepare(_world, sources) {
          const [disk] = sources[0]?.disks ?? [];
          disk?.disk.write(0, randomBytes(disk.disk.sizeBytes));
          return Promise.resolve();
        },
      },
      new Brake(256 * 1024),
    );
    const { world, testbed } = run;
    await untilImport(world, 'has copied most', ({ status }) => (status?.disks?.[0]?.percent ?? 0) >= 30);
    const { metadata } = await importerPod(world);
    await testbed.killContainer({ namespace: world.targetNamespace, name: metadata.name });
    run.brake.release();
    expect(await isMovedInTheEnd(run)).toBe(1);
  });

  test('whose pod is evicted in mid-copy is replaced, counted once, with the node’s words', async () => {
    await using run = await startSlowRun();
    const { world } = run;
    await untilHalfCopied(world);
    const { metadata } = await importerPod(world);
    const words = 'The node was low on resource: memory.';
    const annotations = { [evictAnnotation]: words };
    const at = { namespace: world.targetNamespace, name: metadata.name };
    await world.client.mergePatch(pods, at, { metadata: { annotations } });
    run.brake.release();
    expect(await untilCounted(world, 1)).toBe(words);
    await isMovedInTheEnd(run);
  });
});

describe('a volume that is full in mid-copy', () => {
  test('fails the VM in the importer’s words, and its source runs again', async () => {
    await using run = await startSlowRun({ settings: { importerRestarts: 1 } });
    const { world, source } = run;
    await untilHalfCopied(world);
    await fillUp(world);
    run.brake.release();
    const end = await untilEnded(world);
    saysWhy(end, 'ImporterFailed', 'no space left on device');
    await untilClean(world);
    expect(source.power).toBe('poweredOn');
    await nothingLeft(world);
  });

  test('and has room again in time is filled all the same', async () => {
    await using run = await startSlowRun();
    const { world } = run;
    await untilHalfCopied(world);
    const path = await fillUp(world);
    run.brake.release();
    expect(await untilCounted(world, 1)).toContain('no space left on device');
    rmSync(path);
    await isMovedInTheEnd(run);
  });
});
