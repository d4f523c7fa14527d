import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { PersistentVolumeClaim } from '../../../src/api/external/core.ts';
import { dataVolumes, persistentVolumeClaims, pods, virtualMachines } from '../../../src/api/kinds.ts';
import { importLabel } from '../../../src/api/labels.ts';
import type { ResourceKind, Stored } from '../../../src/api/meta.ts';
import type { VirtualMachineImport } from '../../../src/api/virtual-machine-import.ts';
import { sandboxOnly } from '../../support/needs.ts';
import { diskBytes, planWith, untilClean } from '../../support/move.ts';
import { disksAreMoved } from '../../support/moved.ts';
import {
  eventsOf,
  importOf,
  namesOf,
  nothingLeft,
  once,
  saysWhy,
  slowCopy,
  startRun,
  untilCopying,
  untilEnded,
  untilImport,
  web,
  type Run,
} from '../../support/trouble.ts';
import type { TestWorld } from '../../support/world.ts';
import type { FaultName } from '../../../src/sandbox/world.ts';

async function isMoved({ world, source }: Run): Promise<void> {
  await planWith(world, 'Succeeded');
  await untilClean(world);
  const { disks } = (await importOf(world))!.spec;
  await disksAreMoved(
    world,
    source,
    disks.map(({ claimName }) => claimName),
  );
  expect(source.power).toBe('poweredOff');
}

async function isUnwound({ world, source }: Run): Promise<void> {
  await untilClean(world);
  expect(source.power).toBe('poweredOn');
  await nothingLeft(world);
}

const large = { ...web, disks: [{ sizeBytes: 8 << 20 }] };

const crashes = sandboxOnly({
  faults: 'importers that crash at the second third of a disk, and a kubelet that evicts',
});

function crashing(name: FaultName, times: number): Promise<Run> {
  return startRun(undefined, {
    prepare(world) {
      crashes.world(world).faults.start(name, { times });
      return Promise.resolve();
    },
  });
}

/** Takes away every object of a kind in the target namespace, as a hand would. */
async function deleteAll({ world }: Run, kind: ResourceKind): Promise<void> {
  const names = await namesOf(world, kind);
  expect(names).not.toEqual([]);
  for (const name of names) await world.client.delete(kind, { namespace: world.targetNamespace, name });
}

describe('an importer', () => {
  crashes.test('that crashes twice costs time, and the disk comes out whole', async () => {
    const run = await crashing('importer-crash', 2);
    await using _world = run.world;
    const object = await untilImport(run.world, 'has counted', ({ status }) =>
      Object.values(status?.disks?.[0]?.restarts ?? {}).includes(2),
    );
    expect(object.status?.disks?.[0]?.firstError).toContain('unexpected EOF');
    await isMoved(run);
  });

  crashes.test(
    'that crashes with much of a large disk copied has its disk copied anew, into a new claim',
    async () => {
      const run = await startRun([large], {
        prepare(world) {
          crashes.world(world).faults.start('importer-crash', { times: 1 });
          return Promise.resolve();
        },
      });
      await using _world = run.world;
      await isMoved(run);
      const [disk] = (await importOf(run.world))?.status?.disks ?? [];
      expect(disk).toMatchObject({ recopies: 1, state: 'done' });
      expect(await eventsOf(run.world, 'DiskRecopied')).toHaveLength(1);
    },
  );

  crashes.test('that crashes four times fails the VM with its first and last text', async () => {
    const run = await crashing('importer-crash', 4);
    await using _world = run.world;
    const end = await untilEnded(run.world);
    saysWhy(end, 'ImporterFailed', 'failed 4 times', 'unexpected EOF', 'log of the importer pod');
    await isUnwound(run);
  });

  crashes.test('whose pod is evicted is replaced, counted once', async () => {
    const run = await crashing('pod-evicted', 1);
    await using _world = run.world;
    const object = await untilImport(
      run.world,
      'has counted',
      ({ status }) => Object.keys(status?.disks?.[0]?.restarts ?? {}).length > 0,
    );
    expect(Object.values(object.status?.disks?.[0]?.restarts ?? {})).toEqual([1]);
    await isMoved(run);
  });

  crashes.test('whose pods are evicted again and again fails the VM', async () => {
    const run = await crashing('pod-evicted', 4);
    await using _world = run.world;
    const end = await untilEnded(run.world);
    saysWhy(end, 'ImporterFailed', 'failed 4 times', 'low on resource');
    await isUnwound(run);
  });

  test('whose pod somebody deletes is replaced, and the disk comes out whole', async () => {
    const run = await startRun(undefined, slowCopy);
    await using _world = run.world;
    await untilCopying(run.world);
    await deleteAll(run, pods);
    await isMoved(run);
  });
});

crashes.test(
  'an importer that CDI starts once more over a disk that is done: the disk is copied anew',
  async () => {
    const disks = [{ sizeBytes: 2 << 20 }, { sizeBytes: 16 << 20 }];
    const run = await startRun([{ ...web, disks }], {
      sandbox: { cdi: { copyBytesPerSecond: 1 << 20 } },
      prepare(world, [source]) {
        for (const { disk } of source!.disks) disk.write(0, Buffer.alloc(disk.sizeBytes, 1));
        crashes.world(world).faults.start('importer-again', { times: 1 });
        return Promise.resolve();
      },
    });
    await using _world = run.world;
    await isMoved(run);
    expect(await eventsOf(run.world, 'DiskRecopied')).toHaveLength(1);
  },
);

const narrow = sandboxOnly({ simulated: 'a file system that takes more of its volume than CDI has added' });

narrow.describe('a disk that does not fit on the file system of its volume', () => {
  test('gets a larger volume, once, and moves', async () => {
    const run = await startRun([large], { sandbox: { cdi: { filesystemTakes: 0.08 } } });
    await using _world = run.world;
    await isMoved(run);
    const [disk] = (await importOf(run.world))?.status?.disks ?? [];
    expect(disk).toMatchObject({ isLarger: true, state: 'done' });
    const [event] = await eventsOf(run.world, 'DiskRecopied');
    expect(event?.message).toContain('into a larger claim');
  });

  test('and not on the larger one either: fails with the sizes, source on', async () => {
    const run = await startRun([large], { sandbox: { cdi: { filesystemTakes: 0.2 } } });
    await using _world = run.world;
    const end = await untilEnded(run.world);
    const bytes = run.source.disks[0]!.disk.sizeBytes;
    saysWhy(end, 'VolumeTooSmall', `virtual image size ${bytes} is larger than`, 'storage class');
    await isUnwound(run);
  });
});

describe('somebody deletes by hand', () => {
  test('the DataVolume in the middle of the copy: the VM fails and says so, source on', async () => {
    const run = await startRun(undefined, slowCopy);
    await using _world = run.world;
    await untilCopying(run.world);
    await deleteAll(run, dataVolumes);
    const end = await untilEnded(run.world);
    const { claimName } = end.object.spec.disks[0]!;
    saysWhy(end, 'DataVolumeDeleted', `${run.world.targetNamespace}/${claimName}`, 'copied anew');
    await isUnwound(run);
  });

  test('the claim in the middle of the copy: what comes out in the end is whole, or nothing', async () => {
    const run = await startRun(undefined, slowCopy);
    await using _world = run.world;
    await untilCopying(run.world);
    await deleteAll(run, persistentVolumeClaims);
    await isMoved(run);
  });

  test('the claim when it is full, before there is a VM: the VM fails, source on', async () => {
    const run = await startRun(undefined, {
      atBoundary: (world) =>
        once('before', 'deleteAccess', async () => {
          const names = await namesOf(world, persistentVolumeClaims);
          for (const name of names) {
            await world.client.delete(persistentVolumeClaims, { namespace: world.targetNamespace, name });
          }
        }),
    });
    await using _world = run.world;
    const end = await untilEnded(run.world);
    saysWhy(end, 'ClaimLost', (await importOf(run.world))!.spec.disks[0]!.claimName, 'copied anew');
    await isUnwound(run);
  });

  test('the claim of one disk when it is full, while another is copied: it is copied anew', async () => {
    const two = { ...web, disks: [{ sizeBytes: diskBytes }, { sizeBytes: 4 * diskBytes }] };
    const run = await startRun([two], { copy: { bytesPerSecond: 64 * 1024 } });
    await using _world = run.world;
    const object = await untilImport(
      run.world,
      'has one disk',
      ({ status }) =>
        status?.phase === 'CopyDisks' &&
        status.disks?.[0]?.state === 'done' &&
        status.disks[1]?.state === 'copying',
    );
    const { claimName } = object.spec.disks[0]!;
    await run.world.client.delete(persistentVolumeClaims, {
      namespace: run.world.targetNamespace,
      name: claimName,
    });
    await isMoved(run);
  });

  test.each(['ReleaseVolumes giveClaimToVm', 'ReleaseVolumes deleteDataVolume'])(
    'the new VM before it starts (%s): the VM fails, source on',
    async (boundary) => {
      const run = await startRun(undefined, {
        atBoundary: (world) =>
          once('after', boundary, async () => {
            await world.client.delete(virtualMachines, { namespace: world.targetNamespace, name: 'web-01' });
          }),
      });
      await using _world = run.world;
      const end = await untilEnded(run.world);
      saysWhy(end, 'TargetDeleted', `${run.world.targetNamespace}/web-01`);
      await isUnwound(run);
    },
  );
});

describe('a claim for a DataVolume that is gone, as of a CDI whose caches are behind', () => {
  test.each<['before' | 'after', string]>([
    ['after', 'PowerOffSource powerOff'],
    ['before', 'CreateDataVolumes createDataVolume'],
  ])('that is there %s %s is out of the way in the end, and the disk moves', async (when, boundary) => {
    const run = await startRun(undefined, {
      atBoundary: (world) =>
        once(when, boundary, async () => {
          await createStray(world, (await importOf(world))!);
        }),
    });
    await using _world = run.world;
    await isMoved(run);
  });

  async function createStray(
    { client, targetNamespace: namespace }: TestWorld,
    { metadata: { uid }, spec }: Stored<VirtualMachineImport>,
  ): Promise<void> {
    const { claimName: name, class: storageClassName } = spec.disks[0]!;
    const { apiVersion, kind } = { apiVersion: 'cdi.kubevirt.io/v1beta1', kind: 'DataVolume' };
    const owner = { apiVersion, kind, name, uid: randomUUID(), controller: true, blockOwnerDeletion: true };
    await client.create<PersistentVolumeClaim>(persistentVolumeClaims, {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { namespace, name, labels: { [importLabel]: uid }, ownerReferences: [owner] },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName,
        resources: { requests: { storage: '1Mi' } },
      },
    });
  }
});
