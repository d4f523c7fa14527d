import { findCondition } from '../../api/conditions.ts';
import type { VirtualMachineImport } from '../../api/virtual-machine-import.ts';

/** The VM was changed before anything was touched: this import is to be made again, which is no end of the VM's migration. */
export function isStale({ status }: VirtualMachineImport): boolean {
  return (
    findCondition(status?.conditions, 'ModelStale') !== undefined && status?.records?.ending === undefined
  );
}
