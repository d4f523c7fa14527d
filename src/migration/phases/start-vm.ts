import type { TargetVmFact } from '../facts.ts';
import type { LedgerChange } from '../phase.ts';
import { phase, type Action, type Context, type Decision } from '../phase.ts';
import { targetDeleted, terminal } from '../failures.ts';
import { sourcePowerKey, targetObjectsKey } from '../ledger.ts';
import { sourceRestarted, targetIsToRun } from '../power.ts';
import { rfc3339 } from '../time.ts';

/**
 * The commit point. Before it the source wins: is it on again, all is taken back. With the save of committedAt the target wins: nothing
 * powers the source on any more and nobody of ours deletes the target (review.md F17). The target starts only after that save.
 */
export const startVm = phase({
  name: 'StartVM',
  step: 'VirtualMachineCreation',
  needs: ['sourcePower', 'targetVm'],
  decide({ sourcePower, targetVm }, context) {
    if (context.records.committedAt !== undefined) {
      return sourcePower.state === 'Off' ? start(targetVm, context) : leaveHalted(targetVm, context);
    }
    if (targetVm.state !== 'ours' || targetVm.deleting) {
      return targetDeleted(context);
    }
    const restarted = sourceRestarted(sourcePower, context);
    if (restarted !== undefined) return restarted;
    switch (sourcePower.state) {
      case 'Off':
        return commit(targetVm, context);
      default:
        return untilKnown(context);
    }
  },
  /** Past the commit point nothing fails. What is said here before it (there is no action then) would be a fault of ours. */
  refused(refusal) {
    return {
      kind: 'advance',
      warning: `The VirtualMachine could not be started: ${refusal.text}`,
      events: [notStarted(`The VirtualMachine could not be started: ${refusal.text}`)],
    };
  },
});

function targetOf({ spec, records }: Context): string {
  return `${spec.target.namespace}/${records.targetName ?? spec.vm.name}`;
}

function commit(targetVm: Extract<TargetVmFact, { state: 'ours' }>, context: Context): Decision {
  const ledger: readonly LedgerChange[] = [
    {
      op: 'dispose',
      key: targetObjectsKey(context.spec.target.namespace),
      disposition: 'handOver',
    },
    { op: 'strike', key: sourcePowerKey },
  ];
  const records = { committedAt: rfc3339(context.now), targetUid: targetVm.uid };
  return { kind: 'act', records, ledger, actions: starts(targetVm, context) };
}

function starts(targetVm: Extract<TargetVmFact, { state: 'ours' }>, context: Context): readonly Action[] {
  if (!targetIsToRun(context) || targetVm.runStrategy !== 'Halted') return [];
  return [{ do: 'setRunStrategy', vmUid: targetVm.uid, runStrategy: 'Always' }];
}

function start(targetVm: TargetVmFact, context: Context): Decision {
  if (targetVm.state !== 'ours') return { kind: 'advance', warning: 'The VirtualMachine was deleted.' };
  const actions = starts(targetVm, context);
  return actions.length === 0 ? { kind: 'advance' } : { kind: 'act', actions };
}

function untilKnown(context: Context): Decision {
  const until = context.phaseSince + context.settings.powerUnknownSeconds * 1000;
  if (context.now < until) {
    return {
      kind: 'wait',
      reason: 'SourcePower',
      for: 'proof that the source is still off (its power state is unknown)',
      until,
    };
  }
  return terminal(
    'SourcePowerUnknown',
    `Nobody can tell whether VM ${context.spec.vm.name} is still off at its source; its copy is not started.`,
    'See to the host of the source, and start the plan again.',
  );
}

/** Committed, not started, and the source is not known to be off: two running copies are worse than none (DESIGN.md 4.3). */
function leaveHalted(targetVm: TargetVmFact, context: Context): Decision {
  const isStarted = targetVm.state === 'ours' && targetVm.runStrategy !== 'Halted';
  if (isStarted || !targetIsToRun(context)) return { kind: 'advance' };
  const message = `${targetOf(context)} was not started: the source is not known to be off. Power the source off, then start the VirtualMachine.`;
  return { kind: 'advance', warning: message, events: [notStarted(message)] };
}

function notStarted(message: string): { type: 'Warning'; reason: string; message: string } {
  return { type: 'Warning', reason: 'TargetNotStarted', message };
}
