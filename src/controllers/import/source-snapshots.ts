import type { VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import type { Snapshots } from '../../sources/source.ts';
import type { SourceHub } from '../source-hub.ts';

/** The snapshot verbs of the source of a warm import. Throws SourceError while it is not connected. */
export function snapshotsOf(
  { spec }: VirtualMachineImport,
  { sources }: { readonly sources: SourceHub },
): Snapshots {
  const { snapshots } = sources.source(spec.source.provider);
  if (snapshots === undefined) throw new RangeError(`a source of type ${spec.source.type} has no snapshots`);
  return snapshots;
}
