import type { Context, Fail } from './phase.ts';

/** A failure that no further try would change. */
export function terminal(code: string, message: string, hint?: string): Fail {
  return {
    kind: 'fail',
    class: 'terminal',
    code,
    message,
    ...(hint !== undefined && { hint }),
  };
}

/** The new VM was there, and is not any more: nobody of ours deletes it before it has started. */
export function targetDeleted({ spec, records }: Pick<Context, 'spec' | 'records'>): Fail {
  return terminal(
    'TargetDeleted',
    `VirtualMachine ${spec.target.namespace}/${records.targetName ?? spec.vm.name} was deleted by somebody before it could start.`,
    'Start the plan again.',
  );
}

/** CDI, or what stands before it, does not take the DataVolumes that the disks are to be copied into. */
export function volumesRefused(namespace: string, text: string): Fail {
  return terminal(
    'DataVolumeRefused',
    `The target cluster refuses what the copy needs in namespace ${namespace}: ${text}`,
    'Correct what it objects to and start the plan again.',
  );
}
