import type { Domain, VirtualMachine, VirtualMachineInstanceSpec } from '../../api/external/kubevirt.ts';
import { quantityValue } from '../storage/quantity.ts';
import { checkBootOrder, checkDisks } from './check-disks.ts';
import { checkNetworks } from './check-networks.ts';
import { withInstanceDefaults } from './defaults.ts';

const runStrategies = ['Halted', 'Manual', 'Always', 'RerunOnFailure', 'Once'];
const machineTypes = ['q35*', 'pc-q35*'];
const featurePolicies = ['', 'force', 'require', 'optional', 'disable', 'forbid'];
const smallestMemoryBytes = 1e6;
/** CRD maxItems of the lists in a template. */
const longestList = 256;
const reservedLabels = [
  'kubevirt.io/created-by',
  'kubevirt.io/migrationJobUID',
  'kubevirt.io/nodeName',
  'kubevirt.io/migrationTargetNodeName',
  'kubevirt.io/schedulable',
  'kubevirt.io/install-strategy',
];
const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const badQuantity =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/**
 * Everything that virt-api would say against a VirtualMachine, in its words and order; empty when it is admitted. Pure.
 * Fact: kubevirt 1.1, 1.2. Missing memory is no fault here, but at the start (checkInstance).
 */
export function checkVirtualMachine(vm: VirtualMachine): readonly string[] {
  const { template } = vm.spec as { readonly template?: VirtualMachine['spec']['template'] };
  if (template === undefined) return ['missing virtual machine template.'];
  const spec = withInstanceDefaults(template.spec);
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
    ...checkLengths(field, spec),
    ...checkHostname(field, spec.hostname),
    ...checkMemory(field, domain),
    ...checkMachine(field, domain),
    ...checkCpuFeatures(domain),
    ...checkNetworks(field, spec),
    ...checkBootOrder(field, spec),
    ...checkInputs(domain),
    ...checkDisks(`${field}.domain.devices.disks`, domain.devices.disks ?? []),
    ...checkFirmware(field, domain),
    ...checkVolumes(`${field}.volumes`, volumes),
  ];
}

function checkLengths(field: string, { domain, networks, volumes }: VirtualMachineInstanceSpec): string[] {
  const lists = {
    networks,
    volumes,
    'domain.devices.disks': domain.devices.disks,
    'domain.devices.interfaces': domain.devices.interfaces,
  };
  return Object.entries(lists).flatMap(([name, list]) =>
    list !== undefined && list.length > longestList
      ? [`${field}.${name}: Too many: ${list.length}: must have at most ${longestList} items`]
      : [],
  );
}

function checkLabels(labels: Readonly<Record<string, string>>): readonly string[] {
  return Object.keys(labels).some((label) => reservedLabels.includes(label))
    ? ['creation of the following reserved kubevirt.io/ labels on a VMI object is prohibited']
    : [];
}

/** Inferred: the second half of the words, which is Kubernetes' own. */
function checkHostname(field: string, hostname = ''): readonly string[] {
  if (hostname === '' || dnsLabel.test(hostname)) return [];
  const why =
    hostname.length > 63
      ? 'must be no more than 63 characters'
      : "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an " +
        "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
  return [`${field}.hostname does not conform to the kubernetes DNS_LABEL rules : ${why}`];
}

function checkMemory(field: string, { memory, resources }: Domain): readonly string[] {
  const named = [memory?.guest, resources?.requests?.['memory'], resources?.limits?.['memory']];
  if (named.some((text) => text !== undefined && quantityValue(text) === undefined)) return [badQuantity];
  const [, request, limit] = named;
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

function checkCpuFeatures({ cpu }: Domain): readonly string[] {
  return (cpu?.features ?? []).flatMap(({ name, policy = '' }) =>
    featurePolicies.includes(policy)
      ? []
      : [`CPU feature ${name} uses policy ${policy} that is not supported.`],
  );
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
    texts.push(`Invalid RunStrategy (${runStrategy})`);
  }
  return texts;
}
