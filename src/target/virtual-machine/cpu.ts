import type { Cpu, CpuFeature } from '../../api/external/kubevirt.ts';
import type { VirtualMachineImportSpec } from '../../api/virtual-machine-import.ts';

/** Of Intel and AMD; the one that the host does not know is passed over. */
const nestedVirtualization = ['vmx', 'svm'] as const;

const mostDedicatedThreads = 2;

/** undefined with an instance type: KubeVirt refuses a template that says the same again (fact: kubevirt 1.2). */
export function buildCpu(spec: VirtualMachineImportSpec): Cpu | undefined {
  if (spec.options.instanceType !== undefined) return undefined;
  const { cpu } = spec.model;
  const model = spec.options.cpuModelFromCluster ? cpu.clusterModel?.model : cpu.model;
  const features = featuresOf(spec);
  // KubeVirt gives a VM of dedicated CPUs no core of more than two threads: as many CPUs, in another shape.
  const isFlat = cpu.dedicated && cpu.threadsPerCore > mostDedicatedThreads;
  return {
    sockets: cpu.sockets,
    cores: isFlat ? cpu.coresPerSocket * cpu.threadsPerCore : cpu.coresPerSocket,
    threads: isFlat ? 1 : cpu.threadsPerCore,
    ...(model !== undefined && { model }),
    ...(features.length > 0 && { features }),
    ...(cpu.dedicated && { dedicatedCpuPlacement: true }),
    // The emulator's own thread exists only beside dedicated CPUs.
    ...(cpu.dedicated && cpu.isolateEmulator && { isolateEmulatorThread: true }),
  };
}

/** A choice of plan or VM about nested virtualization wins over the source's, and both over a feature of the same name (fact: vsphere 3.1). */
function featuresOf(spec: VirtualMachineImportSpec): readonly CpuFeature[] {
  const { cpu } = spec.model;
  const given = spec.options.cpuModelFromCluster ? (cpu.clusterModel?.features ?? []) : cpu.features;
  const byName = new Map<string, CpuFeature>(given.map(({ name, policy }) => [name, { name, policy }]));
  const nested = spec.options.nested ?? cpu.nested;
  if (nested !== undefined) {
    const policy = nested ? 'optional' : 'disable';
    for (const name of nestedVirtualization) byName.set(name, { name, policy });
  }
  return [...byName.values()];
}
