import { describe, expect, test } from '@jest/globals';
import { persistentVolumeClaims, plans, virtualMachines } from '../../../src/api/kinds.ts';
import { isKubeError } from '../../../src/kube/errors.ts';
import { isDnsSubdomain } from '../../../src/migration/names.ts';
import { plannedWorld, untilClean } from '../../support/move.ts';
import { firstOnTestbed } from '../../support/needs.ts';
import { migrationObject, planObject } from '../../support/objects.ts';
import { edit, movesAfterAll, planSays, ends } from './looking.ts';

const strangeNames = [
  'Windows Server 2022',
  'ÜBER_vm',
  '---',
  '日本語',
  'a/b%c',
  '../../etc/passwd',
  '{{ .VmName }}',
  '$(reboot)',
  'x'.repeat(500),
  '.hidden.',
  ' ',
];

describe('a VM whose name is no name in Kubernetes', () => {
  firstOnTestbed(
    2,
    strangeNames.map((name) => [name] as const),
  )('"%s" moves under one that is made from it', async (name) => {
    const { world, sources } = await plannedWorld([{ name, power: 'on' }]);
    await using _world = world;
    world.startController();
    const condition = await planSays(world, 'TargetNameNotValid');
    expect(condition).toMatchObject({ category: 'Warn' });
    expect(condition.message).toMatch(/Set targetName to choose the new name yourself/);
    await movesAfterAll(world);
    await untilClean(world);
    const { items: vms } = await world.client.list(virtualMachines, { namespace: world.targetNamespace });
    expect(vms).toHaveLength(1);
    expect(isDnsSubdomain(vms[0]!.metadata.name)).toBe(true);
    expect(vms[0]!.metadata.name.length).toBeLessThanOrEqual(63);
    const { items: claims } = await world.client.list(persistentVolumeClaims, {
      namespace: world.targetNamespace,
    });
    expect(claims).toHaveLength(1);
    expect(sources[0]!.power).toBe('poweredOff');
  });

  test('all of them move in one Plan, each under its own', async () => {
    const names = [...strangeNames, 'WINDOWS server 2022', 'windows_server_2022'];
    const { world } = await plannedWorld(names.map((name) => ({ name })));
    await using _world = world;
    world.startController();
    await movesAfterAll(world);
    const { items } = await world.client.list(virtualMachines, { namespace: world.targetNamespace });
    expect(new Set(items.map(({ metadata }) => metadata.name)).size).toBe(names.length);
  });
});

describe('a chosen name', () => {
  test.each(['Web 01', 'UPPER', '-web', 'x'.repeat(254), 'a..b'])(
    '"%s" that is none is refused by the Plan',
    async (targetName) => {
      const { world, sources } = await plannedWorld([{ name: 'web-01' }]);
      await using _world = world;
      await edit(world, plans, 'plan', { spec: { vms: [{ id: sources[0]!.id, targetName }] } });
      world.startController();
      const condition = await planSays(world, 'NotValid');
      expect(condition.category).toBe('Critical');
      expect(`${condition.message} ${condition.items?.join(' ')}`).toContain(
        'is no name for a VirtualMachine',
      );
      await edit(world, plans, 'plan', { spec: { vms: [{ id: sources[0]!.id, targetName: 'web-02' }] } });
      await movesAfterAll(world);
    },
  );
});

describe('names of Plan and Migration', () => {
  test('as long as a server takes them move a VM', async () => {
    const { world, sources } = await plannedWorld([{ name: 'x'.repeat(80) }]);
    await using _world = world;
    const long = `${'p'.repeat(60)}.${'q'.repeat(192)}`;
    expect(long).toHaveLength(253);
    await world.apply(
      planObject(world, [{ id: sources[0]!.id }], {}, long),
      migrationObject(world, {}, long, long),
    );
    world.startController();
    await ends(world, 'Succeeded', long);
    await untilClean(world);
  });

  test.each(['x'.repeat(500), 'UPPER', 'with space', 'ÜBER'])(
    '"%s" is refused by the server in its own words',
    async (name) => {
      const { world, sources } = await plannedWorld([{ name: 'web-01' }]);
      await using _world = world;
      for (const [kind, object] of [
        planObject(world, [{ id: sources[0]!.id }], {}, name),
        migrationObject(world, {}, name),
      ]) {
        const refusal = await world.client.create(kind, object).catch((error: unknown) => error);
        expect(isKubeError(refusal, 'Invalid')).toBe(true);
        expect(String(refusal)).toMatch(/metadata\.name: Invalid value: /);
      }
      await world.client.get(plans, { namespace: world.planNamespace, name: 'plan' });
    },
  );
});

describe('a template of names', () => {
  const bad: readonly (readonly [string, object])[] = [
    ['that is malformed', { pvcNameTemplate: '{{ .VmName' }],
    ['that names a field nobody knows', { pvcNameTemplate: '{{ .NoSuchField }}' }],
    ['that calls a function nobody knows', { volumeNameTemplate: '{{ explode .VolumeIndex }}' }],
    ['that gives no name', { networkNameTemplate: 'Net_{{ .NetworkIndex }}' }],
    [
      'that gives every disk the same name',
      { pvcNameTemplate: 'disk', pvcNameTemplateUseGenerateName: false },
    ],
  ];

  test.each(bad)('%s is told by the Plan, before anything is done', async (_name, spec) => {
    const disks = [{ sizeBytes: 65_536 }, { sizeBytes: 65_536 }];
    const { world } = await plannedWorld([{ name: 'web-01', power: 'on', disks }]);
    await using _world = world;
    await edit(world, plans, 'plan', { spec });
    world.startController();
    const condition = await planSays(world, 'NotValid');
    expect(condition.category).toBe('Critical');
    expect(`${condition.message} ${condition.items?.join(' ')}`).toMatch(/template/i);
    expect(await world.imports()).toEqual([]);
    const cleared = Object.fromEntries(Object.keys(spec).map((key) => [key, null]));
    await edit(world, plans, 'plan', { spec: cleared });
    await movesAfterAll(world);
  });
});
