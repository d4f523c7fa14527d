import type { VirtualMachine } from '../../api/external/kubevirt.ts';
import type { VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import { buildVirtualMachine } from '../../target/virtual-machine/virtual-machine.ts';

/** The target VM of an import: one and the same for the dry-run at the start, the one before power-off and the create at the end. */
export function buildTargetVm(object: VirtualMachineImport, name: string): VirtualMachine {
  const claims = new Map(object.spec.disks.map((disk) => [disk.key, disk.claimName]));
  return buildVirtualMachine(object, { name, claims, converted: object.status?.records?.conversion });
}
