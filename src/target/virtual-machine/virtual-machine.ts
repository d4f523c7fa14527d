import type { Affinity } from '../../api/affinity.ts';
import type { VirtualMachine, VirtualMachineInstanceSpec } from '../../api/external/kubevirt.ts';
import type { VirtualMachineImportSpec } from '../../api/virtual-machine-import.ts';
import type { ImportSubject } from '../labels.ts';
import type { Converted } from './converted.ts';
import { buildCpu } from './cpu.ts';
import { buildDevices } from './devices.ts';
import { buildDisks } from './disks.ts';
import { buildClock, buildFeatures, buildFirmware } from './firmware.ts';
import { buildMemory } from './memory.ts';
import { buildMetadata, buildTemplateMetadata } from './metadata.ts';
import { buildNetworking } from './networks.ts';

/**
 * The target VM, from the frozen spec alone: the same for a dry-run before anything is touched and for the create at the end. It is made
 * Halted; starting it is a decision of its own (design: DESIGN.md 4.3). The machine type is left to KubeVirt.
 *
 * @param target the chosen name, the name of the claim by disk key, and what the conversion of the guest has found.
 */
export function buildVirtualMachine(
  subject: ImportSubject,
  target: {
    readonly name: string;
    readonly claims: ReadonlyMap<string, string>;
    readonly converted?: Converted | undefined;
  },
): VirtualMachine {
  const { instanceType } = subject.spec.options;
  return {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachine',
    metadata: buildMetadata(subject, target.name),
    spec: {
      runStrategy: 'Halted',
      ...(instanceType !== undefined && { instancetype: { name: instanceType } }),
      template: {
        metadata: buildTemplateMetadata(subject, target.name),
        spec: instanceSpec(subject.spec, target.claims, target.converted ?? {}),
      },
    },
  };
}

function instanceSpec(
  spec: VirtualMachineImportSpec,
  claims: ReadonlyMap<string, string>,
  converted: Converted,
): VirtualMachineInstanceSpec {
  const cpu = buildCpu(spec);
  const memory = buildMemory(spec);
  const features = buildFeatures(spec);
  const clock = buildClock(spec);
  const { disks, volumes } = buildDisks(spec, claims, converted);
  const networking = buildNetworking(spec);
  const { nodeSelector, affinity } = spec.placement;
  return {
    domain: {
      ...(cpu !== undefined && { cpu }),
      ...(memory !== undefined && { memory }),
      firmware: buildFirmware(spec, converted),
      ...(features !== undefined && { features }),
      ...(clock !== undefined && { clock }),
      devices: buildDevices(spec, disks, networking),
    },
    networks: networking.networks,
    volumes,
    ...(Object.keys(nodeSelector).length > 0 && { nodeSelector }),
    // Frozen as text, because its schema is too large for a comparison by CEL; it was valid in the Plan.
    ...(affinity !== undefined && { affinity: JSON.parse(affinity) as Affinity }),
  };
}
