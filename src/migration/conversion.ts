import type { ConversionRecord } from '../api/virtual-machine-import.ts';
import type { ConversionPodFact } from './facts.ts';
import type { Action, Context } from './phase.ts';

/** The record with something added to it. Throws RangeError before there is one: nothing is known of a conversion that was not begun. */
export function withConversion(
  { records }: Pick<Context, 'records'>,
  added: Partial<ConversionRecord>,
): { readonly conversion: ConversionRecord } {
  if (records.conversion === undefined) throw new RangeError('no conversion was begun');
  return { conversion: { ...records.conversion, ...added } };
}

/** Keys of the disks that a converter is given, in the order of the VM's disks. */
export function convertedDisks({ spec }: Pick<Context, 'spec'>): readonly string[] {
  return spec.disks.filter(({ mode }) => mode === 'copy').map(({ key }) => key);
}

/** The last pod that was given the disk is not proven to have written nothing, nor to have come to its end. */
export function mayBeHalfConverted(conversion: ConversionRecord | undefined, diskKey: string): boolean {
  if (conversion === undefined || conversion.completedAt !== undefined) return false;
  return conversion.startedDisks.includes(diskKey) && !isProvenUntouched(conversion);
}

/** Of the pod that was made last; while it is being made its uid is not known. */
export function isProvenUntouched({ podUid, untouchedPod }: ConversionRecord): boolean {
  return podUid !== undefined && podUid === untouchedPod;
}

/**
 * How it is known that a converter has written nothing: its program has never begun (the pod could not be scheduled, its image not be
 * pulled, the node threw it out before), or the image says so itself: from 2.13 on Forklift's writes into overlays first and tells when
 * it has thrown them away. Whatever has run and does not say so may have written.
 */
export function isUntouched({ startedMs, saysUntouched }: ConversionPodFact): boolean {
  return startedMs === undefined || saysUntouched;
}

/** Takes the pod away. The finalizer goes last: until then it can still be seen how the pod ended. */
export function removal({ name, uid, deletingMs, isHeld }: ConversionPodFact): readonly Action[] {
  return [
    ...(deletingMs === undefined ? [{ do: 'deletePod', name, uid } as const] : []),
    ...(isHeld ? [{ do: 'releasePod', name, uid, forget: false } as const] : []),
  ];
}
