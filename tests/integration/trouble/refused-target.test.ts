import { describe, expect, test } from '@jest/globals';
import { findCondition } from '../../../src/api/conditions.ts';
import type { DataVolume } from '../../../src/api/external/cdi.ts';
import {
  dataVolumes,
  namespaces,
  persistentVolumeClaims,
  resourceQuotas,
  storageClasses,
  virtualMachines,
} from '../../../src/api/kinds.ts';
import { planWith, untilClean } from '../../support/move.ts';
import { sandboxOnly } from '../../support/needs.ts';
import { makeQuota, untilOverQuota } from '../../support/quota.ts';
import {
  importOf,
  nothingLeft,
  once,
  powerCalls,
  saysWhy,
  slowCopy,
  startRun,
  untilCopying,
  untilEnded,
  untilImport,
} from '../../support/trouble.ts';
import { addClass, useClass } from '../../support/storage.ts';
import type { TestWorld } from '../../support/world.ts';

/** The testbed's own tests have a policy of the real API server refuse. */
const refusing = sandboxOnly({ faults: 'an admission that refuses when it is told to' });

/** An admission of the site's own that refuses new VMs while `isOn` says so. */
function refuseVms(world: TestWorld, isOn: (dryRun: boolean) => boolean): void {
  refusing
    .world(world)
    .sandbox.api.admit(virtualMachines, ({ operation, object, dryRun }) =>
      operation === 'CREATE' && isOn(dryRun)
        ? { denied: 'VMs need the label cost-center', webhook: 'policy.example' }
        : object,
    );
}

async function noDataVolumes(world: TestWorld): Promise<void> {
  await makeQuota(world, world.targetNamespace, { 'count/datavolumes.cdi.kubevirt.io': '0' });
  const wanted: DataVolume = {
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'DataVolume',
    metadata: { name: 'wanted', namespace: world.targetNamespace },
    spec: { source: { blank: {} }, storage: { resources: { requests: { storage: '1Mi' } } } },
  };
  await untilOverQuota(world, dataVolumes, wanted);
}

refusing.describe('a VM that the target cluster refuses', () => {
  test('is found before its source is touched, with the refuser’s own words', async () => {
    const { world, source } = await startRun(undefined, {
      prepare(prepared) {
        refuseVms(prepared, () => true);
        return Promise.resolve();
      },
    });
    await using _world = world;
    const end = await untilEnded(world);
    saysWhy(end, 'TargetRefused', `${world.targetNamespace}/web-01`, 'policy.example', 'cost-center');
    expect(powerCalls(world)).toEqual([]);
    expect(source.power).toBe('poweredOn');
    await untilClean(world);
    await nothingLeft(world);
  });

  test('only right before the power-off costs nothing either', async () => {
    let looks = 0;
    const { world, source } = await startRun(undefined, {
      async prepare(prepared) {
        await prepared.namespace(prepared.targetNamespace);
        refuseVms(prepared, (dryRun) => dryRun && (looks += 1) > 1);
      },
    });
    await using _world = world;
    const end = await untilEnded(world);
    saysWhy(end, 'TargetRefused', 'cost-center');
    expect(end.object.status?.error?.phase).toBe('PowerOffSource');
    expect(powerCalls(world)).toEqual([]);
    expect(source.power).toBe('poweredOn');
  });

  test('only after the copy, when its source was on: all is taken back and the source runs again', async () => {
    const { world, source } = await startRun(undefined, {
      prepare(prepared) {
        refuseVms(prepared, (dryRun) => !dryRun);
        return Promise.resolve();
      },
    });
    await using _world = world;
    const end = await untilEnded(world);
    saysWhy(end, 'TargetRefused', 'cost-center');
    expect(end.object.status?.error?.phase).toBe('CreateVM');
    await untilClean(world);
    expect(source.power).toBe('poweredOn');
    await nothingLeft(world);
  });

  describe('only after the copy, when its source was off anyway', () => {
    async function refusedAfterCopy(): Promise<{ world: TestWorld; relent: () => void }> {
      let isOn = true;
      const { world } = await startRun([{ name: 'web-01', power: 'off' }], {
        prepare(prepared) {
          refuseVms(prepared, (dryRun) => !dryRun && isOn);
          return Promise.resolve();
        },
      });
      await untilImport(world, 'is refused', ({ status }) => status?.waitingFor === 'TargetRefused');
      return { world, relent: () => (isOn = false) };
    }

    test('keeps the disks, says so, and goes on as soon as it is let', async () => {
      const { world, relent } = await refusedAfterCopy();
      await using _world = world;
      await world.letPass(40 * 60);
      const object = await importOf(world);
      expect(findCondition(object?.status?.conditions, 'TargetRefused')?.message).toContain('cost-center');
      expect(object?.status?.message).toMatch(/cost-center.* until /);
      relent();
      await planWith(world, 'Succeeded', 'plan', 120);
    });

    test('gives up after an hour, and nothing is left', async () => {
      const { world } = await refusedAfterCopy();
      await using _world = world;
      await world.letPass(55 * 60);
      expect((await importOf(world))?.status?.outcome).toBeUndefined();
      const end = await untilEnded(world, 'web-01', 600);
      saysWhy(end, 'TargetRefused', 'cost-center');
      await untilClean(world);
      await nothingLeft(world);
    });
  });
});

describe('a target cluster that changes under a run', () => {
  sandboxOnly({ skipTime: 'the 10 min that room is waited for' }).test(
    'without room in its quota any more: fails after 10 min with the quota’s words, source on',
    async () => {
      const { world, source } = await startRun(undefined, {
        atBoundary: (at) =>
          once('before', 'createDataVolume', () =>
            makeQuota(at, at.targetNamespace, { persistentvolumeclaims: '0' }),
          ),
      });
      await using _world = world;
      const end = await untilEnded(world);
      saysWhy(end, 'QuotaExceeded', 'exceeded quota: small', 'Raise the quota');
      await untilClean(world);
      expect(source.power).toBe('poweredOn');
      await nothingLeft(world);
    },
  );

  sandboxOnly({ skipTime: 'the minutes between two tries of CDI' }).test(
    'whose quota is raised in time: goes on',
    async () => {
      const { world } = await startRun(undefined, {
        atBoundary: (at) =>
          once('before', 'createDataVolume', () =>
            makeQuota(at, at.targetNamespace, { persistentvolumeclaims: '0' }),
          ),
      });
      await using _world = world;
      await untilImport(world, 'copies', ({ status }) => status?.phase === 'CopyDisks');
      await untilImport(
        world,
        'says so',
        ({ status }) => status?.message?.includes('exceeded quota: small') === true,
      );
      await world.letPass(5 * 60);
      await world.client.delete(resourceQuotas, { namespace: world.targetNamespace, name: 'small' });
      await planWith(world, 'Succeeded', 'plan', 600);
    },
  );

  test('that refuses the DataVolumes: fails at once, source on', async () => {
    const { world, source } = await startRun(undefined, {
      atBoundary: (at) => once('before', 'createDataVolume', () => noDataVolumes(at)),
    });
    await using _world = world;
    const end = await untilEnded(world);
    saysWhy(end, 'DataVolumeRefused', 'exceeded quota');
    await untilClean(world);
    expect(source.power).toBe('poweredOn');
    await nothingLeft(world);
  });

  refusing.test('that takes no DataVolumes at all: is found before the source is touched', async () => {
    const { world } = await startRun(undefined, {
      prepare(prepared) {
        refusing
          .world(prepared)
          .sandbox.api.admit(dataVolumes, ({ operation, object }) =>
            operation === 'CREATE' ? { denied: 'none today', webhook: 'site.example.org' } : object,
          );
        return Promise.resolve();
      },
    });
    await using _world = world;
    const end = await untilEnded(world);
    saysWhy(end, 'DataVolumeRefused', 'none today');
    expect(end.object.status?.error?.phase).toBe('Preflight');
    expect(powerCalls(world)).toEqual([]);
    await untilClean(world);
    await nothingLeft(world);
  });

  sandboxOnly({ skipTime: 'the minutes that a claim has' }).test(
    'without the storage class any more, before the claims: fails in time and names it, source on',
    async () => {
      const { world, source } = await startRun(undefined, {
        atBoundary: (at) =>
          once('before', 'createDataVolume', async () => {
            await at.client.delete(storageClasses, { name: 'standard' });
          }),
      });
      await using _world = world;
      const end = await untilEnded(world);
      expect(end.object.status?.error?.message).toContain('standard');
      saysWhy(end, end.object.status?.error?.code ?? '');
      expect(['ClaimNotValid', 'VolumeNotBound']).toContain(end.object.status?.error?.code);
      await untilClean(world);
      expect(source.power).toBe('poweredOn');
      await nothingLeft(world);
    },
  );

  test('without the storage class any more, in the middle of the copy: the copy ends well', async () => {
    const { world } = await startRun(undefined, {
      ...slowCopy,
      async prepare(prepared) {
        await addClass(prepared, 'fast');
        await useClass(prepared, { storageClass: 'fast', accessMode: 'ReadWriteOnce' });
      },
    });
    await using _world = world;
    await untilCopying(world);
    await world.client.delete(storageClasses, { name: 'fast' });
    await planWith(world, 'Succeeded');
  });

  test('without the target namespace: nothing immortal is left, and the source runs again', async () => {
    const { world, source } = await startRun(undefined, slowCopy);
    await using _world = world;
    await untilCopying(world);
    await world.client.delete(namespaces, { name: world.targetNamespace });
    const end = await untilEnded(world);
    expect(end.object.status?.outcome).toBe('Failed');
    await untilClean(world);
    expect(source.power).toBe('poweredOn');
    await world.until('the namespace is gone', async () =>
      (await world.client.get(namespaces, { name: world.targetNamespace })) === undefined ? true : undefined,
    );
    const { items } = await world.client.list(persistentVolumeClaims, { namespace: world.targetNamespace });
    expect(items).toEqual([]);
  });
});
