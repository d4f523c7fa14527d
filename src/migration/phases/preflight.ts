import { terminal } from '../failures.ts';
import { sourceGone } from '../faults.ts';
import type { FactTable } from '../facts.ts';
import { phase, slotPriorities, type Context, type Decision } from '../phase.ts';
import { preflightFailure } from '../preflight.ts';
import { nameSlot } from '../slot-requests.ts';
import { firstName, nextName } from '../target-name.ts';

/** Times that an import is made again for a VM that keeps changing (design: import.md 3.1). */
const mostRemakes = 3;

/**
 * Is the VM still what was planned, and would the target take it? Everything that can be refused is refused here, where it costs nothing:
 * only the namespace is made, and that is never deleted by us.
 */
export const preflight = phase({
  name: 'Preflight',
  step: 'Initialize',
  needs: ['sourceVm', 'preflight'],
  decide(facts, context) {
    return sourceTrouble(facts.sourceVm, context) ?? target(facts.preflight, context);
  },
  refused(refusal, context) {
    return terminal(
      'NamespaceRefused',
      `Namespace ${context.spec.target.namespace} cannot be made: ${refusal.text}`,
      'Create the namespace, and start the plan again.',
    );
  },
});

function sourceTrouble(sourceVm: FactTable['sourceVm'], { spec }: Context): Decision | undefined {
  if (sourceVm.state === 'gone') {
    return {
      ...terminal(sourceGone, `VM ${spec.vm.name} (${spec.vm.id}) is not at its source any more.`),
      outcome: 'Canceled',
      outcomeReason: 'NotFound',
    };
  }
  if (sourceVm.model.digest === spec.model.digest) return undefined;
  if (spec.run.remade >= mostRemakes) {
    return terminal(
      'ModelUnstable',
      `VM ${spec.vm.name} was changed again and again while its migration was about to begin.`,
      'Leave its configuration alone for a moment and start the plan again.',
    );
  }
  return {
    kind: 'wait',
    reason: 'ModelStale',
    for: 'this import to be made again, because the VM was changed since it was planned',
    conditions: [
      {
        type: 'ModelStale',
        category: 'Warn',
        message: 'The VM was changed since this import was made; nothing was touched yet.',
      },
    ],
  };
}

function target(found: FactTable['preflight'], context: Context): Decision {
  const { spec } = context;
  const name = context.records.targetName ?? firstName(spec);
  const reserved = nameSlot(spec, name);
  if (!(context.status.slots ?? []).some((slot) => slot.resource === reserved.resource)) {
    return {
      kind: 'acquire',
      slots: [reserved],
      priority: slotPriorities.start,
      for: `another import that is to make ${spec.target.namespace}/${name} to end`,
    };
  }
  if (found.state === 'namespaceMissing') return { kind: 'act', actions: [{ do: 'createNamespace' }] };
  if (found.state === 'nameTaken' && !found.ours) {
    const next = nextName(spec, name);
    if (next !== undefined) {
      return {
        kind: 'act',
        actions: [],
        records: { targetName: next },
        free: [reserved.resource],
        events: [
          {
            type: 'Normal',
            reason: 'TargetRenamed',
            message: `${spec.target.namespace}/${name} is taken (${found.by}): the VM will be called ${next}.`,
          },
        ],
      };
    }
  }
  return preflightFailure(found, `${spec.target.namespace}/${name}`) ?? { kind: 'advance' };
}
