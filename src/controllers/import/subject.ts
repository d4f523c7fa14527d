import type { Stored } from '../../api/meta.ts';
import type { FrozenDisk, VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import type { VmHandle } from '../../model/source-data.ts';
import type { Context } from '../../migration/phase.ts';

/** What an import is about, for the gatherers and the actions. */
export interface Subject {
  readonly object: Stored<VirtualMachineImport>;
  readonly context: Context;
}

export function vmHandle(object: VirtualMachineImport): VmHandle {
  return {
    vmId: object.spec.vm.id,
    identity: object.spec.model.identity,
    endpoint: object.spec.source.endpoint,
  };
}

export function copiedDisks(object: VirtualMachineImport): readonly FrozenDisk[] {
  return object.spec.disks.filter((disk) => disk.mode === 'copy');
}
