import { describe, expect, test } from '@jest/globals';
import {
  dataVolumes,
  persistentVolumeClaims,
  plans,
  resourceQuotas,
  storageClasses,
  storageProfiles,
  storageMaps,
  virtualMachines,
} from '../../../src/api/kinds.ts';
import type { PersistentVolumeClaim, ResourceQuota } from '../../../src/api/external/core.ts';
import { isKubeError } from '../../../src/kube/errors.ts';
import { plannedWorld, untilClean } from '../../support/move.ts';
import { sandboxOnly } from '../../support/needs.ts';
import { nothingWithOurLabel } from '../../support/moved.ts';
import { migrationObject } from '../../support/objects.ts';
import { addClass, useClass } from '../../support/storage.ts';
import type { TestWorld } from '../../support/world.ts';
import {
  edit,
  isUntouched,
  movesAfterAll,
  planNow,
  planSays,
  soonSeconds,
  untilCondition,
  ends,
  vmStatusOf,
} from './looking.ts';

const web = { name: 'web-01', power: 'on' } as const;

function quota(
  { targetNamespace: namespace }: TestWorld,
  hard: Readonly<Record<string, string>>,
): ResourceQuota {
  return {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'small', namespace },
    spec: { hard },
  };
}

async function setQuota(world: TestWorld, hard: Readonly<Record<string, string>>): Promise<void> {
  const at = { namespace: world.targetNamespace, name: 'small' };
  await world.client.mergePatch(resourceQuotas, at, { spec: { hard } });
}

function claimOfSomebody({ targetNamespace: namespace }: TestWorld, storage: string): PersistentVolumeClaim {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'somebody-elses', namespace },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'standard',
      resources: { requests: { storage } },
    },
  };
}

/** Acts when the Plan was found Ready and its run begins, before there is an import. */
async function betweenPlanAndStart(world: TestWorld, act: () => Promise<void>): Promise<void> {
  let hasActed = false;
  world.startController({
    atWrite: () => async (when, what) => {
      if (hasActed || when !== 'before' || !/^POST .*\/virtualmachineimports$/.test(what)) return;
      hasActed = true;
      await act();
    },
  });
  await planSays(world, 'Ready');
  await world.apply(migrationObject(world));
}

async function failedUntouched(world: TestWorld, code: RegExp): Promise<string> {
  await ends(world, 'Failed');
  await untilClean(world);
  await nothingWithOurLabel(world);
  const vm = await vmStatusOf(world, 'web-01');
  const [object] = await world.imports();
  expect(object?.status?.error?.code).toMatch(code);
  expect(vm?.error?.reasons.join(' ')).toContain(object?.status?.error?.message);
  expect(await world.get(virtualMachines, world.targetNamespace, 'web-01')).toBeUndefined();
  return `${object?.status?.error?.message ?? ''} ${object?.status?.error?.hint ?? ''}`;
}

describe('a storage class', () => {
  test('that is not there when the Plan is judged is named by map and Plan, which are Ready when it is created', async () => {
    const { world, sources } = await plannedWorld([web]);
    await using _world = world;
    const map = [
      { source: { name: 'datastore1' }, destination: { storageClass: 'fast', accessMode: 'ReadWriteOnce' } },
    ];
    await edit(world, storageMaps, 'storage', { spec: { map } });
    world.startController();
    const condition = await untilCondition(world, storageMaps, 'storage', 'DestinationStorageNotValid');
    expect(condition).toMatchObject({ category: 'Critical', reason: 'NotFound', items: ['fast'] });
    await planSays(world, 'StorageMapNotReady');
    isUntouched(world, sources[0]!);
    await addClass(world, 'fast');
    await movesAfterAll(world);
  });

  test('for which CDI knows no access mode is told by the Plan, before the source is off', async () => {
    const { world, sources } = await plannedWorld([web]);
    await using _world = world;
    await addClass(world, 'fast');
    // As CDI makes it for a provisioner that it does not know; the real one has mostly done so by now.
    const profile = {
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'StorageProfile',
      metadata: { name: 'fast' },
      spec: {},
    };
    await world.client.create(storageProfiles, profile).catch((error: unknown) => {
      if (!isKubeError(error, 'AlreadyExists')) throw error;
    });
    await useClass(world, { storageClass: 'fast' });
    world.startController();
    const condition = await planSays(world, 'StorageProfileIncomplete');
    expect(condition).toMatchObject({ category: 'Critical', reason: 'NotSet', items: ['fast'] });
    expect(condition.message).toMatch(/Give accessMode in the storage map/);
    isUntouched(world, sources[0]!);
    await useClass(world, { storageClass: 'fast', accessMode: 'ReadWriteOnce' });
    await movesAfterAll(world);
  });

  sandboxOnly({ simulated: 'the status of a StorageProfile' }).test(
    'whose access modes go between Plan and start fails the VM before its source is touched',
    async () => {
      const { world, sources } = await plannedWorld([web]);
      await using _world = world;
      await betweenPlanAndStart(world, async () => {
        const status = { claimPropertySets: [] };
        await world.client.mergePatch(
          storageProfiles,
          { name: 'standard' },
          { status },
          { subresource: 'status' },
        );
        await world.letPass(2);
      });
      const said = await failedUntouched(world, /^StorageProfileIncomplete$/);
      expect(said).toMatch(
        /storage class standard: its StorageProfile names no access mode\. Give accessMode/,
      );
      isUntouched(world, sources[0]!);
      await planSays(world, 'StorageProfileIncomplete', soonSeconds);
    },
  );

  test('that is removed between Plan and start fails the VM before its source is touched; a new Migration moves it', async () => {
    const { world, sources } = await plannedWorld([web]);
    await using _world = world;
    await addClass(world, 'fast');
    await useClass(world, { storageClass: 'fast', accessMode: 'ReadWriteOnce' });
    await betweenPlanAndStart(world, async () => {
      await world.client.delete(storageClasses, { name: 'fast' });
    });
    const said = await failedUntouched(world, /^StorageClassMissing$/);
    expect(said).toMatch(/Storage class fast does not exist/);
    isUntouched(world, sources[0]!);
    await planSays(world, 'StorageMapNotReady', soonSeconds);
    await addClass(world, 'fast');
    await planSays(world, 'Ready', soonSeconds);
    await world.apply(migrationObject(world, {}, 'again'));
    await ends(world, 'Succeeded', 'again');
  });
});

describe('a quota of the target namespace', () => {
  test('that is too small when the Plan is judged is told in figures; with a larger one the Plan is Ready', async () => {
    const { world, sources } = await plannedWorld([web, { name: 'web-02', power: 'on' }]);
    await using _world = world;
    await world.namespace(world.targetNamespace);
    await world.client.create(resourceQuotas, quota(world, { persistentvolumeclaims: '1' }));
    await world.apply(migrationObject(world));
    world.startController();
    const condition = await planSays(world, 'StorageHeadroom');
    expect(condition).toMatchObject({ category: 'Critical', reason: 'QuotaExceeded' });
    expect(condition.items).toEqual(['small: 2 of persistentvolumeclaims needed, 1 left of 1']);
    for (const source of sources) isUntouched(world, source);
    await setQuota(world, { persistentvolumeclaims: '10' });
    await planSays(world, 'Executing', soonSeconds);
    await ends(world, 'Succeeded');
  });

  test('that somebody else has used up between Plan and start is found before power-off', async () => {
    const { world, sources } = await plannedWorld([web]);
    await using _world = world;
    await world.namespace(world.targetNamespace);
    await world.client.create(resourceQuotas, quota(world, { 'requests.storage': '1Gi' }));
    await betweenPlanAndStart(world, async () => {
      await world.client.create(persistentVolumeClaims, claimOfSomebody(world, '1Gi'));
      await world.letPass(2);
    });
    const said = await failedUntouched(world, /^SpaceShort$/);
    expect(said).toContain(`${world.targetNamespace}/web-01 do not fit: `);
    expect(said).toMatch(/small.* Make room or raise the quota/);
    isUntouched(world, sources[0]!);
    // Nothing of somebody else's was touched either.
    expect(await world.get(persistentVolumeClaims, world.targetNamespace, 'somebody-elses')).toBeDefined();
    await planSays(world, 'StorageHeadroom', soonSeconds);

    await world.client.delete(persistentVolumeClaims, {
      namespace: world.targetNamespace,
      name: 'somebody-elses',
    });
    await planSays(world, 'Ready', soonSeconds);
    await world.apply(migrationObject(world, {}, 'again'));
    await ends(world, 'Succeeded', 'again');
  });

  test('for VirtualMachines, which only the cluster itself counts, is found before power-off, too', async () => {
    const { world, sources } = await plannedWorld([web]);
    await using _world = world;
    await world.namespace(world.targetNamespace);
    await world.client.create(resourceQuotas, quota(world, { 'count/virtualmachines.kubevirt.io': '0' }));
    world.startController();
    await world.apply(migrationObject(world));
    const said = await failedUntouched(world, /^TargetRefused$/);
    expect(said).toMatch(/exceeded quota: small/);
    isUntouched(world, sources[0]!);
  });
});

describe('a target namespace', () => {
  test.each(['Not_A_Name', '-x', 'x'.repeat(64)])('called "%s" is refused by the Plan', async (name) => {
    const { world, sources } = await plannedWorld([web]);
    await using _world = world;
    await edit(world, plans, 'plan', { spec: { targetNamespace: name } });
    world.startController();
    expect(await planSays(world, 'NamespaceNotValid')).toMatchObject({
      category: 'Critical',
      reason: 'NotValid',
    });
    isUntouched(world, sources[0]!);
    await edit(world, plans, 'plan', { spec: { targetNamespace: world.targetNamespace } });
    await movesAfterAll(world);
  });

  test("that is full of somebody else's things with our names is left as it is", async () => {
    const { world, sources } = await plannedWorld([web]);
    await using _world = world;
    await world.namespace(world.targetNamespace);
    const vm = {
      apiVersion: 'kubevirt.io/v1',
      kind: 'VirtualMachine',
      metadata: { name: 'web-01', namespace: world.targetNamespace },
      spec: { runStrategy: 'Halted', template: { spec: { domain: { devices: {} } } } },
    } as const;
    const theirs = await world.client.create(virtualMachines, vm);
    await edit(world, plans, 'plan', { spec: { vms: [{ id: sources[0]!.id, targetName: 'web-01' }] } });
    world.startController();
    await world.apply(migrationObject(world));
    await ends(world, 'Failed');
    await untilClean(world);
    const [object] = await world.imports();
    expect(object?.status?.error).toMatchObject({
      code: 'NameTaken',
      hint: expect.stringContaining('another targetName'),
    });
    isUntouched(world, sources[0]!);
    expect((await world.get(virtualMachines, world.targetNamespace, 'web-01'))?.metadata.uid).toBe(
      theirs.metadata.uid,
    );
    expect((await world.client.list(dataVolumes, { namespace: world.targetNamespace })).items).toEqual([]);
    await edit(world, plans, 'plan', { spec: { vms: [{ id: sources[0]!.id, targetName: 'web-02' }] } });
    await world.apply(migrationObject(world, {}, 'again'));
    await ends(world, 'Succeeded', 'again');
    expect((await planNow(world)).status?.migration?.vms).toHaveLength(1);
  });
});
