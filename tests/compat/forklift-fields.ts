import {
  string,
  boolean,
  integer,
  int64,
  time,
  strings,
  stringMap,
  on,
  off,
  oneOf,
  object,
  listOf,
  required,
  reference,
  inventoryRef,
  pair,
  conditions,
  status,
  affinity,
  type Field,
  type Fields,
} from './golden-parts.ts';

/**
 * The fields, columns and names of Forklift's kinds, as read from its CRDs at commit d42511bb (August 2026; forklift-api.md 1).
 */

export interface ForkliftKind {
  readonly kind: string;
  readonly plural: string;
  /** Name, JSONPath and type, in order. */
  readonly columns: readonly (readonly [string, string, string])[];
  readonly spec: Field;
  readonly status: Field;
}

// ---- VMs ------------------------------------------------------------------------------------------------------------------------

const power = oneOf('on', 'off', 'auto');
const planVm: Fields = {
  ...inventoryRef,
  hooks: listOf(object({ step: required(string), hook: required(reference) })),
  luks: reference,
  nbdeClevis: boolean,
  rootDisk: string,
  instanceType: string,
  pvcNameTemplate: string,
  volumeNameTemplate: string,
  networkNameTemplate: string,
  targetName: string,
  targetPowerState: power,
  deleteVmOnFailMigration: boolean,
  migrateSharedDisks: boolean,
  enableNestedVirtualization: boolean,
  rdmAsLun: boolean,
  scsiReservation: boolean,
};
const failure = object({ phase: required(string), reasons: required(strings) });
const task: Fields = {
  name: required(string),
  description: string,
  phase: string,
  reason: string,
  progress: required(object({ completed: required(int64), total: required(int64) })),
  annotations: stringMap,
  started: time,
  completed: time,
  error: failure,
  warning: failure,
};
const precopy = object({
  start: time,
  end: time,
  snapshot: string,
  createTaskId: string,
  removeTaskId: string,
  deltas: listOf(object({ disk: required(string), deltaId: required(string) })),
});
const vmStatus = object({
  ...planVm,
  phase: required(string),
  pipeline: required(listOf(object({ ...task, tasks: listOf(object(task)) }))),
  started: time,
  completed: time,
  error: failure,
  warm: object({
    successes: required(integer),
    failures: required(integer),
    consecutiveFailures: required(integer),
    nextPrecopyAt: time,
    precopies: listOf(precopy),
  }),
  restorePowerState: string,
  firmware: string,
  operatingSystem: string,
  detectedBootDisk: integer,
  newName: string,
  disksCopied: boolean,
  conditions,
});

// ---- kinds ----------------------------------------------------------------------------------------------------------------------

const condition = (name: string, type: string): readonly [string, string, string] => [
  name,
  `.status.conditions[?(@.type=='${type}')].status`,
  'string',
];
const age: readonly [string, string, string] = ['AGE', '.metadata.creationTimestamp', 'date'];

const providers: ForkliftKind = {
  kind: 'Provider',
  plural: 'providers',
  columns: [
    ['TYPE', '.spec.type', 'string'],
    ['STATUS', '.status.phase', 'string'],
    condition('READY', 'Ready'),
    condition('CONNECTED', 'ConnectionTestSucceeded'),
    condition('INVENTORY', 'InventoryCreated'),
    ['URL', '.spec.url', 'string'],
    age,
  ],
  spec: object({
    type: required(string),
    url: string,
    secret: required(reference),
    settings: stringMap,
  }),
  status: status({
    phase: string,
    fingerprint: string,
    service: reference,
    secretResourceVersion: string,
  }),
};

const hosts: ForkliftKind = {
  kind: 'Host',
  plural: 'hosts',
  columns: [condition('READY', 'Ready'), condition('CONNECTED', 'ConnectionTestSucceeded'), age],
  spec: object({
    ...inventoryRef,
    provider: required(reference),
    ipAddress: required(string),
    secret: required(reference),
  }),
  status: status(),
};

const networkMaps: ForkliftKind = {
  kind: 'NetworkMap',
  plural: 'networkmaps',
  columns: [condition('READY', 'Ready'), age],
  spec: object({
    provider: required(pair(reference)),
    map: required(
      listOf(
        object({
          source: required(
            object({
              ...inventoryRef,
              vlan: {
                type: 'string',
                pattern: '^([1-9]|[1-9][0-9]{1,2}|[1-3][0-9]{3}|40[0-8][0-9]|409[0-4])$',
              },
            }),
          ),
          destination: required(
            object({ type: required(oneOf('pod', 'multus', 'ignored')), namespace: string, name: string }),
          ),
        }),
      ),
    ),
  }),
  status: status({ references: listOf(object(inventoryRef)) }),
};

const storageMaps: ForkliftKind = {
  kind: 'StorageMap',
  plural: 'storagemaps',
  columns: [condition('READY', 'Ready'), age],
  spec: object({
    provider: required(pair(reference)),
    map: required(
      listOf(
        object({
          source: required(object(inventoryRef)),
          destination: required(
            object({
              storageClass: required(string),
              volumeMode: oneOf('Filesystem', 'Block'),
              accessMode: oneOf('ReadWriteOnce', 'ReadWriteMany', 'ReadOnlyMany'),
            }),
          ),
          offloadPlugin: object({
            vsphereXcopyConfig: object({
              secretRef: required(string),
              storageVendorProduct: required(
                oneOf(
                  'flashsystem',
                  'vantara',
                  'ontap',
                  'primera3par',
                  'pureFlashArray',
                  'powerflex',
                  'powermax',
                  'powerstore',
                  'infinibox',
                ),
              ),
              dedicatedMigrationHosts: strings,
            }),
            csiVolumeImport: object({
              secretRef: required(string),
              storageVendorProduct: required(oneOf('primera3par', 'ontap')),
            }),
          }),
        }),
      ),
    ),
  }),
  status: status({ references: listOf(object(inventoryRef)) }),
};

const snapshotRef = object({
  namespace: required(string),
  name: required(string),
  uid: required(string),
  generation: required(int64),
});

const plans: ForkliftKind = {
  kind: 'Plan',
  plural: 'plans',
  columns: [
    condition('READY', 'Ready'),
    condition('EXECUTING', 'Executing'),
    condition('SUCCEEDED', 'Succeeded'),
    condition('FAILED', 'Failed'),
    age,
  ],
  spec: object({
    provider: required(pair(reference)),
    map: required(object({ network: required(reference), storage: required(reference) })),
    targetNamespace: required(string),
    vms: required(listOf(object(planVm))),
    description: string,
    archived: boolean,
    warm: boolean,
    type: oneOf('cold', 'warm', 'live', 'conversion'),
    transferNetwork: reference,
    preserveStaticIPs: on,
    migrateSharedDisks: on,
    useCompatibilityMode: on,
    runPreflightInspection: on,
    deleteVmOnFailMigration: on,
    skipGuestConversion: off,
    xfsCompatibility: off,
    preserveClusterCpuModel: boolean,
    rdmAsLun: boolean,
    scsiReservation: boolean,
    deleteGuestConversionPod: boolean,
    skipZoneNodeSelector: boolean,
    installLegacyDrivers: boolean,
    enableNestedVirtualization: boolean,
    pvcNameTemplateUseGenerateName: boolean,
    targetPowerState: power,
    targetLabels: stringMap,
    targetNodeSelector: stringMap,
    targetAffinity: affinity,
    convertorLabels: stringMap,
    convertorNodeSelector: stringMap,
    convertorAffinity: affinity,
    conversionTempStorageClass: string,
    conversionTempStorageSize: string,
    serviceAccount: { type: 'string', maxLength: 253, pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$' },
    virtV2vImage: string,
    customizationScripts: reference,
    diskBus: string,
    tagMapping: object({ disabled: boolean, labelTags: strings }),
    pvcNameTemplate: string,
    volumeNameTemplate: string,
    networkNameTemplate: string,
  }),
  status: status({
    netAppShiftDestination: boolean,
    migration: object({
      started: time,
      completed: time,
      history: listOf(
        object({
          conditions,
          plan: required(snapshotRef),
          migration: required(snapshotRef),
          provider: required(pair(snapshotRef)),
          map: required(object({ network: required(snapshotRef), storage: required(snapshotRef) })),
        }),
      ),
      vms: listOf(vmStatus),
    }),
  }),
};

const migrations: ForkliftKind = {
  kind: 'Migration',
  plural: 'migrations',
  columns: [
    condition('READY', 'Ready'),
    condition('RUNNING', 'Running'),
    condition('SUCCEEDED', 'Succeeded'),
    condition('FAILED', 'Failed'),
    age,
  ],
  spec: object({
    plan: required(reference),
    cancel: listOf(object(inventoryRef)),
    cutover: time,
    vmCutover: listOf(
      object({ id: { type: 'string', minLength: 1, required: true }, cutover: required(time) }),
    ),
    resumeConversion: boolean,
  }),
  status: status({ started: time, completed: time, vms: listOf(vmStatus) }),
};

const hooks: ForkliftKind = {
  kind: 'Hook',
  plural: 'hooks',
  columns: [
    condition('Ready', 'Ready'),
    ['Image', '.spec.image', 'string'],
    ['Age', '.metadata.creationTimestamp', 'date'],
  ],
  spec: object({
    image: string,
    playbook: string,
    serviceAccount: string,
    deadline: int64,
    aap: object({
      jobTemplateId: required(integer),
      url: string,
      tokenSecret: reference,
      timeout: int64,
    }),
  }),
  status: status(),
};

export const forkliftKinds: readonly ForkliftKind[] = [
  providers,
  hosts,
  networkMaps,
  storageMaps,
  plans,
  migrations,
  hooks,
];
