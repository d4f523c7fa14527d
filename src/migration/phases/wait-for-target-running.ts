import { clusterDeadline } from '../deadline.ts';
import { phase } from '../phase.ts';
import { targetIsToRun } from '../power.ts';

/** Watches the target come up. The migration is done by now: what goes wrong here is told, and never fails it. */
export const waitForTargetRunning = phase({
  name: 'WaitForTargetRunning',
  step: 'VirtualMachineCreation',
  needs: ['instancePhase'],
  decide({ instancePhase }, context) {
    if (!targetIsToRun(context) || instancePhase === 'Running') return { kind: 'advance' };
    const until = clusterDeadline(context, context.settings.targetRunningSeconds);
    if (context.now < until) {
      return { kind: 'wait', reason: 'TargetRunning', for: 'the new VirtualMachine to run', until };
    }
    const { targetName = context.spec.vm.name } = context.records;
    const state = instancePhase === '' ? 'has no instance' : `is ${instancePhase}`;
    const message = `VirtualMachine ${context.spec.target.namespace}/${targetName} ${state}, it does not run yet. See its events.`;
    return {
      kind: 'advance',
      warning: message,
      events: [{ type: 'Warning', reason: 'TargetNotRunning', message }],
      conditions: [{ type: 'TargetNotRunning', category: 'Warn', durable: true, message }],
    };
  },
});
