import { abandonLeftoversAnnotation } from '../../api/labels.ts';
import type { Stored } from '../../api/meta.ts';
import type { VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import { isSourceError } from '../../model/fault.ts';

/** For so long a deleted import waits for a Provider that is gone: it may be applied again (design: review.md F15). */
const longestWaitMs = 10 * 60_000;

/**
 * Whether what is owed at the source is given up, in an event and an error in the log: somebody said so, or the import is deleted and the
 * Provider was taken away in spite of our finalizer. Nothing else could end then, its namespace neither. `now`: milliseconds since 1970.
 */
export function isAbandoned(
  { metadata }: Stored<VirtualMachineImport>,
  error: unknown,
  now: number,
): boolean {
  if (!isSourceError(error)) return false;
  if (metadata.annotations?.[abandonLeftoversAnnotation] === 'true') return true;
  const { deletionTimestamp } = metadata;
  if (error.code !== 'ProviderGone' || deletionTimestamp === undefined) return false;
  return now - Date.parse(deletionTimestamp) >= longestWaitMs;
}
