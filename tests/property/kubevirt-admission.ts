import type { Disk, Interface, Network, VirtualMachine } from '../../src/api/external/kubevirt.ts';

/**
 * Rules of KubeVirt's webhook for what a migration sets, written from the facts (kubevirt.md 1.1 to 1.3) and not from the builders. Each
 * gives sentences about what it would refuse; a VM that it takes has none.
 */
export function admissionProblems(vm: VirtualMachine): readonly string[] {
  const { domain, networks = [], volumes = [] } = vm.spec.template.spec;
  const { disks = [], interfaces = [] } = domain.devices;
  return [
    ...metadataProblems(vm),
    ...diskProblems(disks, volumes),
    ...interfaceProblems(interfaces, networks),
    ...networkProblems(networks),
    ...bootOrderProblems([...disks, ...interfaces]),
    ...cpuAndMemoryProblems(vm),
    ...firmwareProblems(vm),
    ...deviceProblems(vm),
    ...[disks, interfaces, networks, volumes]
      .filter((list) => list.length > 256)
      .map(() => 'more than 256 of a kind'),
  ];
}

export function isDnsLabel(name: string): boolean {
  return name.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name);
}

function isLabelKey(key: string): boolean {
  const parts = key.split('/');
  const [name = '', prefix = 'x'] = parts.reverse();
  return parts.length <= 2 && name !== '' && isLabelValue(name) && isDnsSubdomain(prefix);
}

export function isLabelValue(value: string): boolean {
  return value.length <= 63 && /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/.test(value);
}

function unless(holds: boolean, problem: string): readonly string[] {
  return holds ? [] : [problem];
}

function isDnsSubdomain(name: string): boolean {
  return name.length <= 253 && name.split('.').every((part) => /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(part));
}

function metadataProblems({ metadata, spec }: VirtualMachine): readonly string[] {
  const labels = { ...metadata.labels, ...spec.template.metadata?.labels };
  return [
    ...unless(isDnsSubdomain(metadata.name), `name ${metadata.name}`),
    ...unless(metadata.namespace !== undefined && isDnsLabel(metadata.namespace), 'namespace'),
    ...Object.entries({ ...labels, ...spec.template.spec.nodeSelector }).flatMap(([key, value]) =>
      unless(isLabelKey(key) && isLabelValue(value), `label ${key}=${value}`),
    ),
    ...unless(
      Object.keys(spec.template.metadata?.labels ?? {}).every((key) => !key.startsWith('kubevirt.io/')),
      'a label of KubeVirt',
    ),
    ...unless(
      Object.values(metadata.annotations ?? {}).every((value) => typeof value === 'string'),
      'annotations',
    ),
    ...unless(spec.runStrategy === 'Halted' && spec.running === undefined, 'run strategy'),
  ];
}

function diskProblems(
  disks: readonly Disk[],
  volumes: readonly { readonly name: string }[],
): readonly string[] {
  const volumeNames = volumes.map((volume) => volume.name);
  return [
    ...unless(new Set(volumeNames).size === volumeNames.length, 'two volumes of one name'),
    ...unless(new Set(disks.map((disk) => disk.name)).size === disks.length, 'two disks of one name'),
    ...unless(disks.length === volumes.length, 'a volume without a disk'),
    ...volumes.flatMap((volume) =>
      unless(Object.keys(volume).length === 2, `volume ${volume.name} has not one source`),
    ),
    ...disks.flatMap((disk) => {
      const devices = [disk.disk, disk.lun, disk.cdrom].filter((device) => device !== undefined);
      const bus = devices[0]?.bus ?? '';
      return [
        ...unless(isDnsLabel(disk.name), `disk name ${disk.name}`),
        ...unless(volumeNames.includes(disk.name), `disk ${disk.name} has no volume`),
        ...unless(devices.length === 1, `disk ${disk.name} is not one kind of device`),
        ...unless(['virtio', 'sata', 'scsi', 'usb'].includes(bus), `bus ${bus}`),
        ...unless(/^[A-Za-z0-9_.+-]{0,256}$/.test(disk.serial ?? ''), `serial ${disk.serial ?? ''}`),
      ];
    }),
  ];
}

function interfaceProblems(
  interfaces: readonly Interface[],
  networks: readonly Network[],
): readonly string[] {
  const names = interfaces.map((nic) => nic.name);
  const networkNames = networks.map((network) => network.name);
  const models = ['e1000', 'e1000e', 'igb', 'ne2k_pci', 'pcnet', 'rtl8139', 'virtio'];
  return [
    ...unless(new Set(names).size === names.length, 'two interfaces of one name'),
    ...unless(
      JSON.stringify(names.toSorted()) === JSON.stringify(networkNames.toSorted()),
      'interfaces and networks differ',
    ),
    ...interfaces.flatMap((nic) => {
      const network = networks.find((candidate) => candidate.name === nic.name);
      const bindings = [nic.bridge, nic.masquerade, nic.sriov, nic.binding].filter(
        (binding) => binding !== undefined,
      );
      return [
        ...unless(/^[A-Za-z0-9-_]+$/.test(nic.name), `interface name ${nic.name}`),
        ...unless(nic.model === undefined || models.includes(nic.model), `model ${nic.model ?? ''}`),
        ...unless(bindings.length === 1, `interface ${nic.name} has not one binding`),
        ...unless(
          nic.masquerade === undefined || network?.pod !== undefined,
          'masquerade beside the pod network',
        ),
        ...unless(nic.macAddress === undefined || isMac(nic.macAddress), `MAC ${nic.macAddress ?? ''}`),
        ...unless(
          nic.masquerade === undefined || !/^02([:-]00){5}$/.test(nic.macAddress ?? ''),
          'a MAC that is reserved',
        ),
        ...unless(
          nic.pciAddress === undefined || /^[\da-f]{4}(:[\da-f]{2}){2}\.[0-7]$/i.test(nic.pciAddress),
          `PCI address ${nic.pciAddress ?? ''}`,
        ),
        ...unless(nic.state === undefined || (nic.state !== 'absent' && nic.sriov === undefined), 'state'),
      ];
    }),
  ];
}

function isMac(text: string): boolean {
  return /^[\da-fA-F]{2}([:-][\da-fA-F]{2}){5}$/.test(text);
}

function networkProblems(networks: readonly Network[]): readonly string[] {
  return [
    ...unless(
      networks.filter((network) => network.pod !== undefined).length <= 1,
      'more than one pod network',
    ),
    ...networks.flatMap((network) => [
      ...unless((network.pod === undefined) !== (network.multus === undefined), `network ${network.name}`),
      ...unless(
        network.multus === undefined || /^[^/]+\/[^/]+$/.test(network.multus.networkName),
        'network name',
      ),
    ]),
  ];
}

function bootOrderProblems(devices: readonly { readonly bootOrder?: number }[]): readonly string[] {
  const orders = devices.flatMap((device) => (device.bootOrder === undefined ? [] : [device.bootOrder]));
  return [
    ...unless(
      orders.every((order) => Number.isInteger(order) && order >= 1),
      'boot order below 1',
    ),
    ...unless(new Set(orders).size === orders.length, 'two devices of one boot order'),
  ];
}

function cpuAndMemoryProblems({ spec }: VirtualMachine): readonly string[] {
  const { cpu, memory } = spec.template.spec.domain;
  if (spec.instancetype !== undefined)
    return unless(cpu === undefined && memory === undefined, 'conflict with the instance type');
  const counts = [cpu?.sockets, cpu?.cores, cpu?.threads].filter((count) => count !== undefined);
  const features = cpu?.features ?? [];
  const policies = ['force', 'require', 'optional', 'disable', 'forbid'];
  const guest = /^([1-9]\d*)(Ki|Mi|Gi|Ti)?$/.exec(memory?.guest ?? '');
  return [
    ...unless(
      counts.every((count) => Number.isInteger(count) && count >= 1),
      'CPU topology',
    ),
    ...unless(
      features.every((feature) => policies.includes(feature.policy ?? 'require')),
      'CPU feature policy',
    ),
    ...unless(
      new Set(features.map((feature) => feature.name)).size === features.length,
      'two CPU features of one name',
    ),
    ...unless(
      cpu?.isolateEmulatorThread !== true || cpu.dedicatedCpuPlacement === true,
      'isolated emulator thread',
    ),
    ...unless(
      cpu?.dedicatedCpuPlacement !== true || (cpu.threads ?? 1) <= 2,
      'three threads of a dedicated core',
    ),
    ...unless(guest !== null, `memory ${memory?.guest ?? 'is not set'}`),
  ];
}

function firmwareProblems({ spec }: VirtualMachine): readonly string[] {
  const { firmware, features } = spec.template.spec.domain;
  const { bios, efi } = firmware?.bootloader ?? {};
  const secure = efi !== undefined && efi.secureBoot !== false;
  return [
    ...unless(bios === undefined || efi === undefined, 'BIOS and EFI'),
    ...unless(!secure || features?.smm?.enabled === true, 'secure boot without SMM'),
  ];
}

function deviceProblems({ spec }: VirtualMachine): readonly string[] {
  const { devices } = spec.template.spec.domain;
  const inputs = devices.inputs ?? [];
  return [
    ...unless(
      inputs.every((input) => input.type === 'tablet' && ['virtio', 'usb'].includes(input.bus ?? 'usb')),
      'inputs',
    ),
    ...unless(
      (devices.interfaces ?? []).length > 0 || devices.autoattachPodInterface === false,
      'an interface nobody asked for',
    ),
  ];
}
