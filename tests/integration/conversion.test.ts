import { describe, expect, test } from '@jest/globals';
import { findCondition, isTrue } from '../../src/api/conditions.ts';
import {
  configMaps,
  migrations,
  persistentVolumeClaims,
  plans,
  pods,
  secrets,
  virtualMachines,
} from '../../src/api/kinds.ts';
import type { FaultName } from '../../src/sandbox/world.ts';
import { converting, isConverted } from '../support/conversion.ts';
import { KillAt, lineOf, phaseOf } from '../support/kill-at.ts';
import { plannedWorld, planWith, untilClean } from '../support/move.ts';
import { nothingWithOurLabel } from '../support/moved.ts';
import { isOnTestbed, sandboxOnly } from '../support/needs.ts';
import { migrationObject } from '../support/objects.ts';
import {
  entryOf,
  eventsOf,
  namesOf,
  nothingLeft,
  once,
  powerCalls,
  saysWhy,
  startRun,
  untilEnded,
  untilImport,
  web,
  type Run,
} from '../support/trouble.ts';
import type { SandboxWorld } from '../support/sandbox-world.ts';

const simulated = sandboxOnly({ simulated: 'the converter, which writes where it says' });
const two = { ...web, disks: [{ sizeBytes: 256 * 1024 }, { sizeBytes: 512 * 1024 }] };

interface Converting extends Run {
  readonly world: SandboxWorld;
}

async function startConversion(
  fault?: { readonly name: FaultName; readonly times?: number },
  options: Parameters<typeof startRun>[1] = {},
): Promise<Converting> {
  const run = await startRun([web], {
    ...options,
    plan: { ...converting, ...options.plan },
    prepare(world) {
      const { name, times } = fault ?? {};
      if (name !== undefined)
        simulated.world(world).faults.start(name, { ...(times !== undefined && { times }) });
      return Promise.resolve();
    },
  });
  return { ...run, world: simulated.world(run.world) };
}

/** The source runs as before, and nothing of the target is left. */
async function isUnwound({ world, source }: Run): Promise<void> {
  await untilClean(world);
  expect(source.power).toBe('poweredOn');
  await nothingLeft(world);
}

simulated.describe('a guest that is converted', () => {
  test('moves cold with the bytes of its disks, and the converter’s', async () => {
    const run = await startRun([two], { plan: converting });
    await using world = simulated.world(run.world);
    const entry = (await planWith(world, 'Executing')).status?.migration?.vms?.[0];
    expect(entry?.pipeline.map(({ name }) => name)).toEqual([
      'Initialize',
      'DiskTransfer',
      'ImageConversion',
      'VirtualMachineCreation',
    ]);
    await isConverted(world, run.source);
    const found = await entryOf(world);
    expect(found).toMatchObject({
      firmware: 'bios',
      operatingSystem: 'rhel9_64Guest',
      detectedBootDisk: 0,
      disksCopied: true,
    });
    expect(found?.pipeline.map(({ phase }) => phase)).toEqual(Array(4).fill('Completed'));
    const vm = await world.get(virtualMachines, world.targetNamespace, 'web-01');
    const disks = vm?.spec.template.spec.domain.devices.disks ?? [];
    expect(disks.map(({ bootOrder, disk }) => [bootOrder, disk?.bus])).toEqual([
      [1, 'virtio'],
      [undefined, 'virtio'],
    ]);
    const { records } = (await world.imports())[0]?.status ?? {};
    expect(Date.parse(records?.conversion?.completedAt ?? '')).toBeGreaterThan(
      Date.parse(records?.conversion?.startedAt ?? ''),
    );
    expect(await namesOf(world, configMaps)).toEqual([]);
  });

  test('moves warm, converted in its cutover', async () => {
    const run = await startRun([{ ...web, changeTracking: true }], {
      plan: { ...converting, type: 'warm', warm: true },
      settings: { precopySeconds: 4, precopyFloorSeconds: 1 },
    });
    await using world = simulated.world(run.world);
    await untilImport(world, 'has a round', ({ status }) =>
      (status?.records?.rounds ?? []).some(({ copiedAt }) => copiedAt !== undefined),
    );
    const cutover = new Date(world.clock.now()).toISOString();
    const at = { namespace: world.planNamespace, name: 'run' };
    await world.client.mergePatch(migrations, at, { spec: { cutover } });
    await isConverted(world, run.source);
    const steps = (await entryOf(world))?.pipeline.map(({ name }) => name);
    expect(steps?.slice(-3)).toEqual(['Cutover', 'ImageConversion', 'VirtualMachineCreation']);
  });

  test('shows what its converter warns of', async () => {
    const warnings = [{ reason: 'CustomizationFailed', message: 'no shell in the guest' }];
    const run = await startConversion(undefined, { sandbox: { conversion: { warnings } } });
    await using world = run.world;
    await isConverted(world, run.source);
    const condition = findCondition((await entryOf(world))?.conditions, 'ConversionHasWarnings');
    expect(condition).toMatchObject({
      status: 'True',
      category: 'Warn',
      reason: 'CustomizationFailed',
      message: 'no shell in the guest',
    });
  });

  test('leaves its pod to the user who wants it, without a word of ours on it', async () => {
    const run = await startConversion(undefined, { plan: { deleteGuestConversionPod: false } });
    await using world = run.world;
    await planWith(world, 'Succeeded');
    await untilClean(world);
    await nothingWithOurLabel(world);
    const { items } = await world.client.list(pods, { namespace: world.targetNamespace });
    expect(items.map(({ status, metadata }) => [status?.phase, metadata.finalizers])).toEqual([
      ['Succeeded', undefined],
    ]);
  });

  test('is given no login of its source', async () => {
    let seen: readonly string[] = [];
    const run = await startRun([web], {
      plan: converting,
      atBoundary: (world) =>
        once('after', 'createConversionPod', async () => {
          const { items } = await world.client.list(pods, { namespace: world.targetNamespace });
          seen = items
            .filter(({ spec }) => spec.containers[0]?.name === 'virt-v2v')
            .flatMap(({ spec }) => [
              JSON.stringify(spec.containers[0]?.env),
              ...(spec.volumes ?? []).map(({ secret }) => String(secret?.secretName)),
            ]);
        }),
    });
    await using world = simulated.world(run.world);
    await isConverted(world, run.source);
    expect(seen.length).toBeGreaterThan(1);
    expect(seen.join()).not.toMatch(/administrator|password/i);
    expect(seen.slice(1)).toEqual(seen.slice(1).map(() => 'undefined'));
    expect(await namesOf(world, secrets)).toEqual([]);
  });
});

simulated.test(
  'a converted disk over which CDI starts an importer once more is not used: source on',
  async () => {
    const run = await startConversion(undefined, {
      atBoundary: (at) => once('before', 'createVm', () => importAgain(simulated.world(at))),
    });
    await using world = run.world;
    const end = await untilEnded(world);
    saysWhy(end, 'DiskOverwritten', 'after the guest was converted');
    await isUnwound(run);
  },
);

async function importAgain(world: SandboxWorld): Promise<void> {
  const namespace = world.targetNamespace;
  const [claim] = (await world.client.list(persistentVolumeClaims, { namespace })).items;
  const { name } = claim!.metadata;
  world.faults.start('importer-again', { subject: name, times: 1 });
  const touched = { metadata: { annotations: { 'example.com/touched': 'yes' } } };
  await world.client.mergePatch(persistentVolumeClaims, { namespace, name }, touched);
  await world.until('CDI imports again', async () =>
    (await namesOf(world, pods)).some((pod) => pod.startsWith('importer-')) ? true : undefined,
  );
}

simulated.describe('a conversion that comes to nothing', () => {
  test.each([
    ['is thrown out before it begins', 'conversion-evicted', 2],
    ['finds no node for a while', 'conversion-unschedulable', 1],
    ['fails and has thrown its overlays away', 'conversion-fails-clean', 1],
  ] as const)('that %s is tried again', async (_what, name, times) => {
    const run = await startConversion({ name, times });
    await using world = run.world;
    await isConverted(world, run.source);
    expect(await eventsOf(world, 'ConversionTriedAgain')).not.toEqual([]);
  });

  test.each([1, undefined])(
    'that fails in the middle (%p times) fails the VM, with its last words',
    async (times) => {
      const run = await startConversion({ name: 'conversion-fails', ...(times !== undefined && { times }) });
      await using world = run.world;
      const end = await untilEnded(world);
      saysWhy(end, 'ConversionFailed', 'could not install the kernel');
      expect(end.entry.disksCopied).toBeUndefined();
      expect(world.sandbox.conversions).toHaveLength(1);
      await isUnwound(run);
    },
  );

  test('that always throws its overlays away is given up after a second time', async () => {
    const run = await startConversion({ name: 'conversion-fails-clean' });
    await using world = run.world;
    saysWhy(await untilEnded(world), 'ConversionFailed', 'no root device found');
    expect(world.sandbox.conversions).toEqual([]);
    await isUnwound(run);
  });

  test('that finds no node for ever fails with the scheduler’s words', async () => {
    const run = await startConversion({ name: 'conversion-unschedulable' });
    await using world = run.world;
    const object = await untilImport(world, 'waits', ({ status }) =>
      (status?.message ?? '').includes('Insufficient devices.kubevirt.io/kvm'),
    );
    expect(object.status?.phase).toBe('ConvertGuest');
    saysWhy(await untilEnded(world), 'ConversionNotStarted', 'Insufficient devices.kubevirt.io/kvm');
    await isUnwound(run);
  });

  test('whose pod is evicted in the middle fails the VM: nobody knows what it has written', async () => {
    const run = await startConversion();
    await using world = run.world;
    await untilImport(world, 'converts', ({ status }) =>
      (status?.message ?? '').includes('to be converted by'),
    );
    const [name] = await namesOf(world, pods);
    await world.client.delete(pods, { namespace: world.targetNamespace, name: name ?? '' });
    saysWhy(await untilEnded(world), 'ConversionFailed');
    await isUnwound(run);
  });

  test('whose pod the namespace would not take is known while the source runs', async () => {
    const { world, sources } = await plannedWorld([web], { plan: converting });
    await using sandbox = simulated.world(world);
    sandbox.sandbox.api.admit(pods, ({ object }) =>
      object.metadata.labels?.['forklift.app'] === 'virt-v2v'
        ? { denied: 'violates PodSecurity "restricted:latest"', webhook: 'pod-security', code: 403 }
        : object,
    );
    world.startController();
    await planWith(world, 'Ready');
    await world.apply(migrationObject(world));
    saysWhy(await untilEnded(world), 'ConversionPodRefused', 'PodSecurity');
    expect(sources[0]?.power).toBe('poweredOn');
    expect(powerCalls(world)).toEqual([]);
    await untilClean(world);
    await nothingLeft(world);
  });

  test('without an image is known before anything is touched', async () => {
    const { world, sources } = await plannedWorld([web], { plan: { skipGuestConversion: false } });
    await using _world = world;
    world.startController();
    const plan = await planWith(world, 'ConversionImageNotSet');
    expect(isTrue(plan.status?.conditions, 'Ready')).toBe(false);
    const condition = findCondition(plan.status?.conditions, 'ConversionImageNotSet');
    expect(condition?.message).toContain('VIRT_V2V_IMAGE');
    expect(sources[0]?.power).toBe('poweredOn');
    expect(await world.get(plans, world.planNamespace, 'plan')).toBeDefined();
  });
});

// ---- deaths and cancels ---------------------------------------------------------------------------------------------------------

const itsPhases: readonly string[] = ['CreateGuestConversionPod', 'ConvertGuest'];
const lines = isOnTestbed ? [] : await recordLines();

async function recordLines(): Promise<readonly (readonly [number, string])[]> {
  const { world } = await plannedWorld([web], { plan: converting });
  await using _world = world;
  const passed: string[] = [];
  world.startController({ atBoundary: () => (boundary) => void passed.push(lineOf(boundary)) });
  await planWith(world, 'Ready');
  await world.apply(migrationObject(world));
  await planWith(world, 'Succeeded');
  return passed
    .map((line, index) => [index, line] as const)
    .filter(([, line]) => itsPhases.includes(phaseOf(line)));
}

simulated.describe('a controller that dies while a guest is converted', () => {
  test('tells of its lines', () => {
    expect(new Set(lines.map(([, line]) => phaseOf(line)))).toEqual(new Set(itsPhases));
    for (const deed of ['createConversionPod', 'finishConversion', 'releasePod'])
      expect(lines.some(([, line]) => line.includes(deed))).toBe(true);
  });

  test.each(lines)('is replaced, and the guest is converted just once (%i, %s)', async (index) => {
    const { world, sources } = await plannedWorld([web], { plan: converting });
    await using sandbox = simulated.world(world);
    const death = new KillAt(index);
    world.startController({ atBoundary: death.atBoundary });
    await planWith(world, 'Ready');
    await world.apply(migrationObject(world));
    await death.struck(world);
    world.startController();
    await isConverted(sandbox, sources[0]!);
    const { records } = (await world.imports())[0]?.status ?? {};
    expect(records?.conversion).toMatchObject({ osId: 'rhel9.4', bootDisk: 0, tries: 1 });
  });
});

simulated.describe('a cancel while a guest is converted', () => {
  test.each(lines)('leaves either the source or the target running (%i, %s)', async (index) => {
    const { world, sources } = await plannedWorld([web], { plan: converting });
    await using _world = world;
    const source = sources[0]!;
    let count = -1;
    world.startController({
      atBoundary: () => async () => {
        count += 1;
        if (count !== index) return;
        const cancel = { spec: { cancel: [{ id: source.id }] } };
        await world.client.mergePatch(migrations, { namespace: world.planNamespace, name: 'run' }, cancel);
      },
    });
    await planWith(world, 'Ready');
    await world.apply(migrationObject(world));
    await untilEnded(world);
    await untilClean(world);
    const target = await world.get(virtualMachines, world.targetNamespace, 'web-01');
    if (target !== undefined) {
      // It came too late: the target was committed.
      expect([source.power, target.spec.runStrategy]).toEqual(['poweredOff', 'Always']);
      return;
    }
    expect(source.power).toBe('poweredOn');
    await nothingLeft(world);
    const { items } = await world.client.list(persistentVolumeClaims, { namespace: world.targetNamespace });
    expect(items).toEqual([]);
  });
});

simulated.describe('a cancel in the middle of a conversion', () => {
  test('ends the converter before its disks go, and puts the source back', async () => {
    const run = await startConversion();
    await using world = run.world;
    await untilImport(world, 'converts', ({ status }) =>
      (status?.message ?? '').includes('to be converted by'),
    );
    const cancel = { spec: { cancel: [{ id: run.source.id }] } };
    await world.client.mergePatch(migrations, { namespace: world.planNamespace, name: 'run' }, cancel);
    const { object } = await untilEnded(world);
    expect(object.status?.outcome).toBe('Canceled');
    await isUnwound(run);
  });
});

describe('the list of lines', () => {
  test('is there', () => expect(isOnTestbed || lines.length > 10).toBe(true));
});
