import { providerTypes, transferPaths } from '../model/source-data.ts';
import {
  bool,
  choice,
  dateTime,
  int,
  list,
  mapOf,
  number,
  object,
  optional,
  text,
  type StaticOf,
} from '../model/schema.ts';
import { diskBuses, VmModelSchema } from '../model/vm.ts';
import { ConditionSchema } from './conditions.ts';
import type { ObjectMeta } from './meta.ts';
import { outcomes } from './phases.ts';

/**
 * VirtualMachineImport: one VM in one Migration (design: import.md 3). The spec is a frozen snapshot of all that the run needs and only
 * `control` changes; the status is written by the import reconciler alone and holds records, ledger and report.
 */

const uid = text(64);
const name = text(253);
const namespace = text(63);
const namedUid = object({ name, uid });
const providerRef = object({ namespace, name, uid });

// ---- spec -----------------------------------------------------------------------------------------------------------------------

export const RunSchema = object({
  plan: namedUid,
  migration: namedUid,
  order: int({ minimum: 0, description: 'Position in plan.spec.vms: the order of the queue.' }),
  remade: int({
    minimum: 0,
    maximum: 3,
    description: 'Times this import was made again because its model was stale.',
  }),
});

export const FrozenDiskSchema = object({
  key: text(128),
  sourceId: text(2048),
  index: int({ minimum: 0 }),
  sizeBytes: int({ minimum: 0 }),
  class: name,
  accessMode: optional(choice(['ReadWriteOnce', 'ReadWriteMany', 'ReadOnlyMany'])),
  volumeMode: optional(choice(['Filesystem', 'Block'])),
  claimName: name,
  volumeName: text(63),
  bus: choice(diskBuses),
  bootOrder: optional(int({ minimum: 1 })),
  mode: choice(['copy', 'lun', 'shared', 'skip']),
});
export type FrozenDisk = StaticOf<typeof FrozenDiskSchema>;

export const FrozenNicSchema = object({
  key: text(128),
  interfaceName: text(63),
  action: choice(['pod', 'multus', 'sriov', 'udn', 'ignored']),
  nad: optional(text(317, { description: '"namespace/name"' })),
  model: text(32),
  mac: optional(text(32)),
  staticIps: bool(),
});
export type FrozenNic = StaticOf<typeof FrozenNicSchema>;

export const PlacementSchema = object({
  labels: mapOf(text(63), 64),
  nodeSelector: mapOf(text(63), 64),
  affinity: optional(text(65536, { description: 'JSON text of a core/v1 Affinity.' })),
});

export const OptionsSchema = object({
  preserveStaticIps: bool(),
  powerAfter: choice(['on', 'off', 'auto']),
  deleteOnFail: bool(),
  skipConversion: bool(),
  compatibility: bool(),
  legacyDrivers: optional(bool()),
  nested: optional(bool()),
  cpuModelFromCluster: bool(),
  instanceType: optional(name),
  rootDisk: optional(text(256)),
  xfs: bool(),
  keepConversionPod: bool(),
});

/** How the guest on the copied disks is made fit for KubeVirt; only with strategy.conversion inPlace. */
export const ConversionSchema = object({
  image: text(512),
  requestsKvm: bool({ description: 'The pod asks for the KVM device and a node of KubeVirt.' }),
  seccompProfile: optional(text(256, { description: 'On the node, relative; none: the runtime default.' })),
  clevis: bool({ description: 'Encrypted disks of the guest are unlocked over the network.' }),
  labels: mapOf(text(63), 64),
  nodeSelector: mapOf(text(63), 64),
  affinity: optional(text(65536, { description: 'JSON text of a core/v1 Affinity.' })),
  tempStorage: optional(object({ class: name, size: text(32, { description: 'A quantity.' }) })),
});
export type FrozenConversion = StaticOf<typeof ConversionSchema>;

export const PoliciesSchema = object({
  powerOff: choice(['fail', 'abortCutover', 'force']),
  powerOffSeconds: int({ minimum: 0 }),
  onConversionFailure: choice(['restore', 'hold']),
  cutoverWindow: optional(text(256)),
  precopyCron: optional(text(256)),
  precopySeconds: optional(int({ minimum: 1 })),
});

export const ControlSchema = object({
  cutoverAt: optional(dateTime()),
  cutoverUntil: optional(dateTime()),
  cancel: optional(bool({ description: 'Sticky: once true it stays true.' })),
  cancelReason: optional(text(64, { description: 'UserRequested or Deleted.' })),
  paused: optional(bool()),
  disposal: optional(choice(['Keep', 'Discard'])),
});
export type ImportControl = StaticOf<typeof ControlSchema>;

export const strategyTypes = ['cold', 'warm', 'conversion', 'resume', 'postHook'] as const;

export const VirtualMachineImportSpecSchema = object({
  run: RunSchema,
  vm: object({ id: text(128), name: text(512), namespace: optional(text(253)), type: optional(text(64)) }),
  source: object({
    provider: providerRef,
    type: choice(providerTypes),
    endpoint: text(128, { description: '"provider", or the id of a host.' }),
  }),
  target: object({ provider: providerRef, namespace, namePreferred: optional(text(253)) }),
  strategy: object({
    type: choice(strategyTypes),
    path: choice(transferPaths),
    conversion: choice(['none', 'inPlace', 'remote']),
  }),
  model: VmModelSchema,
  disks: list(FrozenDiskSchema, 256),
  nics: list(FrozenNicSchema, 64),
  options: OptionsSchema,
  vddkImage: optional(text(512)),
  conversion: optional(ConversionSchema),
  hooks: list(
    object({
      step: choice(['PreHook', 'PostHook']),
      hook: providerRef,
      spec: text(65536, { description: 'JSON text of the Hook spec as it was at the start.' }),
    }),
    16,
  ),
  network: optional(object({ annotation: text(128), value: text(4096) })),
  placement: PlacementSchema,
  policies: PoliciesSchema,
  inherits: optional(object({ importUID: uid, claims: list(object({ diskKey: text(128), name }), 256) })),
  control: optional(ControlSchema),
});
export type VirtualMachineImportSpec = StaticOf<typeof VirtualMachineImportSpecSchema>;

// ---- status ---------------------------------------------------------------------------------------------------------------------

export const ledgerKinds = [
  'Snapshot',
  'SourcePower',
  'TargetObjects',
  'Image',
  'Volume',
  'VolumeSnapshot',
  'Export',
  'AapJob',
  'LunDetach',
] as const;
export const dispositions = ['remove', 'keep', 'handOver', 'leave'] as const;

/**
 * An obligation: something that must be gone, handed over or put back before the import's finalizer may go. Written before the act that
 * makes it necessary. TargetObjects covers every in-cluster kind of one namespace: its disposition speaks of VM and claims; Secrets,
 * ConfigMaps, pods and Jobs are always removed.
 */
export const LedgerEntrySchema = object({
  key: text(128),
  kind: choice(ledgerKinds),
  marker: text(128, { description: 'Name by which the thing is found again; TargetObjects: the namespace.' }),
  id: optional(text(256)),
  endpoint: optional(text(128)),
  intentAt: dateTime(),
  doneAt: optional(dateTime()),
  askedAt: optional(dateTime({ description: 'When it was last asked away; not asked again at once.' })),
  attempts: int({ minimum: 0 }),
  lastError: optional(text(256)),
  disposition: choice(dispositions),
});
export type LedgerEntry = StaticOf<typeof LedgerEntrySchema>;

export const roundKinds = ['initial', 'next', 'final'] as const;
export const RoundSchema = object({
  n: int({ minimum: 1 }),
  kind: choice(roundKinds),
  marker: text(128),
  snapshotId: optional(text(128)),
  startedAt: dateTime(),
  tries: optional(int({ minimum: 0, description: 'Times that its snapshot was asked for.' })),
  triedAt: optional(dateTime()),
  readyAt: optional(dateTime()),
  copiedAt: optional(dateTime()),
  removedAt: optional(dateTime()),
  crashConsistent: optional(
    bool({ description: 'The guest could not be quiesced: the snapshot is what a power cut would leave.' }),
  ),
  disks: mapOf(
    object({
      current: text(37),
      nextPrevious: text(128),
      sizeBytes: int(),
      epoch: optional(text(128, { description: 'Changes when the platform lost track of what changed.' })),
      recopy: optional(bool({ description: 'Copied whole in this round, into a volume made anew.' })),
      sourceId: optional(text(2048, { description: 'What it is read by, where that is not as planned.' })),
      place: optional(text(512, { description: 'Changes when the platform moved the disk.' })),
    }),
    256,
  ),
});
export type Round = StaticOf<typeof RoundSchema>;
export type RoundKind = (typeof roundKinds)[number];

/** The conversion of the guest, from the save before its pod is made. */
export const ConversionRecordSchema = object({
  startedAt: dateTime({ description: 'Of the first try. From then on a converter may have written.' }),
  startedDisks: list(text(128), 256),
  importerPods: optional(
    list(uid, 256, {
      description:
        'Importers that were there when the converter was made, ended. One that comes later writes over what was converted.',
    }),
  ),
  tries: int({ minimum: 1 }),
  podUid: optional(uid),
  untouchedPod: optional(
    text(64, { description: 'UID of a pod that ended and is proven to have written nothing.' }),
  ),
  retryAt: optional(dateTime()),
  firstError: optional(text(1024)),
  answeredAt: optional(dateTime({ description: 'What the converter found is saved in this record.' })),
  finishAskedAt: optional(dateTime()),
  completedAt: optional(dateTime()),
  firmware: optional(choice(['bios', 'uefi'])),
  osId: optional(text(128, { description: "Of libosinfo's short ids." })),
  osFamily: optional(text(64)),
  bootDisk: optional(int({ minimum: 0, description: "Position among the VM's disks, from 0." })),
  warnings: optional(list(object({ reason: text(128), message: text(1024) }), 16)),
});
export type ConversionRecord = StaticOf<typeof ConversionRecordSchema>;

/** What no fact can replace; each field is written once unless its description says otherwise. */
export const RecordsSchema = object({
  itinerary: optional(object({ id: text(64), version: int({ minimum: 1 }), phases: list(text(64), 64) })),
  targetName: optional(name),
  targetUid: optional(uid),
  power: optional(
    object({
      before: choice(['On', 'Off', 'Suspended', 'Unknown']),
      restore: optional(text(1024)),
      offRequestedAt: optional(dateTime()),
      offSeenAt: optional(dateTime()),
      onRequestedAt: optional(dateTime()),
      restoredAt: optional(dateTime()),
    }),
  ),
  cutover: optional(
    object({
      acceptedAt: optional(dateTime()),
      requestedFor: optional(dateTime()),
      /** A later wish that came too late, as an event has told; empty: it was taken back. */
      ignored: optional(text(64)),
      /** A cutover that was begun and left again; the same wish is not tried twice. */
      blocked: optional(
        object({ requestedFor: optional(dateTime()), at: dateTime(), reason: text(64), message: text(1024) }),
      ),
    }),
  ),
  nextRoundAt: optional(dateTime()),
  /** What importers were last given to log in with; anew at each change. `version` is that of the Provider's Secret; none: withheld. */
  access: optional(object({ version: optional(text(128)), since: dateTime() })),
  copyCompleteAt: optional(dateTime()),
  committedAt: optional(dateTime()),
  rounds: optional(list(RoundSchema, 3)),
  roundsTotal: optional(int({ minimum: 0 })),
  bytesTotal: optional(int({ minimum: 0 })),
  conversion: optional(ConversionRecordSchema),
  feeds: optional(
    mapOf(object({ path: choice(transferPaths), sizeBytes: int(), address: mapOf(text(1024), 16) }), 256),
  ),
  /** The end that was decided; the outcome appears in status once the first steps of the unwind were tried. */
  ending: optional(
    object({ outcome: choice(outcomes), reason: optional(text(64)), at: dateTime(), phase: text(64) }),
  ),
});
export type Records = StaticOf<typeof RecordsSchema>;

export const diskStates = ['waiting', 'copying', 'copied', 'done', 'failed', 'recopy'] as const;
export const DiskStatusSchema = object({
  key: text(128),
  claim: name,
  dataVolumeUID: optional(uid),
  claimUID: optional(uid),
  round: int({ minimum: 0 }),
  state: choice(diskStates),
  percent: optional(number({ minimum: 0, maximum: 100, description: 'Of this stage, as CDI reports it.' })),
  staleProgress: optional(
    number({
      minimum: 0,
      maximum: 100,
      description: 'What CDI showed at the end of the round before, and shows until this one has begun.',
    }),
  ),
  doneBytes: int({ minimum: 0 }),
  totalBytes: int({ minimum: 0 }),
  rateBytesPerSecond: optional(int({ minimum: 0 })),
  restarts: optional(
    mapOf(int({ minimum: 0 }), 3, { description: 'Container restarts by pod UID, the last three pods.' }),
  ),
  restartsBefore: optional(
    int({ minimum: 0, description: 'Restarts of pods that are no longer in the map.' }),
  ),
  excused: optional(
    int({
      minimum: 0,
      description:
        'Restarts that do not count: nobody could reach the source then, or an earlier try stood in the way.',
    }),
  ),
  excusedPod: optional(uid),
  recopies: optional(int({ minimum: 0 })),
  isLarger: optional(
    bool({
      description: 'Its volume is larger than CDI would have it, because the first one was too small.',
    }),
  ),
  movedAt: optional(
    dateTime({ description: 'When doneBytes last changed: what the rate and Stalled are measured from.' }),
  ),
  dirty: optional(bool()),
  firstError: optional(text(1024)),
  message: optional(text(1024)),
});
export type DiskStatus = StaticOf<typeof DiskStatusSchema>;

export const StepStatusSchema = object({
  name: text(64),
  startedAt: optional(dateTime()),
  completedAt: optional(dateTime()),
  error: optional(text(1024)),
  warning: optional(text(1024)),
});
export type StepStatus = StaticOf<typeof StepStatusSchema>;

export const SlotSchema = object({
  resource: text(253),
  cost: int({ minimum: 1 }),
  grantedAt: dateTime(),
});
export type Slot = StaticOf<typeof SlotSchema>;

export const AttemptSchema = object({
  count: int({ minimum: 0 }),
  firstAt: dateTime(),
  nextAt: optional(dateTime()),
  lastError: optional(text(1024)),
  stoppedMs: optional(
    int({
      minimum: 0,
      description: "Time the phase's clock stood still because the source was unreachable.",
    }),
  ),
});
export type Attempt = StaticOf<typeof AttemptSchema>;

export const ImportErrorSchema = object({
  code: text(128),
  phase: text(64),
  class: choice(['retryable', 'terminal']),
  message: text(1024),
  hint: optional(text(512)),
  firstError: optional(text(1024)),
});
export type ImportError = StaticOf<typeof ImportErrorSchema>;

export const VirtualMachineImportStatusSchema = object({
  observedGeneration: optional(int()),
  writtenBy: optional(text(64)),
  phase: optional(text(64)),
  phaseSince: optional(dateTime()),
  step: optional(text(64)),
  message: optional(text(256)),
  conditions: optional(list(ConditionSchema, 32)),
  outcome: optional(choice(outcomes)),
  started: optional(dateTime()),
  completed: optional(dateTime()),
  records: optional(RecordsSchema),
  slots: optional(list(SlotSchema, 64)),
  wanting: optional(
    object({ resource: text(253), cost: int({ minimum: 1 }), priority: int(), since: dateTime() }),
  ),
  disks: optional(list(DiskStatusSchema, 256)),
  forecast: optional(
    object({
      deltaBytes: optional(int()),
      rateBytesPerSecond: optional(int()),
      downtimeSeconds: optional(int()),
      convergesBy: optional(dateTime()),
    }),
  ),
  steps: optional(list(StepStatusSchema, 16)),
  ledger: optional(list(LedgerEntrySchema, 64)),
  attempts: optional(mapOf(AttemptSchema, 64)),
  error: optional(ImportErrorSchema),
  /** Seconds between the source's power-off and the target's running, once both are known. */
  downtimeSeconds: optional(number({ minimum: 0 })),
  /** For the printer columns alone. */
  percent: optional(int({ minimum: 0, maximum: 100 })),
  waitingFor: optional(text(128)),
});
export type VirtualMachineImportStatus = StaticOf<typeof VirtualMachineImportStatusSchema>;

export interface VirtualMachineImport {
  readonly apiVersion: 'gantry.dev/v1alpha1';
  readonly kind: 'VirtualMachineImport';
  readonly metadata: ObjectMeta;
  readonly spec: VirtualMachineImportSpec;
  readonly status?: VirtualMachineImportStatus;
}
