import { describe, expect, test } from '@jest/globals';
import { buildImport } from '../../src/migration/freeze/build-import.ts';
import { freezeImport } from '../../src/migration/freeze/freeze.ts';
import type { FreezeInput } from '../../src/migration/freeze/input.ts';
import { sampleDisk, sampleInput, sampleModel, sampleNic, samplePlan } from '../target/sample-import.ts';

const freeze = (changes: Partial<FreezeInput> = {}) => freezeImport(sampleInput(changes));
/** Code of each finding and, for a refusal, that there is no spec. */
function refusals(changes: Partial<FreezeInput>): readonly string[] {
  const { spec, findings } = freeze(changes);
  expect(spec).toBeUndefined();
  return findings.filter((finding) => finding.severity === 'Critical').map((finding) => finding.code);
}

describe('what is frozen', () => {
  test('is all that the run needs: who, where, how, and every disk and NIC', () => {
    const { spec, findings } = freeze();
    expect(findings).toEqual([]);
    expect(spec).toMatchObject({
      run: {
        plan: { name: 'plan-a', uid: 'plan-uid' },
        migration: { name: 'run-1', uid: 'migration-uid' },
        order: 0,
        remade: 0,
      },
      vm: { id: 'vm-10', name: 'web-01' },
      source: { type: 'vsphere', endpoint: 'provider' },
      target: { namespace: 'target' },
      strategy: { type: 'cold', path: 'vddk', conversion: 'none' },
      vddkImage: 'registry/vddk:8',
      disks: [
        {
          key: '2000',
          index: 0,
          sizeBytes: 2 ** 30,
          class: 'fast',
          volumeName: 'vol-0',
          bus: 'virtio',
          bootOrder: 1,
          mode: 'copy',
        },
        { key: '2001', index: 1, volumeName: 'vol-1', mode: 'copy' },
      ],
      nics: [
        {
          key: '4000',
          interfaceName: 'net-0',
          action: 'pod',
          model: 'virtio',
          mac: '00:50:56:aa:00:00',
          staticIps: false,
        },
      ],
      policies: { powerOff: 'fail', powerOffSeconds: 0, onConversionFailure: 'restore' },
    });
    expect(spec?.disks[0]?.claimName).toMatch(/^plan-a-web-01-disk-0-[0-9a-f]{8}$/);
    expect(spec?.target).not.toHaveProperty('namePreferred');
  });

  test('repeats the defaults of the CRD where a plan does not say', () => {
    const options = freeze({ plan: { metadata: samplePlan().metadata, spec: minimalSpec() } }).spec?.options;
    expect(options).toEqual({
      preserveStaticIps: true,
      powerAfter: 'auto',
      deleteOnFail: true,
      skipConversion: false,
      compatibility: true,
      cpuModelFromCluster: false,
      xfs: false,
      keepConversionPod: true,
    });
  });

  test('takes the choices of the VM before those of the plan, but for a deletion that it can only add', () => {
    const plan = samplePlan({
      targetPowerState: 'on',
      enableNestedVirtualization: true,
      deleteVmOnFailMigration: false,
    });
    const planVm = { id: 'vm-10', targetPowerState: 'off' as const, enableNestedVirtualization: false };
    expect(freeze({ plan, planVm }).spec?.options).toMatchObject({
      powerAfter: 'off',
      nested: false,
      deleteOnFail: false,
    });
    expect(
      freeze({ plan, planVm: { ...planVm, deleteVmOnFailMigration: true } }).spec?.options.deleteOnFail,
    ).toBe(true);
  });

  test('says how the disks are read and whether the guest is converted', () => {
    const strategy = (changes: Partial<FreezeInput>) => freeze(changes).spec?.strategy;
    const { vddkImage: _none, ...withoutImage } = sampleInput().source;
    const converting = samplePlan({ skipGuestConversion: false });
    expect(strategy({ plan: converting })).toEqual({ type: 'cold', path: 'vddk', conversion: 'inPlace' });
    expect(strategy({ plan: converting, source: withoutImage })).toEqual({
      type: 'cold',
      path: 'blank',
      conversion: 'remote',
    });
    expect(
      strategy({ plan: converting, source: { ...withoutImage, converts: false, path: 'imageio' } }),
    ).toEqual({
      type: 'cold',
      path: 'imageio',
      conversion: 'none',
    });
    expect(strategy({ plan: samplePlan({ warm: true }) })?.type).toBe('warm');
    expect(strategy({ plan: samplePlan({ type: 'warm' }) })?.type).toBe('warm');
  });

  test('leaves a guest that will not shut down running in a warm run, unless the plan says otherwise', () => {
    const policy = (plan: FreezeInput['plan']) => freeze({ plan }).spec?.policies.powerOff;
    const warm = samplePlan({ type: 'warm' });
    expect(policy(warm)).toBe('abortCutover');
    const annotations = { 'gantry.dev/power-off-policy': 'force' };
    expect(policy({ ...warm, metadata: { ...warm.metadata, annotations } })).toBe('force');
  });

  test('has devices that every guest knows where nobody installs drivers', () => {
    const { spec } = freeze({ plan: samplePlan({ useCompatibilityMode: true }) });
    expect(spec?.disks.map((disk) => disk.bus)).toEqual(['sata', 'sata']);
    expect(spec?.nics.map((nic) => nic.model)).toEqual(['e1000e']);
  });

  test('uses the templates of the VM before those of the plan', () => {
    const plan = samplePlan({
      pvcNameTemplate: 'plan-{{.DiskIndex}}',
      pvcNameTemplateUseGenerateName: false,
      volumeNameTemplate: '{{.PVCName}}-v',
      networkNameTemplate: '{{.NetworkType}}-{{.NetworkIndex}}',
    });
    const own = { id: 'vm-10', pvcNameTemplate: '{{.FileName | replace "_" "-"}}' };
    expect(freeze({ plan }).spec?.disks.map((disk) => disk.claimName)).toEqual(['plan-0', 'plan-1']);
    const { spec } = freeze({ plan, planVm: own });
    expect(spec?.disks.map((disk) => disk.claimName)).toEqual(['web-0', 'web-1']);
    expect(spec?.disks.map((disk) => disk.volumeName)).toEqual(['web-0-v', 'web-1-v']);
    expect(spec?.nics.map((nic) => nic.interfaceName)).toEqual(['pod-0']);
  });

  test('marks NICs whose addresses are to be kept', () => {
    const address = { ip: '10.0.0.5', prefix: 24, origin: 'static' as const, dns: [] };
    const model = sampleModel({ nics: [sampleNic(0, { addresses: [address] })] });
    expect(freeze({ model }).spec?.nics[0]?.staticIps).toBe(true);
    expect(freeze({ model, plan: samplePlan({ preserveStaticIPs: false }) }).spec?.nics[0]?.staticIps).toBe(
      false,
    );
  });
});

describe('what cannot be frozen', () => {
  test('a disk whose datastore is in no map', () => {
    expect(refusals({ storageMap: [] })).toEqual(['VMStorageNotMapped', 'VMStorageNotMapped']);
    expect(freeze({ storageMap: [] }).findings[0]).toMatchObject({
      message:
        'web-01: disk [store-1] web/web_0.vmdk lies on store-1, for which the storage map has no entry',
    });
  });

  test('a NIC whose network is in no map', () => {
    expect(refusals({ networkMap: [] })).toEqual(['VMNetworksNotMapped']);
  });

  test('two NICs on the pod network', () => {
    expect(refusals({ model: sampleModel({ nics: [sampleNic(0), sampleNic(1)] }) })).toEqual([
      'VMMultiplePodNetworkMappings',
    ]);
  });

  test('a NIC whose MAC address is none, or the one that KubeVirt keeps for its bridge on the pod network', () => {
    const withMac = (mac: string) => ({ model: sampleModel({ nics: [sampleNic(0, { mac })] }) });
    for (const mac of ['none', '00:50', '0050.5600.0001', '00:11:22:33:44:55:66:77', '02-00-00-00-00-00'])
      expect(refusals(withMac(mac))).toEqual(['NotValid']);
    for (const mac of ['', '00:50:56:AA:00:01', '00-50-56-aa-00-01'])
      expect(freeze(withMac(mac)).spec?.nics).toHaveLength(1);
    const networkMap = [
      { source: { id: 'network-1' }, destination: { type: 'multus' as const, name: 'vlan' } },
    ];
    expect(freeze({ ...withMac('02:00:00:00:00:00'), networkMap }).spec?.nics).toHaveLength(1);
  });

  test('a disk without a size, a VM without memory', () => {
    expect(refusals({ model: sampleModel({ disks: [sampleDisk(0, { sizeBytes: 0 })] }) })).toEqual([
      'InvalidDiskSizes',
    ]);
    expect(refusals({ model: sampleModel({ memoryBytes: 0 }) })).toEqual(['NotValid']);
  });

  test('a template with a fault, one that gives no name, and one that gives a name twice', () => {
    const messages = (pvcNameTemplate: string) =>
      freeze({ plan: samplePlan({ pvcNameTemplate, pvcNameTemplateUseGenerateName: false }) }).findings.map(
        (finding) => finding.message,
      );
    expect(messages('{{ .Nope }}')[0]).toMatch(
      /^web-01: pvcNameTemplate at line 1, column 4: there is no field "\.Nope"/,
    );
    expect(messages('My Disk {{.DiskIndex}}')[0]).toMatch(/gives "My Disk 0", which is no name/);
    expect(messages('disk')).toEqual([
      'web-01: pvcNameTemplate gives the name "disk" twice; use the index in it',
    ]);
    expect(refusals({ plan: samplePlan({ volumeNameTemplate: 'v' }) })).toEqual(['NotValid']);
    expect(refusals({ plan: samplePlan({ networkNameTemplate: '{{ if' }) })).toEqual(['NotValid']);
  });

  test('a target name that is none', () => {
    expect(refusals({ planVm: { id: 'vm-10', targetName: 'My VM' } })).toEqual(['NotValid']);
    expect(freeze({ planVm: { id: 'vm-10', targetName: 'mine' } }).spec?.target.namePreferred).toBe('mine');
  });

  test('what is not offered yet: shared disks to be attached, LUNs, live migration', () => {
    const shared = sampleModel({ disks: [sampleDisk(0, { shared: true })] });
    expect(refusals({ model: shared, plan: samplePlan({ migrateSharedDisks: false }) })).toEqual([
      'VMStorageNotSupported',
    ]);
    const lun = sampleModel({ disks: [sampleDisk(0, { kind: 'lun' })] });
    expect(refusals({ model: lun, plan: samplePlan({ rdmAsLun: true }) })).toEqual(['VMStorageNotSupported']);
    expect(freeze({ model: lun }).spec?.disks[0]?.mode).toBe('copy');
    expect(refusals({ plan: samplePlan({ type: 'live' }) })).toEqual(['MigrationTypeNotValid']);
  });

  test('but a name that must change and a root disk that is not there are warnings', () => {
    const { spec, findings } = freeze({
      model: sampleModel({ name: 'Web 01' }),
      planVm: { id: 'vm-10', rootDisk: '/dev/sdx' },
    });
    expect(spec?.disks[0]?.bootOrder).toBe(1);
    expect(findings.map((finding) => [finding.code, finding.severity])).toEqual([
      ['TargetNameNotValid', 'Warn'],
      ['NotValid', 'Warn'],
    ]);
  });

  test('and a CD-ROM is no disk to copy', () => {
    const model = sampleModel({ disks: [sampleDisk(0), sampleDisk(1, { kind: 'cdrom', sizeBytes: 0 })] });
    expect(freeze({ model }).spec?.disks.map((disk) => disk.mode)).toEqual(['copy', 'skip']);
  });
});

describe('the import of a frozen spec', () => {
  test('belongs to its migration and carries both finalizers from the beginning', () => {
    const { spec } = freeze();
    expect(buildImport(spec!, 'plans').metadata).toEqual({
      name: expect.stringMatching(/^plan-a-web-01-[0-9a-f]{8}$/),
      namespace: 'plans',
      labels: {
        plan: 'plan-uid',
        migration: 'migration-uid',
        vmID: 'vm-10',
        'plan-name': 'plan-a',
        'gantry.dev/identity': expect.stringMatching(/^[0-9a-f]{16}$/),
      },
      ownerReferences: [
        {
          apiVersion: 'forklift.konveyor.io/v1beta1',
          kind: 'Migration',
          name: 'run-1',
          uid: 'migration-uid',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
      finalizers: ['gantry.dev/import', 'gantry.dev/projected'],
    });
  });
});

function minimalSpec(): FreezeInput['plan']['spec'] {
  const { provider, map, targetNamespace, vms } = samplePlan().spec;
  return { provider, map, targetNamespace, vms };
}
