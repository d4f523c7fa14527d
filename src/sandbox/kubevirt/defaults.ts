import type { Cpu, Domain, VirtualMachine, VirtualMachineInstanceSpec } from '../../api/external/kubevirt.ts';
import { formatQuantity, parseQuantity } from '../api/quantity.ts';

const machineType = 'q35';
const architecture = 'amd64';
const topologyAnnotation = 'kubevirt.io/pci-topology-version';

/**
 * What virt-api's mutating webhook makes of a VirtualMachine: architecture, machine type, acpi, an empty `resources`, amounts in their
 * shortest form, and at creation uuid, serial and the version of the PCI topology (fact: kubevirt 1.2; the answers of KubeVirt 1.8.4).
 * `random` gives the identifiers.
 */
export function withMachineDefaults(
  vm: VirtualMachine,
  operation: 'CREATE' | 'UPDATE',
  random: () => number,
): VirtualMachine {
  const { template } = vm.spec as { readonly template?: VirtualMachine['spec']['template'] };
  if (template === undefined) return vm;
  const isNew = operation === 'CREATE';
  const { metadata } = template;
  const annotations = { [topologyAnnotation]: 'v3', ...metadata?.annotations };
  const spec: VirtualMachineInstanceSpec = {
    architecture,
    ...template.spec,
    domain: withDomainDefaults(template.spec.domain, isNew, random),
  };
  const defaulted = { ...template, ...(isNew && { metadata: { ...metadata, annotations } }), spec };
  return { ...vm, spec: { ...vm.spec, template: defaulted } };
}

function withDomainDefaults(domain: Domain, isNew: boolean, random: () => number): Domain {
  const { firmware, features, machine, cpu, memory, resources } = domain;
  const given = (text: string | undefined): string => text ?? '';
  const identity = (text: string | undefined): string =>
    given(text) === '' ? randomUuid(random) : given(text);
  return {
    ...domain,
    machine: { type: given(machine?.type) === '' ? machineType : given(machine?.type) },
    resources: resources ?? {},
    ...(features !== undefined && { features: { acpi: {}, ...features } }),
    ...(cpu !== undefined && { cpu: withoutZeros(cpu) }),
    ...(memory?.guest !== undefined && { memory: { ...memory, guest: shortest(memory.guest) } }),
    ...(isNew && {
      firmware: { ...firmware, uuid: identity(firmware?.uuid), serial: identity(firmware?.serial) },
    }),
  };
}

/** "2048Mi" comes back as "2Gi". */
function shortest(amount: string): string {
  const quantity = parseQuantity(amount);
  return quantity === undefined ? amount : formatQuantity(quantity);
}

/** A count of none is a count that is not said. */
function withoutZeros(cpu: Cpu): Cpu {
  const counts: readonly string[] = ['sockets', 'cores', 'threads'];
  return Object.fromEntries(
    Object.entries(cpu).filter(([name, value]) => value !== 0 || !counts.includes(name)),
  );
}

/**
 * What KubeVirt adds before it judges a template and when it makes an instance of it: a pod interface where there is none at all, and a
 * disk for a volume that has none (fact: kubevirt 1.2). Not written into the VirtualMachine.
 */
export function withInstanceDefaults(spec: VirtualMachineInstanceSpec): VirtualMachineInstanceSpec {
  const { devices } = spec.domain;
  const disks = devices.disks ?? [];
  const bare = (spec.volumes ?? []).filter(({ name }) => !disks.some((disk) => disk.name === name));
  const isAlone = (spec.networks ?? []).length === 0 && (devices.interfaces ?? []).length === 0;
  const wantsNetwork = isAlone && devices.autoattachPodInterface !== false;
  if (bare.length === 0 && !wantsNetwork) return spec;
  return {
    ...spec,
    ...(wantsNetwork && { networks: [{ name: 'default', pod: {} }] }),
    domain: {
      ...spec.domain,
      devices: {
        ...devices,
        ...(bare.length > 0 && { disks: [...disks, ...bare.map(({ name }) => ({ name, disk: {} }))] }),
        ...(wantsNetwork && { interfaces: [{ name: 'default', masquerade: {} }] }),
      },
    },
  };
}

/** Of version 4, from a seeded source, so that the same seed gives the same machine. */
function randomUuid(random: () => number): string {
  const bytes = Uint8Array.from({ length: 16 }, () => Math.floor(random() * 256));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
