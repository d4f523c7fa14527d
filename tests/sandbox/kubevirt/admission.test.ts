import { describe, expect, test } from '@jest/globals';
import type { Devices, Disk, Interface, VirtualMachine } from '../../../src/api/external/kubevirt.ts';
import { virtualMachines } from '../../../src/api/kinds.ts';
import { checkVirtualMachine, joinRefusals } from '../../../src/sandbox/kubevirt/check-virtual-machine.ts';
import { withMachineDefaults } from '../../../src/sandbox/kubevirt/defaults.ts';
import { ns, seeded, startCluster } from '../cdi/cluster.ts';
import type { MachineChanges } from './machine.ts';
import { machine } from './machine.ts';

const disk: Disk = { name: 'vol-0', disk: { bus: 'virtio' } };
const nic: Interface = { name: 'net-0', masquerade: {} };
const devices = (changes: Partial<Devices>): MachineChanges => ({
  domain: { devices: { disks: [disk], interfaces: [nic], ...changes } },
});
const oneDisk = (changes: object): MachineChanges => devices({ disks: [{ ...disk, ...changes }] });
const oneNic = (changes: object): MachineChanges => devices({ interfaces: [{ ...nic, ...changes }] });

describe('a VirtualMachine', () => {
  test('as a migration builds it is admitted', () => {
    expect(checkVirtualMachine(machine('vm'))).toEqual([]);
  });

  const refused: readonly (readonly [string, MachineChanges, string])[] = [
    ['runStrategy together with running', { spec: { running: true } }, 'mutually exclusive'],
    ['an unknown runStrategy', { spec: { runStrategy: 'Never' as 'Halted' } }, 'Invalid RunStrategy (Never)'],
    [
      'a disk naming an unknown volume',
      { template: { volumes: [] } },
      "spec.template.spec.domain.devices.disks[0].Name 'vol-0' not found.",
    ],
    [
      'two disks of one name',
      devices({ disks: [disk, disk] }),
      'spec.template.spec.domain.devices.disks[1] and spec.template.spec.domain.devices.disks[0] must not have the same Name.',
    ],
    [
      'two volumes of one name',
      {
        template: {
          volumes: [
            { name: 'vol-0', persistentVolumeClaim: { claimName: 'a' } },
            { name: 'vol-0', persistentVolumeClaim: { claimName: 'b' } },
          ],
        },
      },
      'spec.template.spec.volumes[1] and spec.template.spec.volumes[0] must not have the same Name.',
    ],
    [
      'a volume without source',
      { template: { volumes: [{ name: 'vol-0' }] } },
      'exactly one source type set',
    ],
    [
      'one bootOrder on disk and interface',
      devices({ disks: [{ ...disk, bootOrder: 1 }], interfaces: [{ ...nic, bootOrder: 1 }] }),
      'Boot order for spec.template.spec.domain.devices.interfaces[0].bootOrder already set for a different device.',
    ],
    ['bootOrder 0', oneDisk({ bootOrder: 0 }), 'must have a boot order > 0, if supplied'],
    ['an ide disk', oneDisk({ disk: { bus: 'ide' } }), 'IDE bus is not supported'],
    ['an unknown bus', oneDisk({ disk: { bus: 'nvme' } }), 'unrecognized bus nvme'],
    ['a disk that is two things', oneDisk({ lun: {} }), 'can only have a single target type defined'],
    [
      'a virtio CD-ROM',
      oneDisk({ disk: undefined, cdrom: { bus: 'virtio' } }),
      'Bus type virtio is invalid for CD-ROM device',
    ],
    ['a serial with spaces', oneDisk({ serial: 'a b' }), 'must be made up of the following characters'],
    [
      'a serial too long',
      oneDisk({ serial: 'a'.repeat(257) }),
      'must be less than or equal to 256 in length',
    ],
    ['an unknown cache mode', oneDisk({ cache: 'always' }), 'cache has invalid value always'],
    [
      'a disk name in capitals',
      {
        ...devices({ disks: [{ ...disk, name: 'Vol' }] }),
        template: { volumes: [{ name: 'Vol', persistentVolumeClaim: { claimName: 'a' } }] },
      },
      'a lowercase RFC 1123 label must consist of',
    ],
    ['an unknown model', oneNic({ model: 'vmxnet3' }), 'uses model vmxnet3 that is not supported.'],
    [
      'a malformed MAC',
      oneNic({ macAddress: '00:50:56:00:00' }),
      'has malformed MAC address (00:50:56:00:00).',
    ],
    [
      'a MAC of 8 bytes',
      oneNic({ macAddress: '00:50:56:00:00:01:02:03' }),
      'has too long MAC address (00:50:56:00:00:01:02:03).',
    ],
    [
      'a binding and a binding plugin',
      oneNic({ binding: { name: 'l2bridge' } }),
      'cannot have both binding plugin and interface binding method',
    ],
    ['a malformed PCI address', oneNic({ pciAddress: '0b:00' }), 'has malformed PCI address (0b:00).'],
    [
      'a LUN with reservations, whose gate is off',
      oneDisk({ disk: undefined, lun: { bus: 'scsi', reservation: true } }),
      'PersistentReservation feature gate is not enabled',
    ],
    [
      'an emulator thread of its own without CPUs of its own',
      { domain: { ...devices({}).domain, cpu: { isolateEmulatorThread: true } } },
      'IsolateEmulatorThread should be only set in combination with DedicatedCPUPlacement',
    ],
    [
      'CPUs of its own with three threads a core',
      {
        domain: {
          ...devices({}).domain,
          cpu: { dedicatedCpuPlacement: true, threads: 3 },
          memory: { guest: '1Gi' },
        },
      },
      'Not more than two threads must be provided',
    ],
    [
      'an unknown eviction strategy',
      { template: { evictionStrategy: 'Run' as 'None' } },
      'spec.template.spec.evictionStrategy is set with an unrecognized option: Run',
    ],
    [
      'a network without interface',
      {
        template: {
          networks: [
            { name: 'net-0', pod: {} },
            { name: 'net-1', multus: { networkName: 'a' } },
          ],
        },
      },
      "spec.template.spec.networks[1].name 'net-1' not found.",
    ],
    [
      'an interface without network',
      devices({ interfaces: [nic, { name: 'net-1', bridge: {} }] }),
      "spec.template.spec.domain.devices.interfaces[1].name 'net-1' not found.",
    ],
    [
      'two pod networks',
      {
        ...devices({ interfaces: [nic, { name: 'net-1', masquerade: {} }] }),
        template: {
          networks: [
            { name: 'net-0', pod: {} },
            { name: 'net-1', pod: {} },
          ],
        },
      },
      'more than one interface is connected to a pod network',
    ],
    [
      'masquerade on a multus network',
      { template: { networks: [{ name: 'net-0', multus: { networkName: 'a' } }] } },
      'Masquerade interface only implemented with pod network',
    ],
    [
      'absent on masquerade',
      oneNic({ state: 'absent' }),
      '"net-0" interface\'s state "absent" is supported only for bridge binding',
    ],
    [
      'secure boot without SMM, which efi alone means',
      { domain: { ...devices({}).domain, firmware: { bootloader: { efi: {} } } } },
      'spec.template.spec.domain has EFI SecureBoot enabled. SecureBoot requires SMM, which is currently disabled.',
    ],
    [
      'efi and bios together',
      {
        domain: {
          ...devices({}).domain,
          firmware: { bootloader: { bios: {}, efi: { secureBoot: false } } },
        },
      },
      'has both EFI and BIOS configured, but they are mutually exclusive.',
    ],
    [
      'an old machine type',
      { domain: { ...devices({}).domain, machine: { type: 'pc-i440fx-7.2' } } },
      'machine.type is not supported: pc-i440fx-7.2 (allowed values: [q35* pc-q35*])',
    ],
    [
      'a host name with dots',
      { template: { hostname: 'a.b' } },
      'does not conform to the kubernetes DNS_LABEL rules : must not contain dots',
    ],
  ];
  test.each(refused)('is refused with %s', (_name, changes, text) => {
    expect(checkVirtualMachine(machine('vm', changes)).join('\n')).toContain(text);
  });

  test('is refused with neither runStrategy nor running', () => {
    const { runStrategy: _left, ...spec } = machine('vm').spec;
    expect(checkVirtualMachine({ ...machine('vm'), spec })).toEqual(['RunStrategy must be specified']);
  });

  test('is refused with a label that is KubeVirt’s own', () => {
    const vm = machine('vm');
    const metadata = { labels: { 'kubevirt.io/created-by': 'me' } };
    const refusals = checkVirtualMachine({
      ...vm,
      spec: { ...vm.spec, template: { ...vm.spec.template, metadata } },
    });
    expect(refusals.join()).toContain('reserved kubevirt.io/ labels');
  });

  const admitted: readonly (readonly [string, MachineChanges])[] = [
    ['no memory', { domain: { devices: devices({}).domain!.devices! } }],
    ['no network and no interface', { ...devices({ interfaces: [] }), template: { networks: [] } }],
    ['a volume that no disk names, since one is added', devices({ disks: [] })],
    ['a disk that says not what it is', oneDisk({ disk: undefined })],
    [
      'secure boot with SMM',
      {
        domain: {
          ...devices({}).domain,
          features: { smm: { enabled: true } },
          firmware: { bootloader: { efi: { secureBoot: true } }, serial: 'VMware-56 4d' },
        },
      },
    ],
    [
      'a bridge on multus',
      {
        ...oneNic({ masquerade: undefined, bridge: {} }),
        template: { networks: [{ name: 'net-0', multus: { networkName: 'a/b' } }] },
      },
    ],
    ['a MAC with dashes', oneNic({ macAddress: '00-50-56-00-00-01' })],
  ];
  test.each(admitted)('is admitted with %s', (_name, changes) => {
    expect(checkVirtualMachine(machine('vm', changes))).toEqual([]);
  });

  test('with many faults tells ten of them and how many more there are', () => {
    const texts = Array.from({ length: 12 }, (_, i) => `fault ${i}`);
    expect(joinRefusals(texts)).toMatch(/^fault 0, .*fault 9, and 2 more validation errors$/);
  });
});

describe('defaults', () => {
  const filled = (vm: VirtualMachine, operation: 'CREATE' | 'UPDATE' = 'CREATE') =>
    withMachineDefaults(vm, operation, seeded(3)).spec.template.spec.domain;

  test('uuid, serial and machine type are filled in, the same for the same seed', () => {
    const domain = filled(machine('vm'));
    expect(domain.machine).toEqual({ type: 'q35' });
    expect(domain.firmware?.uuid).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(domain.firmware?.serial).not.toBe(domain.firmware?.uuid);
    expect(filled(machine('vm'))).toEqual(domain);
  });

  test('what was given stays, and an update gets no new identity', () => {
    const firmware = { uuid: 'u', serial: 's' };
    const given = machine('vm', { domain: { ...devices({}).domain, firmware, features: { smm: {} } } });
    expect(filled(given)).toMatchObject({ firmware, features: { smm: {}, acpi: {} } });
    expect(filled(machine('vm'), 'UPDATE').firmware).toBe(undefined);
  });

  test('amounts come back in their shortest form, a count of none not at all', () => {
    const domain = { ...devices({}).domain!, memory: { guest: '2048Mi' }, cpu: { sockets: 0, cores: 2 } };
    expect(filled(machine('vm', { domain }))).toMatchObject({ memory: { guest: '2Gi' }, cpu: { cores: 2 } });
    expect(filled(machine('vm', { domain })).cpu).not.toHaveProperty('sockets');
  });
});

describe('the webhook', () => {
  test('refuses with 422 in virt-api’s words, a dry run too', async () => {
    await using cluster = await startCluster();
    const bad = machine('vm', oneDisk({ disk: { bus: 'ide' } }));
    for (const dryRun of [true, false]) {
      await expect(cluster.client.create(virtualMachines, bad, { dryRun })).rejects.toMatchObject({
        status: 422,
        detail:
          'admission webhook "virtualmachine-validator.kubevirt.io" denied the request: IDE bus is not supported',
      });
    }
  });

  const unreadable: readonly (readonly [string, MachineChanges, string])[] = [
    [
      'an amount that is none',
      { domain: { ...devices({}).domain, memory: { guest: '1 GB' } } },
      'quantities must',
    ],
    ['a number below zero', oneDisk({ bootOrder: -1 }), 'cannot unmarshal number -1 into Go struct field'],
  ];
  test.each(unreadable)('cannot read %s, and says so with 400', async (_name, changes, text) => {
    await using cluster = await startCluster();
    await expect(cluster.client.create(virtualMachines, machine('vm', changes))).rejects.toMatchObject({
      status: 400,
      detail: expect.stringContaining(text) as unknown,
    });
  });

  test('a dry run of a good machine stores nothing', async () => {
    await using cluster = await startCluster();
    const answer = await cluster.client.create(virtualMachines, machine('vm'), { dryRun: true });
    expect(answer.spec.template.spec.domain.machine?.type).toBe('q35');
    expect(await cluster.client.get(virtualMachines, { namespace: ns, name: 'vm' })).toBe(undefined);
  });
});
