import type { VirtualMachine, VirtualMachineInstanceSpec } from '../../api/external/kubevirt.ts';

const machineType = 'q35';

/**
 * What virt-api's mutating webhook writes into a VirtualMachine: machine type, acpi, and at creation uuid and serial (fact: kubevirt 1.2).
 * `random` gives the identifiers; the same object when there is nothing to add.
 */
export function withMachineDefaults(
  vm: VirtualMachine,
  operation: 'CREATE' | 'UPDATE',
  random: () => number,
): VirtualMachine {
  const { template } = vm.spec as { readonly template?: VirtualMachine['spec']['template'] };
  if (template === undefined) return vm;
  const { domain } = template.spec;
  const uuid = domain.firmware?.uuid ?? '';
  const serial = domain.firmware?.serial ?? '';
  const isIdentified = operation === 'UPDATE' || (uuid !== '' && serial !== '');
  const hasMachine = (domain.machine?.type ?? '') !== '';
  const hasAcpi = domain.features === undefined || domain.features.acpi !== undefined;
  if (isIdentified && hasMachine && hasAcpi) return vm;
  const defaulted = {
    ...domain,
    ...(!hasMachine && { machine: { ...domain.machine, type: machineType } }),
    ...(!hasAcpi && { features: { ...domain.features, acpi: {} } }),
    ...(!isIdentified && {
      firmware: {
        ...domain.firmware,
        uuid: uuid === '' ? randomUuid(random) : uuid,
        serial: serial === '' ? randomUuid(random) : serial,
      },
    }),
  };
  return {
    ...vm,
    spec: { ...vm.spec, template: { ...template, spec: { ...template.spec, domain: defaulted } } },
  };
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
