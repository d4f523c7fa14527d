import { terminal } from '../../failures.ts';
import type { Context, Fail } from '../../phase.ts';

/** Its finalizer was taken off by somebody: how it ended will never be known, so its disks stay marked as changed. */
export function podLost({ spec }: Context): Fail {
  return terminal(
    'ConversionPodLost',
    `The pod that converted the guest of VM ${spec.vm.name} was taken away by force; what it has written is not known.`,
    'Start the plan again; the disks are then copied anew.',
  );
}
