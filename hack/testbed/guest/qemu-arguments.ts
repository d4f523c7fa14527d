import type { Devices, Disk, Domain, Interface, VirtualMachine } from '../../../src/api/external/kubevirt.ts';
import { quantityValue } from '../../../src/sandbox/storage/quantity.ts';
import { GuestError } from './guest-error.ts';

/** Files of the machine on which QEMU runs. */
export interface GuestFiles {
  /** Raw disk, or block device, by the name of the VirtualMachine's volume. */
  readonly disks: ReadonlyMap<string, string>;
  readonly efi: {
    readonly firmware: string;
    /** Is written to. */
    readonly variables: string;
  };
}

const mebibyte = 2 ** 20;
const portsPerSataController = 6;

/**
 * What qemu-system-x86_64 is to be started with to be the VM that a VirtualMachine describes: its machine type, CPUs, memory, firmware,
 * identity, and each of its devices on the bus and of the model that it asks for. Without KVM, with the serial console on standard
 * output; the VM ends where it would start again.
 *
 * Left aside: where on the PCI bus a device sits, whether a link is up, the zone of the clock (it is UTC), and what a hypervisor of
 * another kind would pretend to be; none of it decides whether a guest finds its disks. Throws GuestError `GuestDevice` for what is not
 * offered here.
 */
export function qemuArguments(vm: VirtualMachine, files: GuestFiles): readonly string[] {
  const { domain, volumes = [] } = vm.spec.template.spec;
  const { disks = [], interfaces = [] } = domain.devices;
  for (const { name } of disks) {
    if (!volumes.some((volume) => volume.name === name)) throw notOffered(`disk ${name} has no volume`);
  }
  return [
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-device', 'VGA'],
    // What has no place in the order does not boot, as libvirt has it.
    ...['-boot', 'strict=on'],
    ...['-chardev', 'stdio,id=serial0', '-device', 'isa-serial,chardev=serial0'],
    ...machineArguments(domain),
    ...cpuArguments(domain),
    ...['-m', `${memoryMebibytes(domain)}M`, '-rtc', 'base=utc'],
    ...identityArguments(domain),
    ...firmwareArguments(domain, files.efi),
    ...controllerArguments(domain.devices),
    ...diskArguments(disks, files.disks),
    ...interfaceArguments(interfaces, domain.devices),
    ...otherDevices(domain.devices),
  ];
}

function machineArguments({ machine, features, clock }: Domain): readonly string[] {
  const type = machine?.type ?? '';
  if (!/^(pc-)?q35/.test(type)) throw notOffered(`machine type "${type}" is not q35`);
  const smm = features?.smm !== undefined && features.smm.enabled !== false;
  const hpet = clock?.timer?.hpet?.present !== false;
  // KubeVirt's names with a version are those of the distribution that its images are made of.
  return ['-machine', `q35,accel=tcg,smm=${onOff(smm)},hpet=${onOff(hpet)}`];
}

/** Without it QEMU 7.2 emulates a CPU on which programs fail in readlink (seen; not with KVM, which is not used here). */
const miscomputed = ['svm'];

function cpuArguments({ cpu }: Domain): readonly string[] {
  const { sockets = 1, cores = 1, threads = 1, model = 'host-model', features = [] } = cpu ?? {};
  // Without KVM the host's own CPU cannot be had; "max" is all that can be emulated.
  const base = model.startsWith('host-') ? 'max' : model;
  const flags = features.flatMap(({ name, policy = 'require' }) => {
    if (policy === 'require' || policy === 'force') return [`+${name}`];
    return policy === 'optional' || miscomputed.includes(name) ? [] : [`-${name}`];
  });
  const count = sockets * cores * threads;
  return [
    ...['-cpu', [base, ...flags].join(',')],
    ...['-smp', `${count},sockets=${sockets},cores=${cores},threads=${threads}`],
  ];
}

function memoryMebibytes({ memory, resources }: Domain): number {
  const amount = memory?.guest ?? resources?.requests?.['memory'];
  const bytes = quantityValue(amount ?? '');
  if (bytes === undefined || bytes <= 0) throw notOffered(`memory ${amount ?? 'is not said'}`);
  return Math.ceil(bytes / mebibyte);
}

function identityArguments({ firmware }: Domain): readonly string[] {
  const { uuid = '', serial = '' } = firmware ?? {};
  const told = [
    'type=1',
    'manufacturer=KubeVirt',
    ...(uuid === '' ? [] : [`uuid=${uuid}`]),
    ...(serial === '' ? [] : [`serial=${escaped(serial)}`]),
  ];
  return [...(uuid === '' ? [] : ['-uuid', uuid]), '-smbios', told.join(',')];
}

function firmwareArguments(
  { firmware }: Domain,
  { firmware: code, variables }: GuestFiles['efi'],
): readonly string[] {
  const efi = firmware?.bootloader?.efi;
  // QEMU's own firmware is the BIOS.
  if (efi === undefined) return [];
  if (efi.secureBoot !== false) throw notOffered('secure boot, for which the guest would have to be signed');
  return [
    ...['-drive', `if=pflash,unit=0,format=raw,readonly=on,file=${escaped(code)}`],
    ...['-drive', `if=pflash,unit=1,format=raw,file=${escaped(variables)}`],
  ];
}

/** One of each kind that some device hangs on, and as many for SATA as there are disks for. */
function controllerArguments({ disks = [], inputs = [] }: Devices): readonly string[] {
  const on = (bus: string): number => disks.filter((disk) => busOf(disk) === bus).length;
  const sata = Array.from({ length: Math.ceil(on('sata') / portsPerSataController) }, (_, index) => index);
  const hasUsb = on('usb') > 0 || inputs.some(({ bus }) => bus === 'usb');
  return [
    ...sata.flatMap((index) => ['-device', `ich9-ahci,id=sata${index}`]),
    ...(on('scsi') > 0 ? ['-device', 'virtio-scsi-pci,id=scsi0'] : []),
    ...(hasUsb ? ['-device', 'qemu-xhci,id=usb0'] : []),
  ];
}

function diskArguments(disks: readonly Disk[], paths: ReadonlyMap<string, string>): readonly string[] {
  let sataPorts = 0;
  return disks.flatMap((disk, index) => {
    const path = paths.get(disk.name);
    if (path === undefined) throw notOffered(`no file is given for disk ${disk.name}`);
    if (disk.lun !== undefined || disk.cdrom !== undefined)
      throw notOffered(`disk ${disk.name} is a LUN or a CD-ROM`);
    const bus = busOf(disk);
    const port = bus === 'sata' ? sataPorts++ : 0;
    return [
      ...['-blockdev', `driver=file,node-name=file${index},filename=${escaped(path)}`],
      ...['-blockdev', `driver=raw,node-name=disk${index},file=file${index}`],
      ...['-device', diskDevice(disk, bus, port, index)],
    ];
  });
}

function diskDevice(disk: Disk, bus: string, port: number, index: number): string {
  const { bootOrder, serial, shareable, errorPolicy } = disk;
  const policy =
    errorPolicy === 'report' || errorPolicy === 'ignore' || errorPolicy === 'stop' ? errorPolicy : undefined;
  return [
    deviceOn(bus, port),
    `drive=disk${index}`,
    ...(serial === undefined || serial === '' ? [] : [`serial=${escaped(serial)}`]),
    ...(bootOrder === undefined ? [] : [`bootindex=${bootOrder}`]),
    ...(shareable === true ? ['share-rw=on'] : []),
    ...(policy === undefined ? [] : [`rerror=${policy}`, `werror=${policy}`]),
  ].join(',');
}

function deviceOn(bus: string, port: number): string {
  switch (bus) {
    case 'virtio':
      return 'virtio-blk-pci';
    case 'sata':
      return `ide-hd,bus=sata${Math.floor(port / portsPerSataController)}.${port % portsPerSataController}`;
    case 'scsi':
      return 'scsi-hd,bus=scsi0.0';
    case 'usb':
      return 'usb-storage,bus=usb0.0';
    default:
      throw notOffered(`bus ${bus}`);
  }
}

/** A disk that says none gets SATA (fact: KubeVirt 1.8). */
function busOf({ disk }: Disk): string {
  return disk?.bus ?? 'sata';
}

function interfaceArguments(
  interfaces: readonly Interface[],
  { networkInterfaceMultiqueue }: Devices,
): readonly string[] {
  return interfaces.flatMap(({ name, model = 'virtio', macAddress, bootOrder, sriov }, index) => {
    if (sriov !== undefined) throw notOffered(`interface ${name} is a part of a network card`);
    const isVirtio = model === 'virtio';
    const device = [
      isVirtio ? 'virtio-net-pci' : model,
      `netdev=net${index}`,
      ...(macAddress === undefined ? [] : [`mac=${macAddress.replaceAll('-', ':')}`]),
      ...(bootOrder === undefined ? [] : [`bootindex=${bootOrder}`]),
      ...(isVirtio && networkInterfaceMultiqueue === true ? ['mq=on'] : []),
    ];
    // It leads nowhere: what a guest says to the world is not asked here.
    return ['-netdev', `user,id=net${index},restrict=on`, '-device', device.join(',')];
  });
}

function otherDevices({ inputs = [], rng, tpm }: Devices): readonly string[] {
  if (tpm !== undefined && tpm.enabled !== false) throw notOffered('a TPM');
  return [
    ...inputs.flatMap(({ type, bus = 'usb' }) => {
      if (type !== 'tablet') throw notOffered(`input ${type}`);
      return ['-device', bus === 'virtio' ? 'virtio-tablet-pci' : 'usb-tablet,bus=usb0.0'];
    }),
    ...(rng === undefined ? [] : ['-device', 'virtio-rng-pci']),
  ];
}

function onOff(is: boolean): string {
  return is ? 'on' : 'off';
}

/** A comma ends a value unless it stands twice. */
function escaped(text: string): string {
  return text.replaceAll(',', ',,');
}

function notOffered(what: string): GuestError {
  return new GuestError('GuestDevice', `this VM cannot be booted here: ${what}`);
}
