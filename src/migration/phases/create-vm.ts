import { clusterDeadline } from '../deadline.ts';
import { targetDeleted, terminal } from '../failures.ts';
import { firstLost } from '../foreign-volume.ts';
import { importersEnding } from '../importers-ending.ts';
import { targetObjectsEntry } from '../ledger.ts';
import type { TargetVmFact } from '../facts.ts';
import { phase, type Context, type Decision, type Refusal } from '../phase.ts';
import { nameTaken } from '../preflight.ts';

/**
 * Makes the target VM, halted. The Secret that importers read goes first: no target starts while a password of the source lies beside it
 * (review.md F74).
 */
export const createVm = phase({
  name: 'CreateVM',
  step: 'VirtualMachineCreation',
  needs: ['targetVm', 'liveVolumes'],
  decide({ targetVm, liveVolumes }, context) {
    switch (targetVm.state) {
      case 'foreign':
        return nameTaken(targetOf(context), targetVm.by);
      case 'ours':
        return standing(targetVm, context);
      case 'absent':
        return firstLost(liveVolumes, context) ?? importersEnding(liveVolumes, context) ?? create(context);
    }
  },
  refused: refusedVm,
});

function targetOf({ spec, records }: Context): string {
  return `${spec.target.namespace}/${records.targetName ?? spec.vm.name}`;
}

function standing(targetVm: Extract<TargetVmFact, { state: 'ours' }>, context: Context): Decision {
  if (targetVm.deleting) {
    return targetDeleted(context);
  }
  return { kind: 'advance', records: { targetUid: targetVm.uid } };
}

function create({ spec }: Context): Decision {
  return {
    kind: 'act',
    // For a VM without disks it is the first thing that is made.
    ledger: [targetObjectsEntry(spec.target.namespace)],
    actions: [{ do: 'deleteAccess' }, { do: 'createVm' }],
  };
}

/**
 * Refused though the dry-runs were not. Where the source was off anyway nobody waits for it, so the disks are kept for an hour of tries;
 * else service comes first, and power restored makes the disks old (review.md F18).
 */
function refusedVm(refusal: Refusal, context: Context): Decision {
  const failure = terminal(
    'TargetRefused',
    `The target cluster refuses VirtualMachine ${targetOf(context)}: ${refusal.text}`,
    'Correct what it objects to and start the plan again.',
  );
  if (refusal.action.do !== 'createVm') return failure;
  if (refusal.code === 'AlreadyExists') return nameTaken(targetOf(context), refusal.text);
  const deadline = clusterDeadline(context, context.settings.createVmRetrySeconds);
  const isOffAnyway =
    context.records.power?.before === 'Off' || context.spec.policies.onConversionFailure === 'hold';
  if (!isOffAnyway || context.now >= deadline) return failure;
  return {
    kind: 'wait',
    reason: 'TargetRefused',
    for: `the target cluster to take the VirtualMachine, which it refuses: ${refusal.text}`,
    until: Math.min(deadline, context.now + context.settings.createVmRepeatSeconds * 1000),
    conditions: [
      {
        type: 'TargetRefused',
        category: 'Warn',
        reason: refusal.code,
        message: `${refusal.text} The disks are kept and the VirtualMachine is tried again.`,
      },
    ],
  };
}
