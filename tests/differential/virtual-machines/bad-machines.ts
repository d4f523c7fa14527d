import type { VirtualMachine } from '../../../src/api/external/kubevirt.ts';
import { buildVirtualMachine } from '../../../src/target/virtual-machine/virtual-machine.ts';
import { sampleSubject } from '../../target/freeze-sample.ts';

/** A VirtualMachine as our builder makes it, with something changed that nobody's builder should do. */
export interface MachineCase {
  /** What is wrong with it; also the name of its golden. */
  readonly name: string;
  readonly machine: VirtualMachine;
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Two disks on claims, one interface on the pod network, BIOS, Halted. */
function builtMachine(): VirtualMachine {
  const subject = sampleSubject();
  const claims = new Map(subject.spec.disks.map((disk) => [disk.key, disk.claimName]));
  return buildVirtualMachine(subject, { name: 'web-01', claims });
}

/** Paths below spec.template.spec, or from the root when they begin with a slash; undefined removes. */
type Changes = Readonly<Record<string, Json | undefined>>;

function changed(name: string, changes: Changes): MachineCase {
  const machine = JSON.parse(JSON.stringify(builtMachine())) as { [key: string]: Json };
  for (const [path, value] of Object.entries(changes)) {
    const whole = path.startsWith('/') ? path.slice(1) : `spec.template.spec.${path}`;
    setAt(machine, whole.split('.'), value);
  }
  return { name, machine: machine as unknown as VirtualMachine };
}

function setAt(root: { [key: string]: Json }, path: readonly string[], value: Json | undefined): void {
  let at: { [key: string]: Json } = root;
  for (const part of path.slice(0, -1)) {
    at[part] ??= {};
    at = at[part] as { [key: string]: Json };
  }
  const last = path.at(-1) ?? '';
  if (value === undefined) Reflect.deleteProperty(at, last);
  else at[last] = value;
}

const disk = 'domain.devices.disks.0';
const nic = 'domain.devices.interfaces.0';
const multus: Json = [{ name: 'net-0', multus: { networkName: 'nets/vlan-1' } }];
const manyVolumes = Array.from({ length: 257 }, (_, index) => ({
  name: `v-${index}`,
  persistentVolumeClaim: { claimName: `c-${index}` },
}));

/** The one VirtualMachineClusterInstancetype that the cluster has. */
export const existingType = 'u1.small';

export const badMachines: readonly MachineCase[] = [
  changed('nothing-wrong', {}),
  changed('no-template', { '/spec.template': undefined }),
  changed('no-run-strategy', { '/spec.runStrategy': undefined }),
  changed('running-beside-run-strategy', { '/spec.running': true }),
  changed('unknown-run-strategy', { '/spec.runStrategy': 'Never' }),
  changed('wait-as-receiver', { '/spec.runStrategy': 'WaitAsReceiver' }),
  changed('reserved-label', { '/spec.template.metadata.labels': { 'kubevirt.io/created-by': 'me' } }),
  changed('name-with-capitals', { '/metadata.name': 'Web-01' }),
  changed('name-of-253-characters', { '/metadata.name': 'n'.repeat(253) }),
  changed('boot-order-below-zero', { 'domain.devices.disks.0.bootOrder': -1 }),
  changed('interface-boot-order-below-zero', { 'domain.devices.interfaces.0.bootOrder': -2 }),
  changed('label-value-too-long', { '/metadata.labels': { app: 'a'.repeat(64) } }),
  changed('template-label-value-too-long', { '/spec.template.metadata.labels': { app: 'a'.repeat(64) } }),

  changed('disk-without-volume', { volumes: [{ name: 'vol-0', persistentVolumeClaim: { claimName: 'a' } }] }),
  changed('cdrom-without-volume', { [disk]: { name: 'cd', cdrom: { bus: 'sata' } } }),
  changed('two-disks-of-one-name', { 'domain.devices.disks.1': { name: 'vol-0', disk: { bus: 'virtio' } } }),
  changed('two-volumes-of-one-name', {
    volumes: ['a', 'b', 'c'].map((claimName, index) => ({
      name: `vol-${index % 2}`,
      persistentVolumeClaim: { claimName },
    })),
  }),
  changed('volume-without-source', { 'volumes.0': { name: 'vol-0' } }),
  changed('volume-without-claim-name', { 'volumes.0': { name: 'vol-0', persistentVolumeClaim: {} } }),
  changed('volume-with-empty-claim-name', {
    'volumes.0': { name: 'vol-0', persistentVolumeClaim: { claimName: '' } },
  }),
  changed('boot-order-zero', { [`${disk}.bootOrder`]: 0 }),
  changed('boot-order-twice-on-disks', { [`domain.devices.disks.1.bootOrder`]: 1 }),
  changed('boot-order-on-disk-and-interface', { [`${nic}.bootOrder`]: 1 }),
  changed('boot-order-zero-on-interface', { [`${nic}.bootOrder`]: 0 }),
  changed('ide-disk', { [`${disk}.disk.bus`]: 'ide' }),
  changed('nvme-disk', { [`${disk}.disk.bus`]: 'nvme' }),
  changed('disk-that-is-two-things', { [`${disk}.lun`]: { bus: 'scsi' } }),
  changed('disk-that-is-nothing', { [`${disk}.disk`]: undefined }),
  changed('virtio-cdrom', { [`${disk}.disk`]: undefined, [`${disk}.cdrom`]: { bus: 'virtio' } }),
  changed('read-only-sata-disk', { [`${disk}.disk`]: { bus: 'sata', readonly: true } }),
  changed('lun-with-reservation', {
    [`${disk}.disk`]: undefined,
    [`${disk}.lun`]: { bus: 'scsi', reservation: true },
  }),
  changed('serial-with-spaces', { [`${disk}.serial`]: 'a b' }),
  changed('serial-of-257-characters', { [`${disk}.serial`]: 'a'.repeat(257) }),
  changed('unknown-cache-mode', { [`${disk}.cache`]: 'always' }),
  changed('unknown-error-policy', { [`${disk}.errorPolicy`]: 'panic' }),
  changed('disk-name-in-capitals', {
    [`${disk}.name`]: 'Vol-0',
    'volumes.0.name': 'Vol-0',
  }),
  changed('disk-name-with-dots', { [`${disk}.name`]: 'vol.0', 'volumes.0.name': 'vol.0' }),
  changed('disk-name-of-64-characters', {
    [`${disk}.name`]: 'v'.repeat(64),
    'volumes.0.name': 'v'.repeat(64),
  }),
  changed('volume-name-in-capitals', {
    volumes: [
      { name: 'vol-0', persistentVolumeClaim: { claimName: 'a' } },
      { name: 'vol-1', persistentVolumeClaim: { claimName: 'b' } },
      { name: 'Spare', persistentVolumeClaim: { claimName: 'c' } },
    ],
  }),
  changed('257-volumes', { volumes: manyVolumes, 'domain.devices.disks': [] }),

  changed('unknown-interface-model', { [`${nic}.model`]: 'vmxnet3' }),
  changed('malformed-mac', { [`${nic}.macAddress`]: '00:50:56:00:00' }),
  changed('mac-of-words', { [`${nic}.macAddress`]: 'none' }),
  changed('mac-of-eight-bytes', { [`${nic}.macAddress`]: '00:50:56:00:00:01:02:03' }),
  changed('mac-with-dots', { [`${nic}.macAddress`]: '0050.5600.0001' }),
  changed('reserved-mac', { [`${nic}.macAddress`]: '02:00:00:00:00:00' }),
  changed('multicast-mac', { [`${nic}.macAddress`]: '01:00:5e:00:00:01' }),
  changed('two-interfaces-of-one-mac', {
    'domain.devices.interfaces': [
      { name: 'net-0', masquerade: {}, macAddress: '00:50:56:00:00:01' },
      { name: 'net-1', bridge: {}, macAddress: '00:50:56:00:00:01' },
    ],
    networks: [
      { name: 'net-0', pod: {} },
      { name: 'net-1', multus: { networkName: 'nets/vlan-1' } },
    ],
  }),
  changed('no-binding', { [`${nic}.masquerade`]: undefined }),
  changed('two-bindings', { [`${nic}.bridge`]: {} }),
  changed('binding-plugin-nobody-registered', {
    [`${nic}.masquerade`]: undefined,
    [`${nic}.binding`]: { name: 'l2bridge' },
  }),
  changed('bridge-on-pod-network', { [`${nic}.masquerade`]: undefined, [`${nic}.bridge`]: {} }),
  changed('masquerade-on-multus', { networks: multus }),
  changed('sriov-on-pod-network', { [`${nic}.masquerade`]: undefined, [`${nic}.sriov`]: {} }),
  changed('network-without-interface', {
    networks: [
      { name: 'net-0', pod: {} },
      { name: 'net-1', multus: { networkName: 'vlan-1' } },
    ],
  }),
  changed('interface-without-network', { 'domain.devices.interfaces.1': { name: 'net-1', bridge: {} } }),
  changed('two-interfaces-on-one-network', {
    'domain.devices.interfaces.1': { name: 'net-0', masquerade: {} },
  }),
  changed('two-networks-of-one-name', {
    networks: [
      { name: 'net-0', pod: {} },
      { name: 'net-0', multus: { networkName: 'vlan-1' } },
    ],
  }),
  changed('two-pod-networks', {
    'domain.devices.interfaces.1': { name: 'net-1', masquerade: {} },
    'networks.1': { name: 'net-1', pod: {} },
  }),
  changed('pod-network-beside-default-multus', {
    'domain.devices.interfaces.1': { name: 'net-1', bridge: {} },
    'networks.1': { name: 'net-1', multus: { networkName: 'vlan-1', default: true } },
  }),
  changed('network-without-type', { 'networks.0': { name: 'net-0' } }),
  changed('network-of-two-types', {
    'networks.0': { name: 'net-0', pod: {}, multus: { networkName: 'vlan-1' } },
  }),
  changed('multus-without-name', {
    [`${nic}.masquerade`]: undefined,
    [`${nic}.bridge`]: {},
    networks: [{ name: 'net-0', multus: { networkName: '' } }],
  }),
  changed('interface-name-with-dots', { [`${nic}.name`]: 'net.0', 'networks.0.name': 'net.0' }),
  changed('state-unknown', { [`${nic}.state`]: 'maybe' }),
  changed('state-absent-on-masquerade', { [`${nic}.state`]: 'absent' }),
  changed('state-absent-on-pod-bridge', {
    [`${nic}.masquerade`]: undefined,
    [`${nic}.bridge`]: {},
    [`${nic}.state`]: 'absent',
  }),
  changed('state-down-on-sriov', {
    [`${nic}.masquerade`]: undefined,
    [`${nic}.sriov`]: {},
    [`${nic}.state`]: 'down',
    networks: multus,
  }),
  changed('malformed-pci-address', { [`${nic}.pciAddress`]: '0b:00' }),

  changed('efi-that-says-nothing-of-secure-boot', { 'domain.firmware.bootloader': { efi: {} } }),
  changed('secure-boot-with-smm-off', {
    'domain.firmware.bootloader': { efi: { secureBoot: true } },
    'domain.features': { smm: { enabled: false } },
  }),
  changed('efi-and-bios', { 'domain.firmware.bootloader': { bios: {}, efi: { secureBoot: false } } }),
  changed('old-machine-type', { 'domain.machine': { type: 'pc-i440fx-7.2' } }),
  changed('cpu-feature-policy', { 'domain.cpu.features': [{ name: 'vmx', policy: 'maybe' }] }),
  changed('isolated-emulator-without-dedicated-cpus', { 'domain.cpu.isolateEmulatorThread': true }),
  changed('dedicated-cpus', { 'domain.cpu.dedicatedCpuPlacement': true }),
  changed('dedicated-cpus-of-four-threads', {
    'domain.cpu.dedicatedCpuPlacement': true,
    'domain.cpu.threads': 4,
  }),
  changed('dedicated-cpus-without-memory', {
    'domain.cpu.dedicatedCpuPlacement': true,
    'domain.memory': undefined,
  }),
  changed('zero-sockets', { 'domain.cpu.sockets': 0 }),
  changed('negative-cores', { 'domain.cpu.cores': -1 }),
  changed('half-a-socket', { 'domain.cpu.sockets': 0.5 }),
  changed('thousand-sockets', { 'domain.cpu.sockets': 1000, 'domain.cpu.cores': 64 }),
  changed('unknown-cpu-model', { 'domain.cpu.model': 'no such model' }),
  changed('no-memory', { 'domain.memory': undefined }),
  changed('memory-of-nothing', { 'domain.memory.guest': '0' }),
  changed('memory-of-one-byte', { 'domain.memory.guest': '1' }),
  changed('memory-in-thousandths', { 'domain.memory.guest': '1500m' }),
  changed('memory-that-is-no-quantity', { 'domain.memory.guest': '1 GB' }),
  changed('memory-request-below-one-megabyte', { 'domain.resources.requests': { memory: '64' } }),
  changed('memory-request-above-limit', {
    'domain.resources': { requests: { memory: '2Gi' }, limits: { memory: '1Gi' } },
  }),
  changed('memory-request-above-guest', { 'domain.resources': { requests: { memory: '8Gi' } } }),
  changed('input-that-is-a-keyboard', {
    'domain.devices.inputs': [{ name: 'k', type: 'keyboard', bus: 'usb' }],
  }),
  changed('input-on-ps2', { 'domain.devices.inputs': [{ name: 't', type: 'tablet', bus: 'ps2' }] }),
  changed('timezone-nobody-knows', { 'domain.clock': { timezone: 'Mars/Olympus' } }),
  changed('timezone-beside-utc', { 'domain.clock': { timezone: 'Etc/UTC', utc: {} } }),
  changed('hyperv-spinlocks-too-few', { 'domain.features.hyperv': { spinlocks: { spinlocks: 100 } } }),
  changed('hyperv-that-depends-on-more', { 'domain.features.hyperv': { synictimer: {} } }),
  changed('instance-type-beside-cpu', { '/spec.instancetype': { name: existingType } }),
  changed('instance-type-beside-cpu-model', {
    '/spec.instancetype': { name: existingType },
    'domain.cpu': { model: 'EPYC', dedicatedCpuPlacement: true },
    'domain.memory': undefined,
  }),
  changed('instance-type-of-unknown-kind', {
    '/spec.instancetype': { name: existingType, kind: 'Flavour' },
    'domain.cpu': undefined,
    'domain.memory': undefined,
  }),
  changed('instance-type', {
    '/spec.instancetype': { name: existingType },
    'domain.cpu': undefined,
    'domain.memory': undefined,
  }),
  changed('instance-type-that-is-not-there', {
    '/spec.instancetype': { name: 'no-such.type' },
    'domain.cpu': undefined,
    'domain.memory': undefined,
  }),

  changed('host-name-with-dots', { hostname: 'a.b' }),
  changed('host-name-too-long', { hostname: 'h'.repeat(64) }),
  changed('node-selector-that-is-no-label', { nodeSelector: { 'not a key': 'x' } }),
  changed('affinity-with-unknown-operator', {
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'Like', values: ['a'] }] }],
        },
      },
    },
  }),
  changed('affinity-without-terms', {
    affinity: {
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } },
    },
  }),
  changed('eviction-strategy', { evictionStrategy: 'Run' }),
  changed('unknown-field', { 'domain.devices.floppies': [] }),
  changed('number-where-text-belongs', { 'domain.cpu.model': 7 }),
  changed('many-faults', {
    'domain.devices.disks': Array.from({ length: 12 }, (_, index) => ({
      name: `none-${index}`,
      disk: { bus: 'ide' },
    })),
  }),
];
