import type { VirtualMachineImportSpec } from '../api/virtual-machine-import.ts';
import { targetNames } from './names.ts';

/** The name that the target VM gets if nobody has it. */
export function firstName(spec: VirtualMachineImportSpec): string {
  return targetNames(spec)[0];
}

/**
 * The name to try where `taken` is taken; undefined: none. A name that the user chose, or that the VM bears at its source, is kept or the
 * import fails, because somebody relies on it; one that had to be made up anyway may be made up otherwise.
 */
export function nextName(spec: VirtualMachineImportSpec, taken: string): string | undefined {
  const names = targetNames(spec);
  return taken === spec.vm.name ? undefined : names[names.indexOf(taken) + 1];
}
