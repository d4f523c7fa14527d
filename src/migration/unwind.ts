import type { UnwindStep } from './phase.ts';
import { clearAccess } from './unwind/clear-access.ts';
import { deleteConversionPod } from './unwind/delete-conversion-pod.ts';
import { proveTargetClear } from './unwind/prove-target-clear.ts';
import { restorePower } from './unwind/restore-power.ts';
import { removeSnapshots } from './unwind/remove-snapshots.ts';
import { settleTarget } from './unwind/settle-target.ts';
import { stopCopies } from './unwind/stop-copies.ts';

/**
 * How an import that did not succeed takes back what it did, in this order (design: import.md 2.5). Restoring the power of the source may
 * overtake copies that are still stopping: service first. Hooks and preparations come between these as they come into being.
 */
export const unwindSteps: readonly UnwindStep[] = [
  deleteConversionPod,
  stopCopies,
  restorePower,
  removeSnapshots,
  clearAccess,
  settleTarget,
  proveTargetClear,
];
