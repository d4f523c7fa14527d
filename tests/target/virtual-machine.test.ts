import { describe, expect, test } from '@jest/globals';
import type { VirtualMachine } from '../../src/api/external/kubevirt.ts';
import type { FreezeInput } from '../../src/migration/freeze/input.ts';
import { buildVirtualMachine } from '../../src/target/virtual-machine/virtual-machine.ts';
import { sampleSubject } from './freeze-sample.ts';
import { sampleDisk, sampleModel, sampleNic, samplePlan } from './sample-import.ts';

function build(changes: Partial<FreezeInput> = {}, name = 'web-01'): VirtualMachine {
  const subject = sampleSubject(changes);
  const claims = new Map(subject.spec.disks.map((disk) => [disk.key, disk.claimName]));
  return buildVirtualMachine(subject, { name, claims });
}
const domainOf = (changes: Partial<FreezeInput> = {}) => build(changes).spec.template.spec.domain;

describe('the target VM', () => {
  test('is made halted, of claims alone, with the labels of its import', () => {
    const vm = build();
    expect(vm.spec.runStrategy).toBe('Halted');
    expect(vm.metadata).toMatchObject({
      name: 'web-01',
      namespace: 'target',
      labels: {
        'gantry.dev/import': 'import-uid',
        migration: 'migration-uid',
        vmID: 'vm-10',
        guestConverted: 'false',
      },
    });
    for (const volume of vm.spec.template.spec.volumes ?? []) {
      expect(Object.keys(volume).sort()).toEqual(['name', 'persistentVolumeClaim']);
    }
    expect(vm.spec.template.metadata?.labels).toEqual({ app: 'web-01' });
  });

  test('tells its name at the source where it had to get another one', () => {
    expect(build().metadata.annotations).toBeUndefined();
    expect(build({}, 'web-01-abcde').metadata.annotations).toEqual({
      'openshift.io/display-name': 'web-01',
      'original-name': 'web-01',
      'original-id': 'vm-10',
    });
  });

  test('has the CPU topology and the memory of the source', () => {
    expect(domainOf().cpu).toEqual({ sockets: 2, cores: 4, threads: 1 });
    expect(domainOf().memory).toEqual({ guest: '2048Mi' });
  });

  test('has as many dedicated CPUs as the source, in cores that KubeVirt takes', () => {
    const cpuOf = (threadsPerCore: number, dedicated: boolean) =>
      domainOf({ model: sampleModel({ cpu: { ...sampleModel().cpu, threadsPerCore, dedicated } }) }).cpu;
    expect(cpuOf(2, true)).toMatchObject({ sockets: 2, cores: 4, threads: 2 });
    expect(cpuOf(4, true)).toMatchObject({ sockets: 2, cores: 16, threads: 1 });
    expect(cpuOf(4, false)).toMatchObject({ sockets: 2, cores: 4, threads: 4 });
  });

  test('leaves both to an instance type', () => {
    const vm = build({ planVm: { id: 'vm-10', instanceType: 'u1.medium' } });
    expect(vm.spec.instancetype).toEqual({ name: 'u1.medium' });
    expect(vm.spec.template.spec.domain).not.toHaveProperty('cpu');
    expect(vm.spec.template.spec.domain).not.toHaveProperty('memory');
  });

  test('allows nested virtualization as the VM, else the plan, else the source says', () => {
    const cpu = { ...sampleModel().cpu, nested: true };
    const policies = (changes: Partial<FreezeInput>) =>
      domainOf(changes).cpu?.features?.map((feature) => feature.policy);
    expect(policies({})).toBeUndefined();
    expect(policies({ model: sampleModel({ cpu }) })).toEqual(['optional', 'optional']);
    const plan = samplePlan({ enableNestedVirtualization: false });
    expect(policies({ model: sampleModel({ cpu }), plan })).toEqual(['disable', 'disable']);
    expect(policies({ plan, planVm: { id: 'vm-10', enableNestedVirtualization: true } })).toEqual([
      'optional',
      'optional',
    ]);
  });

  test('boots by BIOS or EFI as the source did, with secure boot said in so many words', () => {
    const firmware = sampleModel().firmware;
    expect(domainOf().firmware).toEqual({ bootloader: { bios: {} }, serial: '4213aa' });
    const efi = domainOf({ model: sampleModel({ firmware: { ...firmware, kind: 'efi' } }) });
    expect(efi.firmware?.bootloader).toEqual({ efi: { secureBoot: false } });
    expect(efi.features?.smm).toBeUndefined();
    const secure = domainOf({
      model: sampleModel({ firmware: { ...firmware, kind: 'efi', secureBoot: true } }),
    });
    expect(secure.firmware?.bootloader).toEqual({ efi: { secureBoot: true } });
    expect(secure.features?.smm).toEqual({ enabled: true });
    const unknown = domainOf({
      model: sampleModel({ firmware: { ...firmware, kind: 'unknown', secureBoot: true } }),
    });
    expect(unknown.firmware?.bootloader).toEqual({ bios: {} });
    expect(unknown.features).toBeUndefined();
  });

  test('has a persistent TPM or says that it has none', () => {
    const firmware = { ...sampleModel().firmware, tpm: true };
    expect(domainOf({ model: sampleModel({ firmware }) }).devices.tpm).toEqual({ persistent: true });
    expect(domainOf().devices.tpm).toEqual({ enabled: false });
  });

  test('gives Windows its enlightenments and timers, and other guests none', () => {
    const guest = { ...sampleModel().guest, family: 'windows' as const };
    const host = { id: 'host-1', timezone: 'Europe/Berlin', inMaintenance: false };
    const windows = domainOf({ model: sampleModel({ guest, host }) });
    expect(windows.features?.hyperv).toMatchObject({
      relaxed: {},
      vapic: {},
      spinlocks: { spinlocks: 8191 },
    });
    expect(windows.clock).toMatchObject({ timezone: 'Europe/Berlin', timer: { hpet: { present: false } } });
    const linux = domainOf({ model: sampleModel({ host }) });
    expect(linux.features).toBeUndefined();
    expect(linux.clock).toEqual({ utc: {} });
  });

  test('keeps the clock that the VM itself had at the source', () => {
    expect(domainOf({ model: sampleModel({ clock: { timezone: 'Asia/Tokyo' } }) }).clock).toEqual({
      timezone: 'Asia/Tokyo',
    });
    expect(domainOf({ model: sampleModel({ clock: { utcOffsetSeconds: 3600 } }) }).clock).toEqual({
      utc: { offsetSeconds: 3600 },
    });
  });
});

describe('disks of the target VM', () => {
  test('are called vol-N, in order, on virtio, and the first one boots', () => {
    const disks = domainOf().devices.disks;
    expect(disks).toEqual([
      { name: 'vol-0', bootOrder: 1, serial: '6000c290-4f1d-3a70-9', disk: { bus: 'virtio' } },
      { name: 'vol-1', serial: '6000c291-4f1d-3a70-9', disk: { bus: 'virtio' } },
    ]);
  });

  test('and devices are such as every guest knows where nobody installs drivers', () => {
    const plan = samplePlan({ useCompatibilityMode: true });
    const { disks, interfaces, inputs, rng } = domainOf({ plan }).devices;
    expect(disks?.map((disk) => disk.disk?.bus)).toEqual(['sata', 'sata']);
    expect(interfaces?.map((nic) => nic.model)).toEqual(['e1000e']);
    expect(inputs).toEqual([{ name: 'tablet', type: 'tablet', bus: 'usb' }]);
    expect(rng).toBeUndefined();
  });

  test('have a stable serial where the source gives none', () => {
    const serialOf = (id: string) => {
      const model = sampleModel({ id, disks: [sampleDisk(0, { serial: '/// ' })] });
      return domainOf({ model }).devices.disks?.[0]?.serial;
    };
    expect(serialOf('vm-1')).toMatch(/^[0-9a-f]{20}$/);
    expect(serialOf('vm-1')).toBe(serialOf('vm-1'));
    expect(serialOf('vm-1')).not.toBe(serialOf('vm-2'));
  });

  test('have serials of their own, even where those of the source differ only in what is cut off', () => {
    const long = (index: number) => sampleDisk(index, { serial: `6000c29a-4f1d-3a70-9bbd-${index}` });
    const serials = domainOf({ model: sampleModel({ disks: [long(0), long(1)] }) }).devices.disks?.map(
      (disk) => disk.serial,
    );
    expect(new Set(serials).size).toBe(2);
  });

  test('that are shared may be shared, without a cache', () => {
    const model = sampleModel({ disks: [sampleDisk(0), sampleDisk(1, { shared: true })] });
    const disks = domainOf({ model }).devices.disks;
    expect(disks?.[0]).not.toHaveProperty('shareable');
    expect(disks?.[1]).toMatchObject({ shareable: true, cache: 'none' });
  });

  test('boot from the disk that the plan names', () => {
    const orders = (rootDisk: string) =>
      domainOf({ planVm: { id: 'vm-10', rootDisk } }).devices.disks?.map((disk) => disk.bootOrder);
    expect(orders('/dev/sdb')).toEqual([undefined, 1]);
    expect(orders('/dev/sdz')).toEqual([1, undefined]);
  });
});

describe('NICs of the target VM', () => {
  test('keep their MAC address and go where the map says', () => {
    const model = sampleModel({
      nics: [
        sampleNic(0),
        sampleNic(1, { network: { ids: ['network-2'], names: [] }, linkUp: false }),
        sampleNic(2, { network: { ids: ['network-3'], names: [] } }),
      ],
    });
    const networkMap = [
      { source: { id: 'network-1' }, destination: { type: 'pod' as const } },
      {
        source: { id: 'network-2' },
        destination: { type: 'multus' as const, namespace: 'nets', name: 'vlan-7' },
      },
      { source: { id: 'network-3' }, destination: { type: 'ignored' as const } },
    ];
    const { domain, networks } = build({ model, networkMap }).spec.template.spec;
    expect(domain.devices.interfaces).toEqual([
      { name: 'net-0', model: 'virtio', macAddress: '00:50:56:aa:00:00', masquerade: {} },
      { name: 'net-1', model: 'virtio', macAddress: '00:50:56:aa:00:01', bridge: {}, state: 'down' },
    ]);
    expect(networks).toEqual([
      { name: 'net-0', pod: {} },
      { name: 'net-1', multus: { networkName: 'nets/vlan-7' } },
    ]);
  });

  test('are none where the source has none, not even one of the pod network', () => {
    const { devices } = domainOf({ model: sampleModel({ nics: [] }) });
    expect(devices.interfaces).toEqual([]);
    expect(devices.autoattachPodInterface).toBe(false);
    expect(domainOf().devices).not.toHaveProperty('autoattachPodInterface');
  });
});

describe('placement of the target VM', () => {
  test('is that of the plan', () => {
    const targetAffinity = {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] }],
        },
      },
    };
    const plan = samplePlan({
      targetLabels: { team: 'blue' },
      targetNodeSelector: { zone: 'a' },
      targetAffinity,
    });
    const { template } = build({ plan }).spec;
    expect(template.metadata?.labels).toEqual({ app: 'web-01', team: 'blue' });
    expect(template.spec.nodeSelector).toEqual({ zone: 'a' });
    expect(template.spec.affinity).toEqual(targetAffinity);
  });

  test('leaves a label that KubeVirt could not carry out of a long name', () => {
    const app = build({}, `${'a'.repeat(62)}.b`).spec.template.metadata?.labels?.['app'];
    expect(app).toBe('a'.repeat(62));
  });
});
