import { bool, choice, dateTime, int, list, mapOf, object, optional, text, type StaticOf } from './schema.ts';

/**
 * The neutral VM: what every source platform is translated into and every target object is built from. No platform words, no I/O;
 * units stand in the names. It is a schema and not only a type because an import freezes it in its spec (design: source.md 4).
 */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export const powerStates = ['On', 'Off', 'Suspended', 'Unknown'] as const;
export type PowerState = (typeof powerStates)[number];

export const diskBuses = ['virtio', 'scsi', 'sata', 'ide', 'nvme', 'usb', 'unknown'] as const;
export type DiskBus = (typeof diskBuses)[number];

/** How an entry of a map finds this thing: any of the ids (or keys) or names matches, in this order. */
export const MapRefSchema = object({
  ids: list(text(256), 8),
  names: list(text(512), 8),
  vlan: optional(text(16)),
});
export type MapRef = StaticOf<typeof MapRefSchema>;

const CpuFeatureSchema = object({ name: text(64), policy: choice(['require', 'optional', 'disable']) });

export const CpuSchema = object({
  sockets: int({ minimum: 1 }),
  coresPerSocket: int({ minimum: 1 }),
  threadsPerCore: int({
    minimum: 1,
    description: 'sockets * coresPerSocket * threadsPerCore is the number of vCPUs.',
  }),
  model: optional(text(128)),
  features: list(CpuFeatureSchema, 64),
  clusterModel: optional(object({ model: text(128), features: list(CpuFeatureSchema, 64) })),
  dedicated: bool(),
  isolateEmulator: bool(),
  nested: optional(bool()),
  hotPlug: object({ cpu: bool(), memory: bool() }),
});
export type CpuModel = StaticOf<typeof CpuSchema>;

export const FirmwareSchema = object({
  kind: choice(['bios', 'efi', 'unknown'], {
    description: 'unknown: the guest conversion decides, else bios.',
  }),
  secureBoot: bool(),
  tpm: bool(),
  nvramLost: bool({
    description: 'The platform keeps boot variables or TPM content that cannot be carried over.',
  }),
  uuid: optional(text(64)),
  serial: optional(text(256)),
});
export type FirmwareModel = StaticOf<typeof FirmwareSchema>;

export const DiskSchema = object({
  key: text(128, { description: 'Stable for the run and across snapshots.' }),
  sourceId: text(2048, {
    description:
      'The source disk as its platform names it, never cut; empty: it cannot be named. Annotation forklift.konveyor.io/disk-source.',
  }),
  taskName: text(512, { description: 'Name of the pipeline task that clients show.' }),
  index: int({ minimum: 0, description: 'Position among the disks: claim order.' }),
  sizeBytes: int({ minimum: 0, description: 'Virtual size.' }),
  usedBytes: optional(int({ minimum: 0 })),
  storage: MapRefSchema,
  kind: choice(['image', 'lun', 'cdrom', 'filesystem']),
  bus: choice(diskBuses),
  serial: optional(text(256)),
  bootOrder: optional(int({ minimum: 1 })),
  shared: bool(),
  snapshotable: bool({ description: 'false: in no snapshot of the VM, so it cannot move warm.' }),
  changeTracking: optional(bool()),
  lun: optional(
    object({
      transport: choice(['iscsi', 'fc']),
      address: optional(text(256)),
      target: optional(text(256)),
      lun: optional(int({ minimum: 0 })),
      wwid: optional(text(128)),
      reservation: bool(),
    }),
  ),
  guestMount: optional(text(256, { description: '"C" or "/", where the guest told.' })),
  needsScratch: choice(['never', 'deltas', 'always']),
});
export type DiskModel = StaticOf<typeof DiskSchema>;

const AddressSchema = object({
  ip: text(64),
  prefix: int({ minimum: 0, maximum: 128 }),
  origin: choice(['static', 'dhcp', 'unknown']),
  gateway: optional(text(64)),
  dns: list(text(64), 16),
});

export const nicModels = [
  'virtio',
  'e1000',
  'e1000e',
  'rtl8139',
  'ne2k_pci',
  'pcnet',
  'vmxnet3',
  'other',
] as const;

export const NicSchema = object({
  key: text(128),
  mac: optional(text(32)),
  network: MapRefSchema,
  model: choice(nicModels),
  linkUp: bool(),
  sriov: bool(),
  multiqueue: bool(),
  pciAddress: optional(text(32)),
  addresses: list(AddressSchema, 32),
});
export type NicModel = StaticOf<typeof NicSchema>;

export const GuestSchema = object({
  family: choice(['linux', 'windows', 'other', 'unknown']),
  osId: optional(text(128, { description: "The platform's own id of the guest system, verbatim." })),
  osName: optional(text(256)),
  hostname: optional(text(256)),
  agent: choice(['running', 'stopped', 'absent', 'unknown']),
  addressesObservedAt: optional(dateTime()),
  fileSystems: list(object({ mount: text(512), freeBytes: int(), diskKey: optional(text(128)) }), 128),
});
export type GuestModel = StaticOf<typeof GuestSchema>;

export const VmModelSchema = object({
  schema: int({ minimum: 1, maximum: 1 }),
  id: text(128, { description: 'Inventory id; value of the label vmID.' }),
  name: text(512),
  path: text(2048),
  identity: text(512, {
    description:
      '"<endpoint instance>/<vm instance uuid>": the same VM seen through two Providers has one identity.',
  }),
  digest: text(64, { description: 'Over all fields that matter to a migration; see model/digest.ts.' }),
  power: choice(powerStates),
  isTemplate: bool(),
  reachable: bool(),
  host: optional(object({ id: text(128), timezone: optional(text(128)), inMaintenance: bool() })),
  cpu: CpuSchema,
  memoryBytes: int({ minimum: 0 }),
  firmware: FirmwareSchema,
  clock: optional(object({ timezone: optional(text(128)), utcOffsetSeconds: optional(int()) })),
  disks: list(DiskSchema, 256),
  nics: list(NicSchema, 64),
  devices: list(
    object({
      kind: choice(['tpm', 'usb', 'pci', 'vgpu', 'watchdog', 'rng', 'video', 'tablet', 'serial']),
      detail: optional(text(256)),
    }),
    64,
  ),
  guest: GuestSchema,
  foreignSnapshots: list(object({ id: text(128), name: text(512), memory: bool() }), 64),
  consolidationNeeded: bool(),
  metadata: object({
    tags: list(object({ category: text(256), name: text(256) }), 256),
    custom: mapOf(text(1024), 256),
    notes: optional(text(4096)),
  }),
  base: optional(
    object({
      kind: choice(['kubevirt']),
      spec: text(131072, {
        description:
          'JSON text: CEL cannot see preserved unknown fields and so could not keep them immutable.',
      }),
      needs: list(
        object({
          kind: choice(['Secret', 'ConfigMap', 'InstanceType', 'Preference']),
          namespace: optional(text(63)),
          name: text(253),
        }),
        64,
      ),
    }),
  ),
});
/** Disks are in claim order (index === position), NICs in guest order. */
export type VmModel = StaticOf<typeof VmModelSchema>;
