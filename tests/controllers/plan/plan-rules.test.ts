import { describe, expect, test } from '@jest/globals';
import type { Hook } from '../../../src/api/hook.ts';
import { forklift, PlanFixture, stored, typesOf } from './plan-fixture.ts';

describe('a Plan in which all is well', () => {
  test('is Ready and nothing else is said of it', () => {
    const verdict = new PlanFixture().evaluate();
    expect(verdict).toEqual({
      ready: true,
      conditions: [{ type: 'Ready', category: 'Required', message: 'The migration plan is ready.' }],
    });
  });

  test('may name Providers and maps without a namespace: its own is meant', () => {
    const fixture = new PlanFixture().edit({
      provider: { source: { name: 'vcenter' }, destination: { name: 'host' } },
      map: { network: { name: 'nets' }, storage: { name: 'stores' } },
    });
    expect(typesOf(fixture.evaluate())).toEqual(['Ready']);
  });

  test('that is archived is judged no more and never Ready', () => {
    const fixture = new PlanFixture().edit({ archived: true, targetNamespace: '' });
    expect(fixture.evaluate()).toMatchObject({
      ready: false,
      conditions: [{ type: 'Archived', category: 'Advisory', reason: 'UserRequested' }],
    });
  });
});

describe('the source Provider', () => {
  const at = (name: string) => ({
    provider: { source: { namespace: 'mtv', name }, destination: { namespace: 'mtv', name: 'host' } },
  });

  test.each([
    ['not named', '', 'NotSet'],
    ['not there', 'gone', 'NotFound'],
  ])('that is %s is Critical and says so', (_what, name, reason) => {
    const fixture = new PlanFixture().edit(at(name));
    expect(fixture.condition('SourceProviderNotValid')).toMatchObject({ category: 'Critical', reason });
  });

  test('of a type that nobody reads is not valid', () => {
    const fixture = new PlanFixture().edit(at('host'));
    expect(fixture.condition('SourceProviderNotValid')).toMatchObject({ reason: 'TypeNotValid' });
  });

  test('that is not Ready ends the judging: nothing is said of VMs that cannot be seen', () => {
    const fixture = new PlanFixture().edit({ vms: [{ id: 'gone' }], type: 'live' });
    fixture.provider('vcenter', { type: 'vsphere', url: 'u', secret: { name: 's' } }, []);
    expect(typesOf(fixture.evaluate())).toEqual(['SourceProviderNotReady']);
  });

  test('whose inventory is still being loaded counts as not ready', () => {
    const fixture = new PlanFixture();
    const uid = 'another-uid';
    const object = fixture.providers.get({ namespace: 'mtv', name: 'vcenter' })!;
    fixture.providers.put(stored({ ...object, metadata: { ...object.metadata, uid } }, uid));
    expect(fixture.condition('SourceProviderNotReady')).toMatchObject({ reason: 'InventoryLoading' });
  });
});

describe('the destination Provider', () => {
  test.each([
    ['not named', '', 'NotSet'],
    ['not there', 'gone', 'NotFound'],
    ['a source platform', 'vcenter', 'TypeNotValid'],
  ])('that is %s is not valid', (_what, name, reason) => {
    const fixture = new PlanFixture().edit({
      provider: { source: { name: 'vcenter' }, destination: { name } },
    });
    expect(fixture.condition('DestinationProviderNotValid')).toMatchObject({ category: 'Critical', reason });
  });

  test('of another cluster is refused as not offered yet', () => {
    const fixture = new PlanFixture();
    fixture.provider('host', { type: 'openshift', url: 'https://other:6443', secret: { name: 's' } });
    expect(fixture.condition('DestinationProviderNotValid')).toMatchObject({ reason: 'NotSupported' });
  });

  test('that is not Ready is told beside all else', () => {
    const fixture = new PlanFixture();
    fixture.provider('host', { type: 'openshift', url: '', secret: {} }, []);
    expect(typesOf(fixture.evaluate())).toEqual(['DestinationProviderNotReady']);
  });
});

describe('maps', () => {
  const maps = (network: string, storage: string) => ({
    map: { network: { name: network }, storage: { name: storage } },
  });

  test.each([
    ['NotSet', ''],
    ['NotFound', 'gone'],
  ])('that are named by nothing good are Critical: %s', (reason, name) => {
    const fixture = new PlanFixture().edit(maps(name, name));
    expect(fixture.condition('NetworkMapRefNotValid')).toMatchObject({ category: 'Critical', reason });
    expect(fixture.condition('StorageRefNotValid')).toMatchObject({ category: 'Critical', reason });
  });

  test('without which nothing can be said of disks and NICs leave it unsaid', () => {
    const fixture = new PlanFixture().edit(maps('gone', 'stores'));
    expect(typesOf(fixture.evaluate())).toEqual(['NetworkMapRefNotValid']);
  });

  test('that are not Ready are Critical', () => {
    const fixture = new PlanFixture();
    fixture.networkMap({ map: [{ source: { name: 'VM Network' }, destination: { type: 'pod' } }] }, []);
    fixture.storageMap({ map: [{ source: { name: 'ds1' }, destination: { storageClass: 'fast' } }] }, []);
    expect(typesOf(fixture.evaluate())).toEqual(['NetworkMapNotReady', 'StorageMapNotReady']);
  });

  test('that were made for other Providers are worth a warning', () => {
    const fixture = new PlanFixture().networkMap({
      provider: { source: { name: 'other' }, destination: { name: 'host' } },
      map: [{ source: { name: 'VM Network' }, destination: { type: 'pod' } }],
    });
    expect(fixture.condition('NetworkMapRefNotValid')).toMatchObject({ category: 'Warn' });
    expect(fixture.evaluate().ready).toBe(true);
  });

  test('that send a NIC to the pod network warn where static addresses are to be kept', () => {
    const fixture = new PlanFixture().edit({ preserveStaticIPs: true });
    expect(fixture.condition('NetMapPreservingIPsOnPodNetwork')).toMatchObject({ category: 'Warn' });
    fixture.edit({ preserveStaticIPs: false });
    expect(fixture.condition('NetMapPreservingIPsOnPodNetwork')).toBeUndefined();
  });

  test('that ask for copies by the array are told that the network is used', () => {
    const fixture = new PlanFixture().storageMap({
      map: [
        {
          source: { name: 'ds1' },
          destination: { storageClass: 'fast' },
          offloadPlugin: { csiVolumeImport: { secretRef: 's', storageVendorProduct: 'ontap' } },
        },
      ],
    });
    expect(fixture.condition('OffloadNotSupported')).toMatchObject({ category: 'Warn', items: ['ds1'] });
  });
});

describe('what the Plan asks for', () => {
  test.each([
    ['', 'NotSet'],
    ['Not_A_Name', 'NotValid'],
    ['a.b', 'NotValid'],
  ])('a target namespace "%s" is refused', (targetNamespace, reason) => {
    const fixture = new PlanFixture().edit({ targetNamespace });
    expect(fixture.condition('NamespaceNotValid')).toMatchObject({ category: 'Critical', reason });
  });

  test.each(['live', 'conversion'] as const)('a %s migration is refused', (type) => {
    const fixture = new PlanFixture().edit({ type });
    expect(fixture.condition('MigrationTypeNotValid')).toMatchObject({
      category: 'Critical',
      reason: 'NotSupported',
    });
  });

  test.each([{ type: 'warm' as const }, { warm: true }])(
    'a warm migration is refused where the platform cannot do it, and only there: %p',
    (changes) => {
      const fixture = new PlanFixture().edit(changes);
      expect(fixture.condition('WarmMigrationNotReady')).toBeUndefined();
      const { platform } = fixture;
      fixture.platform = { ...platform, traits: { ...platform.traits, warm: 'none' } };
      expect(fixture.condition('WarmMigrationNotReady')).toMatchObject({ category: 'Critical' });
    },
  );

  test('a schedule of rounds that is none is refused with an example of one', () => {
    const fixture = new PlanFixture().edit({ type: 'warm' });
    const annotations = { 'gantry.dev/precopy-schedule': 'every night' };
    fixture.plan = { ...fixture.plan, metadata: { ...fixture.plan.metadata, annotations } };
    const found = fixture.condition('NotValid');
    expect(found).toMatchObject({ category: 'Critical', reason: 'ScheduleNotValid' });
    expect(found?.message).toContain('0 */4 * * *');
  });

  test.each([undefined, false])('guests to be converted (skip: %p) need an image', (skip) => {
    const fixture = new PlanFixture();
    const { skipGuestConversion: _unset, ...spec } = fixture.plan.spec;
    fixture.plan = stored({ ...fixture.plan, spec });
    if (skip !== undefined) fixture.edit({ skipGuestConversion: skip });
    expect(fixture.condition('ConversionImageNotSet')).toMatchObject({
      category: 'Critical',
      reason: 'NotSet',
      message: expect.stringMatching(/VIRT_V2V_IMAGE.*virtV2vImage.*skipGuestConversion to true/),
    });
    fixture.edit({ virtV2vImage: 'registry.example/v2v:1' });
    expect(typesOf(fixture.evaluate())).toEqual(['Ready']);
  });

  test('guests to be converted with keys or scripts, which are not offered yet, are refused', () => {
    const fixture = new PlanFixture().edit({
      skipGuestConversion: false,
      virtV2vImage: 'registry.example/v2v:1',
      customizationScripts: { name: 'scripts' },
      vms: [{ id: 'vm-101', luks: { name: 'keys' } }],
    });
    expect(fixture.condition('PlanFieldsNotSupported')).toMatchObject({
      category: 'Critical',
      items: ['spec.vms[].luks', 'spec.customizationScripts'],
    });
  });

  test('no VMs at all is refused', () => {
    expect(new PlanFixture().edit({ vms: [] }).condition('VMRefNotValid')).toMatchObject({
      category: 'Critical',
      reason: 'NotSet',
    });
  });

  test('fields without effect are named in one warning', () => {
    const fixture = new PlanFixture().edit({
      customizationScripts: { name: 'scripts' },
      serviceAccount: 'mover',
      vms: [{ id: 'vm-101', luks: { name: 'keys' } }],
    });
    expect(fixture.condition('PlanFieldsNotSupported')).toMatchObject({
      category: 'Warn',
      items: ['spec.vms[].luks', 'spec.customizationScripts', 'spec.serviceAccount'],
    });
    expect(fixture.evaluate().ready).toBe(true);
  });

  test('fields that cannot be ignored without harm are Critical, and the rest is named with them', () => {
    const fixture = new PlanFixture().edit({ rdmAsLun: true, serviceAccount: 'mover' });
    expect(fixture.condition('PlanFieldsNotSupported')).toMatchObject({
      category: 'Critical',
      items: ['spec.rdmAsLun', 'spec.serviceAccount'],
    });
  });

  test('an empty object is the same as none', () => {
    const fixture = new PlanFixture().edit({ customizationScripts: {}, vms: [{ id: 'vm-101', luks: {} }] });
    expect(typesOf(fixture.evaluate())).toEqual(['Ready']);
  });
});

describe('the transfer network', () => {
  const asked = { transferNetwork: { namespace: 'target', name: 'fast-lane' } };

  test('that is not there is refused', () => {
    expect(new PlanFixture().edit(asked).condition('TransferNetworkNotValid')).toMatchObject({
      category: 'Critical',
      reason: 'NotFound',
    });
  });

  test('of a namespace that the pods cannot reach is refused', () => {
    const fixture = new PlanFixture()
      .network('mtv', 'fast-lane')
      .edit({ transferNetwork: { name: 'fast-lane' } });
    expect(fixture.condition('TransferNetworkNotValid')).toMatchObject({ reason: 'NotValid' });
  });

  test('whose gateway is no address is refused', () => {
    const fixture = new PlanFixture().edit(asked);
    fixture.network('target', 'fast-lane', { 'forklift.konveyor.io/route': 'gateway' });
    expect(fixture.condition('TransferNetworkNotValid')).toMatchObject({ reason: 'NotValid' });
  });

  test('that names no gateway is worth a warning', () => {
    const fixture = new PlanFixture().network('target', 'fast-lane').edit(asked);
    expect(fixture.condition('TransferNetworkMissingDefaultRoute')).toMatchObject({ category: 'Warn' });
    expect(fixture.evaluate().ready).toBe(true);
  });

  test.each(['10.1.0.1', 'none', 'fd00::1'])('with route %s is fine', (route) => {
    const fixture = new PlanFixture().edit(asked);
    fixture.network('target', 'fast-lane', { 'forklift.konveyor.io/route': route });
    expect(typesOf(fixture.evaluate())).toEqual(['Ready']);
  });
});

describe('hooks', () => {
  const hook = stored(forklift<Hook>('Hook', 'warn-users', { spec: { image: 'registry/hook' } }));
  const entry = (name: string, step = 'PreHook') => ({ step, hook: { namespace: 'mtv', name } });

  test('that are named are refused as not run yet, with the VMs that name them', () => {
    const fixture = new PlanFixture().editVm({ hooks: [entry('warn-users')] });
    fixture.hooks.put(hook);
    expect(fixture.evaluate().conditions).toEqual([
      expect.objectContaining({
        type: 'HookNotReady',
        category: 'Critical',
        reason: 'NotSupported',
        items: ['id:vm-101'],
      }),
    ]);
  });

  test.each([
    ['NotSet', ''],
    ['NotFound', 'gone'],
  ])('that are not there are told as well: %s', (reason, name) => {
    const fixture = new PlanFixture().editVm({ hooks: [entry(name)] });
    expect(fixture.condition('HookNotValid')).toMatchObject({ category: 'Critical', reason });
  });

  test('in a step that there is not are told as well', () => {
    const fixture = new PlanFixture().editVm({ hooks: [entry('warn-users', 'MiddleHook')] });
    fixture.hooks.put(hook);
    expect(fixture.condition('HookStepNotValid')).toMatchObject({ reason: 'NotValid' });
  });
});
