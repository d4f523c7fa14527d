import type { Domain, VirtualMachine, VirtualMachineInstanceSpec } from '../../api/external/kubevirt.ts';
import { quantityValue } from '../storage/quantity.ts';
import { checkBootOrder, checkDisks } from './check-disks.ts';
import { checkInstanceType, withInstanceType } from './check-instance-type.ts';
import { checkNetworks } from './check-networks.ts';
import { withInstanceDefaults } from './defaults.ts';
import { labelProblems } from './label-problems.ts';

const runStrategies = ['Halted', 'Manual', 'Always', 'RerunOnFailure', 'Once'];
const machineTypes = ['q35*', 'pc-q35*'];
const featurePolicies = ['', 'force', 'require', 'optional', 'disable', 'forbid'];
const smallestMemoryBytes = 1e6;
const reservedLabels = [
  'kubevirt.io/created-by',
  'kubevirt.io/migrationJobUID',
  'kubevirt.io/nodeName',
  'kubevirt.io/migrationTargetNodeName',
  'kubevirt.io/schedulable',
  'kubevirt.io/install-strategy',
];
const evictionStrategies = ['None', 'LiveMigrate', 'LiveMigrateIfPossible', 'External'];

/**
 * Everything that virt-api would say against a VirtualMachine, in its words and order; empty when it is admitted. Pure.
 * Fact: kubevirt 1.1, 1.2. Missing memory is no fault here, but at the start (checkInstance).
 */
export function checkVirtualMachine(vm: VirtualMachine): readonly string[] {
  const { template } = vm.spec as { readonly template?: VirtualMachine['spec']['template'] };
  if (template === undefined) return ['missing virtual machine template.'];
  const conflicts = checkInstanceType(vm);
  if (conflicts.length > 0) return conflicts;
  const spec = withInstanceDefaults(withInstanceType(vm));
  return [
    ...checkLabels(template.metadata?.labels ?? {}),
    ...checkSpec('spec.template.spec', spec),
    ...checkRunStrategy(vm),
  ];
}

/** What virt-api asks of a VirtualMachineInstance besides (fact: kubevirt 1.2, memory). */
export function checkInstance(spec: VirtualMachineInstanceSpec): readonly string[] {
  const { memory, resources } = spec.domain;
  const hasMemory = memory?.guest !== undefined || resources?.requests?.['memory'] !== undefined;
  const missing =
    "no memory requested, at least one of 'spec.domain.memory.guest', 'spec.domain.memory.hugepages.pageSize' or " +
    "'spec.domain.resources.requests.memory' must be set";
  return [...checkSpec('spec', spec), ...(hasMemory ? [] : [missing])];
}

/** One text out of many, as virt-api makes it: ten at most (fact: kubevirt 1.1). */
export function joinRefusals(texts: readonly string[]): string {
  const shown = texts.slice(0, 10).join(', ');
  return texts.length > 10 ? `${shown}, and ${texts.length - 10} more validation errors` : shown;
}

function checkSpec(field: string, spec: VirtualMachineInstanceSpec): readonly string[] {
  const { domain, volumes = [] } = spec;
  return [
    ...checkHostname(field, spec.hostname),
    ...checkMemory(field, domain),
    ...checkMachine(field, domain),
    ...checkCpu(field, domain),
    ...checkAffinity(field, spec),
    ...checkNetworks(field, spec),
    ...checkBootOrder(field, spec),
    ...checkInputs(domain),
    ...checkDisks(`${field}.domain.devices.disks`, domain.devices.disks ?? []),
    ...checkFirmware(field, domain),
    ...checkVolumes(`${field}.volumes`, volumes),
    ...checkEviction(field, spec),
    ...checkReservations(domain),
  ];
}

function checkLabels(labels: Readonly<Record<string, string>>): readonly string[] {
  return Object.keys(labels).some((label) => reservedLabels.includes(label))
    ? ['creation of the following reserved kubevirt.io/ labels on a VMI object is prohibited']
    : [];
}

function checkHostname(field: string, hostname = ''): readonly string[] {
  const problems = hostname === '' ? [] : labelProblems(hostname);
  if (problems.length === 0) return [];
  return [`${field}.hostname does not conform to the kubernetes DNS_LABEL rules : ${problems.join(', ')}`];
}

function checkMemory(field: string, { resources }: Domain): readonly string[] {
  const request = resources?.requests?.['memory'];
  const limit = resources?.limits?.['memory'];
  const texts: string[] = [];
  const requested = quantityValue(request ?? '') ?? 0;
  const at = (which: string): string => `${field}.domain.resources.${which}.memory`;
  if (requested < 0) texts.push(`${at('requests')} '${request ?? ''}': must be greater than or equal to 0.`);
  else if (requested > 0 && requested < smallestMemoryBytes) {
    texts.push(`${at('requests')} '${request ?? ''}': must be greater than or equal to 1M.`);
  }
  const limited = quantityValue(limit ?? '') ?? 0;
  if (limited > 0 && requested > limited) {
    texts.push(`${at('requests')} '${request ?? ''}' is greater than ${at('limits')} '${limit ?? ''}'`);
  }
  return texts;
}

function checkMachine(field: string, { machine }: Domain): readonly string[] {
  const type = machine?.type ?? '';
  const isAllowed = type === '' || machineTypes.some((pattern) => type.startsWith(pattern.slice(0, -1)));
  return isAllowed
    ? []
    : [
        `${field}.domain.machine.type is not supported: ${type} (allowed values: [${machineTypes.join(' ')}])`,
      ];
}

/** CPUs of its own a VM gets with memory that is said, and with two threads a core at most. */
function checkCpu(field: string, { cpu, memory, resources }: Domain): readonly string[] {
  const texts: string[] = [];
  const { dedicatedCpuPlacement = false, isolateEmulatorThread = false, threads = 0 } = cpu ?? {};
  const amounts = [resources?.limits?.['memory'], resources?.requests?.['memory'], memory?.guest];
  if (dedicatedCpuPlacement && amounts.every((amount) => (quantityValue(amount ?? '') ?? 0) === 0)) {
    const at = `${field}.domain`;
    texts.push(
      `${at}.resources.requests.memory, ${at}.resources.limits.memory, ${at}.memory.hugepages or ${at}.memory.guest should be provided`,
    );
  }
  if (dedicatedCpuPlacement && threads > 2) {
    texts.push(
      `Not more than two threads must be provided at ${field}.domain.cpu.threads (got ${threads}) when DedicatedCPUPlacement is true`,
    );
  }
  if (isolateEmulatorThread && !dedicatedCpuPlacement) {
    texts.push('IsolateEmulatorThread should be only set in combination with DedicatedCPUPlacement');
  }
  const unknown = (cpu?.features ?? []).filter(({ policy = '' }) => !featurePolicies.includes(policy));
  return [
    ...texts,
    ...unknown.map(
      ({ name, policy = '' }) => `CPU feature ${name} uses policy ${policy} that is not supported.`,
    ),
  ];
}

/** Of Kubernetes' rules for affinity the one that a schema cannot hold. */
function checkAffinity(field: string, { affinity }: VirtualMachineInstanceSpec): readonly string[] {
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (required === undefined || required.nodeSelectorTerms.length > 0) return [];
  const at = `${field}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`;
  return [`${at}: Required value: must have at least one node selector term`];
}

function checkEviction(field: string, { evictionStrategy }: VirtualMachineInstanceSpec): readonly string[] {
  const isKnown = evictionStrategy === undefined || evictionStrategies.includes(evictionStrategy);
  return isKnown ? [] : [`${field}.evictionStrategy is set with an unrecognized option: ${evictionStrategy}`];
}

/** The gate is off by default (fact: kubevirt 1.2). */
function checkReservations({ devices }: Domain): readonly string[] {
  return (devices.disks ?? []).some(({ lun }) => lun?.reservation === true)
    ? ['PersistentReservation feature gate is not enabled in kubevirt-config']
    : [];
}

function checkInputs({ devices }: Domain): readonly string[] {
  return (devices.inputs ?? []).flatMap(({ type, bus = '' }) => [
    ...(['', 'virtio', 'usb'].includes(bus) ? [] : ['Input device can have only virtio or usb bus.']),
    ...(type === 'tablet' ? [] : ['Input device can have only tablet type.']),
  ]);
}

/** secureBoot counts as true where it is not said (fact: kubevirt 1.2). */
function checkFirmware(field: string, { firmware, features }: Domain): readonly string[] {
  const { bios, efi } = firmware?.bootloader ?? {};
  const texts: string[] = [];
  if (bios !== undefined && efi !== undefined) {
    texts.push(
      `${field}.domain.firmware.bootloader has both EFI and BIOS configured, but they are mutually exclusive.`,
    );
  }
  const hasSmm = features?.smm !== undefined && features.smm.enabled !== false;
  if (efi !== undefined && efi.secureBoot !== false && !hasSmm) {
    texts.push(
      `${field}.domain has EFI SecureBoot enabled. SecureBoot requires SMM, which is currently disabled.`,
    );
  }
  return texts;
}

function checkVolumes(
  field: string,
  volumes: readonly { readonly name: string; readonly persistentVolumeClaim?: unknown }[],
): readonly string[] {
  return volumes.flatMap((volume, index) => {
    const first = volumes.findIndex(({ name }) => name === volume.name);
    const sources = Object.keys(volume).filter((key) => key !== 'name').length;
    return [
      ...(first < index ? [`${field}[${index}] and ${field}[${first}] must not have the same Name.`] : []),
      ...(sources === 1 ? [] : [`${field}[${index}] must have exactly one source type set`]),
    ];
  });
}

function checkRunStrategy({ spec: { running, runStrategy } }: VirtualMachine): readonly string[] {
  const texts: string[] = [];
  if (running !== undefined && runStrategy !== undefined) {
    texts.push(
      'Running and RunStrategy are mutually exclusive. Note that Running is deprecated, please use RunStrategy instead',
    );
  }
  if (running === undefined && runStrategy === undefined) texts.push('RunStrategy must be specified');
  if (runStrategy !== undefined && !runStrategies.includes(runStrategy)) {
    const isGated = (runStrategy as string) === 'WaitAsReceiver';
    const gate = ', DecentralizedLiveMigration feature gate is not enabled in kubevirt resource';
    texts.push(`Invalid RunStrategy (${runStrategy})${isGated ? gate : ''}`);
  }
  return texts;
}
