import type { Memory } from '../../api/external/kubevirt.ts';
import type { VirtualMachineImportSpec } from '../../api/virtual-machine-import.ts';

const mebibyte = 2 ** 20;

/** undefined with an instance type, as for the CPU. */
export function buildMemory(spec: VirtualMachineImportSpec): Memory | undefined {
  if (spec.options.instanceType !== undefined) return undefined;
  const { memoryBytes } = spec.model;
  const guest = memoryBytes % mebibyte === 0 ? `${memoryBytes / mebibyte}Mi` : String(memoryBytes);
  return { guest };
}
