import { describe, expect, test } from '@jest/globals';
import { hooks, migrations, networkMaps, plans, providers, storageMaps } from '../../../src/api/kinds.ts';
import type { KubeObject, ResourceKind } from '../../../src/api/meta.ts';
import { isKubeError } from '../../../src/kube/errors.ts';
import { plannedWorld } from '../../support/move.ts';
import { migrationObject, planObject, sandboxNames } from '../../support/objects.ts';
import type { TestWorld } from '../../support/world.ts';
import {
  edit,
  isUntouched,
  movesAfterAll,
  planSays,
  soonSeconds,
  typesOf,
  untilCondition,
} from './looking.ts';

const web = { name: 'web-01', power: 'on' } as const;

/** What the server says to a create. */
async function refusalOf(world: TestWorld, kind: ResourceKind, object: object): Promise<string> {
  try {
    await world.client.create(kind, object as KubeObject);
  } catch (error) {
    if (!isKubeError(error)) throw error;
    return `${error.status} ${error.code} ${error.message}`;
  }
  throw new Error('the server has taken it');
}

describe('what the server itself refuses', () => {
  const provider = { source: { name: 'vcenter' }, destination: { name: 'host' } };
  const plan = planObject(sandboxNames, [{ name: 'web-01' }], {}, 'bad')[1] as KubeObject & {
    spec: Record<string, unknown>;
  };
  const cases: readonly (readonly [string, ResourceKind, object, RegExp])[] = [
    [
      'a Plan without a required field',
      plans,
      { ...plan, spec: { provider, targetNamespace: 'x' } },
      /spec\.map: Required value.*spec\.vms: Required value/,
    ],
    [
      'a Plan with a list that is none',
      plans,
      { ...plan, spec: { ...plan.spec, vms: 'web-01' } },
      /spec\.vms: Invalid value: "string": spec\.vms in body must be of type array: "string"/,
    ],
    [
      'a Plan of a type that nobody knows',
      plans,
      { ...plan, spec: { ...plan.spec, type: 'lukewarm' } },
      /spec\.type: Unsupported value: "lukewarm": supported values: .*"cold".*"warm"/,
    ],
    [
      'a flag that is a text',
      plans,
      { ...plan, spec: { ...plan.spec, archived: 'yes' } },
      /spec\.archived: Invalid value: "string": spec\.archived in body must be of type boolean: "string"/,
    ],
    [
      'a network entry without a destination',
      networkMaps,
      {
        apiVersion: 'forklift.konveyor.io/v1beta1',
        kind: 'NetworkMap',
        metadata: { name: 'bad' },
        spec: { provider, map: [{ source: { name: 'VM Network' } }] },
      },
      /spec\.map\[0\]\.destination: Required value/,
    ],
    [
      'a VLAN that is none',
      networkMaps,
      {
        apiVersion: 'forklift.konveyor.io/v1beta1',
        kind: 'NetworkMap',
        metadata: { name: 'bad' },
        spec: { provider, map: [{ source: { name: 'a', vlan: '5000' }, destination: { type: 'pod' } }] },
      },
      /spec\.map\[0\]\.source\.vlan: Invalid value: "5000": spec\.map\[0\]\.source\.vlan in body should match/,
    ],
    [
      'an access mode that nobody knows',
      storageMaps,
      {
        apiVersion: 'forklift.konveyor.io/v1beta1',
        kind: 'StorageMap',
        metadata: { name: 'bad' },
        spec: {
          provider,
          map: [{ source: { name: 'a' }, destination: { storageClass: 'b', accessMode: 'Sometimes' } }],
        },
      },
      /spec\.map\[0\]\.destination\.accessMode: Unsupported value: "Sometimes"/,
    ],
    [
      'a Migration without its Plan',
      migrations,
      { ...migrationObject(sandboxNames, {}, 'bad')[1], spec: {} },
      /spec\.plan: Required value/,
    ],
    [
      'a cutover that is no time',
      migrations,
      {
        ...migrationObject(sandboxNames, {}, 'bad')[1],
        spec: { plan: { name: 'plan' }, cutover: 'tomorrow' },
      },
      /spec\.cutover: Invalid value: "tomorrow": spec\.cutover in body must be of type date-time/,
    ],
  ];

  test.each(cases)('%s, in the words of Kubernetes', async (_name, kind, object, words) => {
    const { world } = await plannedWorld([web]);
    await using _world = world;
    const metadata = { name: 'bad', namespace: world.planNamespace };
    const said = await refusalOf(world, kind, { ...object, metadata });
    expect(said).toMatch(/^422 Invalid /);
    expect(said).toContain(`${kind.kind}.${kind.group} "bad" is invalid`);
    expect(said).toMatch(words);
  });

  test('fields that nobody knows are dropped, and the rest is kept', async () => {
    const { world } = await plannedWorld([web]);
    await using _world = world;
    const [kind, object] = planObject(world, [{ name: 'web-01' }], {}, 'other');
    const { spec, ...rest } = object as KubeObject & { spec: object };
    const stored = await world.client.create(kind, {
      ...rest,
      spec: { ...spec, colour: 'blue' },
    } as KubeObject);
    expect(stored).not.toHaveProperty('spec.colour');
    expect(stored).toHaveProperty('spec.targetNamespace');
  });
});

describe('what a Plan asks for and is not offered yet', () => {
  const noConversion = { skipGuestConversion: true };
  const cases: readonly (readonly [string, object, object, string, RegExp])[] = [
    [
      'a live migration',
      { type: 'live' },
      { type: 'cold' },
      'MigrationTypeNotValid',
      /live are not offered yet/,
    ],
    [
      'a conversion alone',
      { type: 'conversion' },
      { type: 'cold' },
      'MigrationTypeNotValid',
      /conversion are not offered/,
    ],
    [
      'the conversion of guests',
      { skipGuestConversion: false },
      noConversion,
      'ConversionImageNotSet',
      /set spec\.skipGuestConversion to true/,
    ],
    [
      'raw devices as LUNs',
      { rdmAsLun: true },
      { rdmAsLun: false },
      'PlanFieldsNotSupported',
      /rdmAsLun.*Remove them/,
    ],
    [
      'SCSI reservations',
      { scsiReservation: true },
      { scsiReservation: null },
      'PlanFieldsNotSupported',
      /scsiReservation/,
    ],
  ];

  test.each(cases)(
    '%s is one Critical condition, and goes with the field',
    async (_name, bad, good, type, says) => {
      const { world, sources } = await plannedWorld([web]);
      await using _world = world;
      await edit(world, plans, 'plan', { spec: bad });
      world.startController();
      const condition = await planSays(world, type);
      expect(condition).toMatchObject({ category: 'Critical' });
      expect(condition.message).toMatch(says);
      expect(await typesOf(world, plans, 'plan')).not.toContain('Ready');
      isUntouched(world, sources[0]!);
      await edit(world, plans, 'plan', { spec: good });
      await planSays(world, 'Ready', soonSeconds);
    },
  );

  test('hooks of a VM are named with their VM, and the VM moves without them', async () => {
    const { world, sources } = await plannedWorld([web]);
    await using _world = world;
    await world.client.create(hooks, {
      apiVersion: 'forklift.konveyor.io/v1beta1',
      kind: 'Hook',
      metadata: { name: 'pre', namespace: world.planNamespace },
      spec: { image: 'registry.example/hook:1' },
    } as KubeObject);
    const id = sources[0]!.id;
    const hooked = [
      { id, hooks: [{ step: 'PreHook', hook: { name: 'pre', namespace: world.planNamespace } }] },
    ];
    await edit(world, plans, 'plan', { spec: { vms: hooked } });
    world.startController();
    const condition = await planSays(world, 'HookNotReady');
    expect(condition).toMatchObject({ category: 'Critical', reason: 'NotSupported' });
    expect(condition.items?.join()).toContain(id);
    await edit(world, plans, 'plan', { spec: { vms: [{ id }] } });
    await movesAfterAll(world);
  });

  test('a key to encrypted disks warns that it has no effect', async () => {
    const { world, sources } = await plannedWorld([web]);
    await using _world = world;
    const vms = [{ id: sources[0]!.id, luks: { name: 'keys', namespace: world.planNamespace } }];
    await edit(world, plans, 'plan', { spec: { vms } });
    world.startController();
    const condition = await planSays(world, 'PlanFieldsNotSupported');
    expect(condition).toMatchObject({ category: 'Warn', items: ['spec.vms[].luks'] });
    await planSays(world, 'Ready', soonSeconds);
  });

  test('another cluster as destination is refused by its Provider and by the Plan', async () => {
    const { world } = await plannedWorld([web]);
    await using _world = world;
    await world.client.create(providers, {
      apiVersion: 'forklift.konveyor.io/v1beta1',
      kind: 'Provider',
      metadata: { name: 'remote', namespace: world.planNamespace },
      spec: { type: 'openshift', url: 'https://api.remote.example:6443', secret: { name: 'remote' } },
    } as KubeObject);
    const destination = { name: 'remote', namespace: world.planNamespace };
    await edit(world, plans, 'plan', { spec: { provider: { destination } } });
    world.startController();
    const condition = await planSays(world, 'DestinationProviderNotValid');
    expect(condition).toMatchObject({ category: 'Critical', reason: 'NotSupported' });
    expect(condition.message).toMatch(/without a URL/);
    await edit(world, plans, 'plan', { spec: { provider: { destination: { name: 'host' } } } });
    await planSays(world, 'Ready', soonSeconds);
  });

  test('a Provider of a type that nobody knows says so, and so do its Plans', async () => {
    const { world } = await plannedWorld([web]);
    await using _world = world;
    await edit(world, providers, 'vcenter', { spec: { type: 'abacus' } });
    world.startController();
    const condition = await untilCondition(world, providers, 'vcenter', 'ProviderTypeNotSupported');
    expect(condition).toMatchObject({ category: 'Critical', reason: 'NotSupported' });
    expect(condition.message).toContain('"abacus"');
    expect(await planSays(world, 'SourceProviderNotValid')).toMatchObject({ reason: 'TypeNotValid' });
    await edit(world, providers, 'vcenter', { spec: { type: 'vsphere' } });
    await planSays(world, 'Ready', soonSeconds);
  });

  test.each([
    ['a template', { template: true }, 'VMIsTemplate'],
    ['a suspended VM', { power: 'suspended' }, 'VMPowerStateUnsupported'],
    ['a VM that vCenter cannot reach', { connection: 'disconnected' }, 'VMNotConnected'],
    ['a running VM without VMware Tools', { power: 'on', guest: { tools: 'absent' } }, 'GuestToolsIssue'],
  ] as const)('%s is named by the Plan', async (_name, input, type) => {
    const { world } = await plannedWorld([{ name: 'odd', ...input }]);
    await using _world = world;
    world.startController();
    const condition = await planSays(world, type);
    expect(condition.category).toBe('Critical');
    expect(condition.items?.join()).toContain('odd');
  });
});
