/** A virtual machine as data: what a test or the demo says of it. Everything but the name has a default. */
export interface VmInput {
  readonly name: string;
  /** Below the datacenter's VM folder, "web/prod"; made when missing. */
  readonly folder?: string;
  readonly power?: 'on' | 'off' | 'suspended';
  readonly template?: boolean;
  readonly connection?: 'connected' | 'disconnected' | 'orphaned' | 'inaccessible';
  /** Name of the host it runs on; default: hosts in turn. */
  readonly host?: string;
  readonly firmware?: 'bios' | 'efi';
  readonly secureBoot?: boolean;
  readonly tpm?: boolean;
  readonly cpu?: number;
  readonly coresPerSocket?: number;
  readonly memoryMiB?: number;
  readonly cpuHotAdd?: boolean;
  readonly memoryHotAdd?: boolean;
  readonly nestedHv?: boolean;
  readonly changeTracking?: boolean;
  readonly consolidationNeeded?: boolean;
  /** BIOS uuid; clones share it (fact: vs 1.5). */
  readonly uuid?: string;
  readonly instanceUuid?: string;
  readonly disks?: readonly DiskInput[];
  readonly nics?: readonly NicInput[];
  readonly guest?: GuestInput;
  readonly extraConfig?: Readonly<Record<string, string>>;
  /** Custom attributes by name. */
  readonly custom?: Readonly<Record<string, string>>;
  readonly notes?: string;
  /** Indexes of disks, in the order in which the firmware tries them. */
  readonly bootDisks?: readonly number[];
  readonly cdrom?: boolean;
  readonly pciPassthrough?: boolean;
  readonly usb?: boolean;
}

export type DiskController = 'pvscsi' | 'lsilogic' | 'lsisas' | 'sata' | 'ide' | 'nvme';
export interface DiskInput {
  readonly sizeBytes: number;
  readonly controller?: DiskController;
  readonly datastore?: string;
  /** "[datastore] dir/file.vmdk"; default: named after the VM. The same file on two VMs is a shared disk. */
  readonly fileName?: string;
  readonly mode?: 'persistent' | 'independent_persistent' | 'independent_nonpersistent';
  readonly sharing?: 'sharingNone' | 'sharingMultiWriter';
  readonly thin?: boolean;
  readonly rdm?: 'physicalMode' | 'virtualMode';
}

export type NicModel = 'vmxnet3' | 'e1000' | 'e1000e' | 'pcnet32' | 'sriov';
export interface NicInput {
  readonly network: string;
  readonly mac?: string;
  readonly model?: NicModel;
  readonly connected?: boolean;
  readonly addresses?: readonly AddressInput[];
  readonly gateway?: string;
  readonly dns?: readonly string[];
}
export interface AddressInput {
  readonly ip: string;
  readonly prefix: number;
  readonly origin?: 'manual' | 'dhcp' | 'linklayer' | 'random' | 'other';
}

export interface GuestInput {
  /** Of VirtualMachineGuestOsIdentifier, such as rhel9_64Guest. */
  readonly id?: string;
  readonly fullName?: string;
  readonly family?: 'linux' | 'windows' | 'other';
  readonly hostname?: string;
  readonly tools?: 'running' | 'stopped' | 'absent';
}

export type VmSpec = Required<
  Omit<VmInput, 'host' | 'uuid' | 'instanceUuid' | 'notes' | 'disks' | 'nics' | 'guest'>
> &
  Pick<VmInput, 'host' | 'uuid' | 'instanceUuid' | 'notes'> & {
    readonly disks: readonly DiskSpec[];
    readonly nics: readonly NicSpec[];
    readonly guest: Required<GuestInput>;
  };
export type DiskSpec = Required<Omit<DiskInput, 'fileName' | 'rdm'>> & Pick<DiskInput, 'fileName' | 'rdm'>;
export type NicSpec = Required<Omit<NicInput, 'mac' | 'gateway'>> & Pick<NicInput, 'mac' | 'gateway'>;

const mebibyte = 1024 * 1024;

const guestDefaults = {
  linux: { id: 'rhel9_64Guest', fullName: 'Red Hat Enterprise Linux 9 (64-bit)' },
  windows: { id: 'windows2019srv_64Guest', fullName: 'Microsoft Windows Server 2019 (64-bit)' },
  other: { id: 'otherGuest64', fullName: 'Other (64-bit)' },
} as const;

/** Fills in what was left out: a powered-off Linux VM with one 1 MiB disk on pvscsi and one vmxnet3 on "VM Network". */
export function vmSpec(input: VmInput): VmSpec {
  const family = input.guest?.family ?? 'linux';
  return {
    folder: '',
    power: 'off',
    template: false,
    connection: 'connected',
    firmware: 'bios',
    secureBoot: false,
    tpm: false,
    cpu: 1,
    coresPerSocket: 1,
    memoryMiB: 1024,
    cpuHotAdd: false,
    memoryHotAdd: false,
    nestedHv: false,
    changeTracking: false,
    consolidationNeeded: false,
    extraConfig: {},
    custom: {},
    bootDisks: [],
    cdrom: false,
    pciPassthrough: false,
    usb: false,
    ...input,
    disks: (input.disks ?? [{ sizeBytes: mebibyte }]).map(diskSpec),
    nics: (input.nics ?? [{ network: 'VM Network' }]).map(nicSpec),
    guest: {
      ...guestDefaults[family],
      family,
      hostname: input.name,
      tools: 'running',
      ...input.guest,
    },
  };
}

export function diskSpec(disk: DiskInput): DiskSpec {
  return {
    controller: 'pvscsi',
    datastore: 'datastore1',
    mode: 'persistent',
    sharing: 'sharingNone',
    thin: true,
    ...disk,
  };
}

function nicSpec(nic: NicInput): NicSpec {
  return { model: 'vmxnet3', connected: true, addresses: [], dns: [], ...nic };
}
