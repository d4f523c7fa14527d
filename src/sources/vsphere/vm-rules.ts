import type { Finding, PlanView } from '../../model/source-data.ts';
import type { Json, VmModel } from '../../model/vm.ts';
import { asList, asText, member, typeOf } from './soap/values.ts';

/** One rule: what stands in the way of moving this VM, or should be known before. Codes are Forklift's where it has one. */
type Rule = (vm: VmModel, raw: Json, plan: PlanView) => readonly Finding[];

/** Facts of the rules: vs 3.1, 3.6; forklift-api 1.9. */
export function checkVsphereVm(vm: VmModel, raw: Json, plan: PlanView): readonly Finding[] {
  return rules.flatMap((rule) => rule(vm, raw, plan));
}

const templates: Rule = (vm) =>
  vm.isTemplate
    ? [critical('VMIsTemplate', 'is a template. Clone it to a VM, or convert it back, and take that one.')]
    : [];

const connected: Rule = (vm) =>
  vm.reachable
    ? []
    : [critical('VMNotConnected', 'is not connected to the vCenter: its host is away, or its files are.')];

const suspended: Rule = (vm) =>
  vm.power === 'Suspended'
    ? [critical('VMPowerStateUnsupported', 'is suspended: its memory cannot be moved. Resume or stop it.')]
    : [];

const maintenance: Rule = (vm) =>
  vm.host?.inMaintenance === true ? [warn('HostNotReady', 'runs on a host in maintenance mode.')] : [];

/** Guest shutdown needs VMware Tools, so their absence is known before anything begins (review.md F20). */
const tools: Rule = (vm, _raw, plan) =>
  vm.power !== 'On' || vm.guest.agent === 'running' || plan.forcesPowerOff === true
    ? []
    : [
        critical(
          'GuestToolsIssue',
          'runs without working VMware Tools and cannot be shut down from outside. Start them, or stop the VM yourself.',
        ),
      ];

const diskSizes: Rule = (vm) => {
  const wrong = vm.disks.filter((disk) => disk.sizeBytes <= 0);
  return wrong.length === 0 ? [] : [critical('InvalidDiskSizes', 'has disks of no size.', filesOf(wrong))];
};

const sharedDisks: Rule = (vm, _raw, plan) => {
  const shared = vm.disks.filter((disk) => disk.shared);
  if (shared.length === 0) return [];
  return plan.warm
    ? [critical('SharedDisks', 'has shared disks, which cannot move warm.', filesOf(shared))]
    : [
        warn(
          'SharedWarnDisks',
          plan.migrateSharedDisks
            ? 'has shared disks, which are copied with it.'
            : 'has shared disks, which the plan leaves out.',
          filesOf(shared),
        ),
      ];
};

const rawDevices: Rule = (_vm, raw) => {
  const files = backingsOf(raw)
    .filter((backing) => /RawDisk/.test(typeOf(backing)))
    .map(nameOfBacking);
  return files.length === 0
    ? []
    : [
        warn(
          'RDMDiskWarning',
          'has raw device mappings; their content is copied like that of a disk.',
          files,
        ),
      ];
};

const independentDisks: Rule = (vm, raw, plan) => {
  const files = backingsOf(raw)
    .filter((backing) => (asText(member(backing, 'diskMode')) ?? '').startsWith('independent'))
    .map(nameOfBacking);
  const found = files.length === 0 ? [] : [warn('IndependentDiskWarning', 'has independent disks.', files)];
  const stuck = plan.warm ? vm.disks.filter((disk) => !disk.snapshotable && !disk.shared) : [];
  if (stuck.length === 0) return found;
  const message = 'has disks that no snapshot holds, so it cannot move warm.';
  return [...found, critical('VMMigrationTypeUnsupported', message, filesOf(stuck))];
};

const changeTracking: Rule = (vm, _raw, plan) => {
  const without = plan.warm ? vm.disks.filter((disk) => disk.changeTracking !== true) : [];
  return without.length === 0
    ? []
    : [critical('VMMissingChangedBlockTracking', 'has disks without change tracking.', filesOf(without))];
};

/** A cold copy reads the top file as it is, so snapshots are worth a word only. */
const snapshots: Rule = (vm, _raw, plan) => {
  if (vm.foreignSnapshots.length === 0) return [];
  const names = vm.foreignSnapshots.map((snapshot) => snapshot.name);
  return plan.warm
    ? [critical('VMHasSnapshots', 'has snapshots. Remove them before a warm migration.', names)]
    : [warn('VMHasSnapshots', 'has snapshots; only its present state is moved.', names)];
};

const consolidation: Rule = (vm) =>
  vm.consolidationNeeded
    ? [warn('VMConsolidationNeeded', 'needs its disks consolidated; do it in vCenter, or the copy is slow.')]
    : [];

const staticAddresses: Rule = (vm, _raw, plan) =>
  plan.preserveStaticIps && vm.nics.length > 0 && vm.nics.every((nic) => nic.addresses.length === 0)
    ? [
        warn(
          'VMMissingGuestIPs',
          'has told no addresses to be kept. They are known only while it runs with VMware Tools.',
        ),
      ]
    : [];

const rules: readonly Rule[] = [
  templates,
  connected,
  suspended,
  maintenance,
  tools,
  diskSizes,
  sharedDisks,
  rawDevices,
  independentDisks,
  changeTracking,
  snapshots,
  consolidation,
  staticAddresses,
];

function critical(code: string, message: string, items?: readonly string[]): Finding {
  return finding('Critical', code, message, items);
}

function warn(code: string, message: string, items?: readonly string[]): Finding {
  return finding('Warn', code, message, items);
}

function finding(
  severity: Finding['severity'],
  code: string,
  message: string,
  items?: readonly string[],
): Finding {
  return { code, severity, message: `The VM ${message}`, ...(items === undefined ? {} : { items }) };
}

function filesOf(disks: VmModel['disks']): readonly string[] {
  return disks.map((disk) => disk.taskName);
}

function backingsOf(raw: Json): readonly Json[] {
  return asList(member(raw, 'config.hardware.device'))
    .filter((device) => typeOf(device) === 'VirtualDisk')
    .map((device) => member(device, 'backing'))
    .filter((backing) => backing !== undefined);
}

function nameOfBacking(backing: Json): string {
  return asText(member(backing, 'fileName')) ?? asText(member(backing, 'descriptorFileName')) ?? 'unknown';
}
