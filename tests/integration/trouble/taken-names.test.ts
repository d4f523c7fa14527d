import { describe, expect, test } from '@jest/globals';
import {
  dataVolumes,
  namespaces,
  persistentVolumeClaims,
  secrets,
  virtualMachines,
} from '../../../src/api/kinds.ts';
import type { KubeObject, ResourceKind, Stored } from '../../../src/api/meta.ts';
import { accessNames } from '../../../src/target/access.ts';
import { planWith, untilClean } from '../../support/move.ts';
import {
  eventsOf,
  importOf,
  nothingLeft,
  once,
  powerCalls,
  saysWhy,
  startRun,
  untilEnded,
  untouched,
} from '../../support/trouble.ts';
import type { TestWorld } from '../../support/world.ts';

const exactClaims = { pvcNameTemplate: '{{.VmName}}-{{.DiskIndex}}', pvcNameTemplateUseGenerateName: false };
const claimName = 'web-01-0';

function vmObject(world: TestWorld, name: string): KubeObject {
  return {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachine',
    metadata: { name, namespace: world.targetNamespace },
    spec: { runStrategy: 'Halted', template: { spec: { domain: { devices: {} } } } },
  } as KubeObject;
}

function claimObject(world: TestWorld, name: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: world.targetNamespace },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'standard',
      resources: { requests: { storage: '1Mi' } },
    },
  } as KubeObject;
}

function blankVolume(world: TestWorld, name: string): KubeObject {
  return {
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'DataVolume',
    metadata: { name, namespace: world.targetNamespace },
    spec: { source: { blank: {} }, storage: { resources: { requests: { storage: '1Mi' } } } },
  } as KubeObject;
}

/** Somebody's object, at rest: whatever the cluster itself does to it is done. */
async function foreign(
  world: TestWorld,
  kind: ResourceKind,
  object: KubeObject,
): Promise<Stored<KubeObject>> {
  await world.client.create(kind, object);
  const now = async (): Promise<Stored<KubeObject>> =>
    (await world.get(kind, world.targetNamespace, object.metadata.name))!;
  return world.until(`${kind.plural} ${object.metadata.name} is at rest`, async () => {
    const before = await now();
    await world.letPass(10);
    const after = await now();
    return after.metadata.resourceVersion === before.metadata.resourceVersion ? after : undefined;
  });
}

async function makeNamespace(world: TestWorld): Promise<void> {
  await world.client.create(namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: world.targetNamespace },
  });
}

describe('a name that is somebody else’s', () => {
  test('a chosen target name that is taken is found before anything is touched', async () => {
    let other!: Stored<KubeObject>;
    const { world, source } = await startRun(undefined, {
      async prepare(prepared) {
        await makeNamespace(prepared);
        other = await foreign(prepared, virtualMachines, vmObject(prepared, 'web-01'));
      },
    });
    await using _world = world;

    const end = await untilEnded(world);
    saysWhy(end, 'NameTaken', `${world.targetNamespace}/web-01`, 'targetName');
    expect(end.object.status?.error?.phase).toBe('Preflight');
    expect(powerCalls(world)).toEqual([]);
    expect(source.power).toBe('poweredOn');
    await untilClean(world);
    await nothingLeft(world, 'web-01');
    await untouched(world, virtualMachines, other);
  });

  test('a target name that had to be made up is made up otherwise when it is taken', async () => {
    const { world } = await startRun([{ name: 'Web Server 01', power: 'on' }], {
      async prepare(prepared) {
        await makeNamespace(prepared);
        await foreign(prepared, virtualMachines, vmObject(prepared, 'web-server-01'));
      },
    });
    await using _world = world;
    const plan = await planWith(world, 'Succeeded');
    const name = plan.status?.migration?.vms?.[0]?.newName;
    expect(name).toMatch(/^web-server-01-[a-z0-9]+$/);
    expect(await eventsOf(world, 'TargetRenamed')).toHaveLength(1);
    expect((await world.get(virtualMachines, world.targetNamespace, name!))?.status?.printableStatus).toBe(
      'Running',
    );
  });

  test('a target name that is taken while the disks are copied costs the copy, and the source runs again', async () => {
    let other!: Stored<KubeObject>;
    const { world, source } = await startRun(undefined, {
      atBoundary: (at) =>
        once('before', 'CreateVM createVm', async () => {
          other = await at.client.create(virtualMachines, vmObject(at, 'web-01'));
        }),
    });
    await using _world = world;

    const end = await untilEnded(world);
    saysWhy(end, 'NameTaken', `${world.targetNamespace}/web-01`);
    await untilClean(world);
    expect(source.power).toBe('poweredOn');
    await nothingLeft(world, 'web-01');
    const now = await world.get(virtualMachines, world.targetNamespace, 'web-01');
    expect([now?.metadata.uid, now?.spec]).toEqual([other.metadata.uid, (other as typeof now)?.spec]);
  });

  test('a claim of our name that is not ours is found before the source is powered off', async () => {
    let other!: Stored<KubeObject>;
    const { world, source } = await startRun(undefined, {
      plan: exactClaims,
      async prepare(prepared) {
        await makeNamespace(prepared);
        other = await foreign(prepared, persistentVolumeClaims, claimObject(prepared, claimName));
      },
    });
    await using _world = world;

    const end = await untilEnded(world);
    saysWhy(end, 'ClaimNameTaken', `${world.targetNamespace}/${claimName}`, 'pvcNameTemplate');
    expect(powerCalls(world)).toEqual([]);
    expect(source.power).toBe('poweredOn');
    await untilClean(world);
    await nothingLeft(world, claimName);
    await untouched(world, persistentVolumeClaims, other);
  });

  test.each([
    ['claim', persistentVolumeClaims, claimObject],
    ['DataVolume', dataVolumes, blankVolume],
  ] as const)(
    'a %s that takes our name after the power-off is left as it is, and the source runs again',
    async (_what, kind, objectOf) => {
      let other!: Stored<KubeObject>;
      const { world, source } = await startRun(undefined, {
        plan: exactClaims,
        atBoundary: (at) =>
          once('after', 'powerOff', async () => {
            other = await foreign(at, kind, objectOf(at, claimName));
          }),
      });
      await using _world = world;

      const end = await untilEnded(world);
      saysWhy(end, 'ClaimNameTaken', claimName, 'pvcNameTemplate');
      await untilClean(world);
      expect(source.power).toBe('poweredOn');
      await untouched(world, kind, other);
      await nothingLeft(world, claimName);
    },
  );

  test('a Secret of our name that is not ours is never written, read or deleted', async () => {
    let other!: Stored<KubeObject>;
    const { world, source } = await startRun(undefined, {
      atBoundary: (at) =>
        once('before', 'createAccess', async () => {
          const { secret } = accessNames((await importOf(at))!);
          const metadata = { name: secret, namespace: world.targetNamespace };
          other = await at.client.create(secrets, { apiVersion: 'v1', kind: 'Secret', metadata });
        }),
    });
    await using _world = world;

    const end = await untilEnded(world);
    saysWhy(end, 'AccessNameTaken', other.metadata.name);
    await untilClean(world);
    expect(source.power).toBe('poweredOn');
    await untouched(world, secrets, other);
    await nothingLeft(world, other.metadata.name);
  });
});
