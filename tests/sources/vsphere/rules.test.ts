import { describe, expect, test } from '@jest/globals';
import type { PlanView } from '../../../src/model/source-data.ts';
import type { Json, VmModel } from '../../../src/model/vm.ts';
import { createSourceRegistry } from '../../../src/sources/registry.ts';
import { rawOf } from '../../../src/sources/vsphere/managed-object.ts';
import { createVspherePlatform } from '../../../src/sources/vsphere/platform.ts';
import { secretOf } from './fake-vcenter.ts';
import { goldenVm, modelWith } from './raw-vm.ts';

const platform = createVspherePlatform();
const pin = Array(20).fill('AB').join(':');
const pem = '-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n';

describe('the registry', () => {
  test('knows vSphere and says so of nothing else', () => {
    const registry = createSourceRegistry();
    expect(registry.platform('vsphere')?.type).toBe('vsphere');
    expect(registry.platform('ovirt')).toBeUndefined();
    expect(registry.platform('constructor')).toBeUndefined();
  });

  test('offers warm migrations by change ids', () => {
    expect(platform.traits.warm).toBe('changeId');
  });
});

describe('a provider', () => {
  const check = (
    url: string,
    secret: Readonly<Record<string, string>>,
    settings: Readonly<Record<string, string>> = {},
  ) => platform.checkProvider({ type: 'vsphere', url, settings }, secretOf(secret));
  const good = { user: 'u', password: 'p', 'ca.crt': pem };
  const url = 'https://vcenter.example/sdk';

  test.each([
    ['an authority', good],
    ['an authority under its older name', { user: 'u', password: 'p', cacert: pem }],
    ['a pin', { user: 'u', password: 'p', thumbprint: pin }],
  ])('with %s is in order', (_name, secret) => {
    expect(check(url, secret)).toEqual([]);
  });

  test.each([
    ['', 'NotSet'],
    ['vcenter.example', 'Malformed'],
    ['http://vcenter.example/sdk', 'Malformed'],
    ['https://user:secret@vcenter.example/sdk', 'Malformed'],
  ])('with the URL "%s" is refused as %s', (bad, reason) => {
    const findings = check(bad, good);
    expect(findings).toMatchObject([{ code: 'UrlNotValid', severity: 'Critical', reason }]);
    expect(JSON.stringify(findings)).not.toContain('user:secret');
  });

  test('that lacks keys is told which', () => {
    expect(check(url, {})).toMatchObject([
      {
        code: 'SecretNotValid',
        severity: 'Critical',
        reason: 'DataErr',
        items: ['user', 'password', 'ca.crt'],
      },
    ]);
    expect(check(url, { user: 'u', password: '', insecureSkipVerify: 'false', 'ca.crt': ' ' })).toMatchObject(
      [{ items: ['password', 'ca.crt'] }],
    );
  });

  test('that is not to be verified is warned of, and needs no authority', () => {
    expect(check(url, { user: 'u', password: 'p', insecureSkipVerify: 'true' })).toMatchObject([
      { code: 'ConnectionInsecure', severity: 'Warn' },
    ]);
  });

  test('with an authority or a pin that nobody can read is refused', () => {
    expect(check(url, { ...good, 'ca.crt': 'not PEM' })).toMatchObject([
      { code: 'SecretNotValid', items: ['ca.crt'] },
    ]);
    expect(check(url, { user: 'u', password: 'p', thumbprint: 'sha256:abc' })).toMatchObject([
      { code: 'SecretNotValid', items: ['thumbprint'] },
    ]);
  });

  test('with settings that mean nothing is refused', () => {
    const settings = { sdkEndpoint: 'cloud', useVddkAioOptimization: 'yes', vddkInitImage: 'anything' };
    expect(check(url, good, settings)).toMatchObject([
      { code: 'SettingsNotValid', severity: 'Critical', items: ['sdkEndpoint', 'useVddkAioOptimization'] },
    ]);
    expect(check(url, good, { sdkEndpoint: 'vcenter', useVddkAioOptimization: 'false' })).toEqual([]);
  });
});

describe('a VM', () => {
  const cold: PlanView = {
    warm: false,
    skipGuestConversion: true,
    preserveStaticIps: false,
    migrateSharedDisks: true,
    networkMap: [],
    storageMap: [],
  };
  const codes = (
    changes: Readonly<Record<string, Json>>,
    plan: Partial<PlanView> = {},
    model: Partial<VmModel> = {},
  ): string[] => {
    const vm = goldenVm();
    const raw = rawOf({ ref: vm.ref, properties: { ...vm.properties, ...changes } });
    return platform
      .checkVm({ ...modelWith(changes), ...model }, raw, { ...cold, ...plan })
      .map((finding) => `${finding.severity} ${finding.code}`);
  };
  const device = (backing: Record<string, Json>): Json => [
    {
      _type: 'VirtualDisk',
      key: '2000',
      capacityInBytes: '1024',
      backing: { _type: 'VirtualDiskFlatVer2BackingInfo', fileName: '[ds] v/v.vmdk', ...backing },
    },
  ];

  test('in good order has no findings', () => {
    expect(codes({})).toEqual([]);
  });

  test.each<[string, Record<string, Json>, string[]]>([
    ['is a template', { 'config.template': true }, ['Critical VMIsTemplate']],
    ['is not connected', { 'runtime.connectionState': 'inaccessible' }, ['Critical VMNotConnected']],
    ['is suspended', { 'runtime.powerState': 'suspended' }, ['Critical VMPowerStateUnsupported']],
    [
      'runs without tools',
      { 'guest.toolsRunningStatus': 'guestToolsNotRunning' },
      ['Critical GuestToolsIssue'],
    ],
    [
      'is off, so that tools do not matter',
      { 'guest.toolsRunningStatus': 'guestToolsNotRunning', 'runtime.powerState': 'poweredOff' },
      [],
    ],
    ['needs consolidation', { 'runtime.consolidationNeeded': true }, ['Warn VMConsolidationNeeded']],
  ])('that %s', (_what, changes, expected) => {
    expect(codes(changes)).toEqual(expected);
  });

  test('with an independent disk may move cold and not warm', () => {
    const changes = { 'config.hardware.device': device({ diskMode: 'independent_persistent' }) };
    expect(codes(changes)).toEqual(['Warn IndependentDiskWarning']);
    expect(codes(changes, { warm: true })).toContain('Critical VMMigrationTypeUnsupported');
  });

  test('with a raw device or a shared disk is warned of', () => {
    const raw = device({
      _type: 'VirtualDiskRawDiskMappingVer1BackingInfo',
      compatibilityMode: 'virtualMode',
    });
    expect(codes({ 'config.hardware.device': raw })).toEqual(['Warn RDMDiskWarning']);
    const shared = { 'config.hardware.device': device({ sharing: 'sharingMultiWriter' }) };
    expect(codes(shared)).toEqual(['Warn SharedWarnDisks']);
    expect(codes(shared, { warm: true })).toContain('Critical SharedDisks');
  });

  test('with a disk of no size is refused', () => {
    const empty = [{ _type: 'VirtualDisk', key: '2000', backing: { fileName: '[ds] v/v.vmdk' } }];
    expect(codes({ 'config.hardware.device': empty })).toEqual(['Critical InvalidDiskSizes']);
  });

  test('with snapshots may move cold and not warm', () => {
    const snapshots = { foreignSnapshots: [{ id: 's', name: 'n', memory: false }] };
    expect(codes({}, {}, snapshots)).toEqual(['Warn VMHasSnapshots']);
    expect(codes({}, { warm: true }, snapshots)).toEqual(['Critical VMHasSnapshots']);
  });

  test('without change tracking may not move warm', () => {
    const changes = { 'config.changeTrackingEnabled': false };
    expect(codes(changes)).toEqual([]);
    expect(codes(changes, { warm: true })).toEqual(['Critical VMMissingChangedBlockTracking']);
  });

  test('that has told no addresses is warned of where they are to be kept', () => {
    const silent = { 'guest.net': [] };
    expect(codes(silent)).toEqual([]);
    expect(codes(silent, { preserveStaticIps: true })).toEqual(['Warn VMMissingGuestIPs']);
    expect(codes({}, { preserveStaticIps: true })).toEqual([]);
  });
});
