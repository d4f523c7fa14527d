import { hookSteps } from '../../../api/plan-vm.ts';
import { referred, type PlanInputs } from '../inputs.ts';
import { critical, isGiven, vmLabel, type PlanRule } from './rule.ts';

interface NamedHook {
  readonly vm: string;
  readonly step: string;
  readonly name: string;
  readonly shown: string;
  readonly isThere: boolean;
}

function namedHooks({ plan, hookOf }: PlanInputs): readonly NamedHook[] {
  return plan.spec.vms.flatMap((planVm) =>
    (planVm.hooks ?? []).map(({ step, hook }) => {
      const { namespace, name } = referred(hook, plan);
      const shown = `${namespace}/${name}`;
      return { vm: vmLabel(planVm), step, name, shown, isThere: hookOf(hook) !== undefined };
    }),
  );
}

/** Hooks are checked now, so that nothing of them is news when they are run. */
export const hooks: PlanRule = (inputs) => {
  const named = namedHooks(inputs);
  if (named.length === 0) return [];
  const items = (of: readonly NamedHook[]): string[] => [...new Set(of.map((hook) => hook.vm))];
  const unset = named.filter((hook) => !isGiven(hook.name));
  const gone = named.filter((hook) => isGiven(hook.name) && !hook.isThere);
  const misplaced = named.filter((hook) => !(hookSteps as readonly string[]).includes(hook.step));
  const names = [...new Set(gone.map((hook) => hook.shown))].join(', ');
  return [
    ...(unset.length > 0
      ? [critical('HookNotValid', 'NotSet', 'Hooks of VMs name no Hook. Set hook.name.', items(unset))]
      : []),
    ...(gone.length > 0 && unset.length === 0
      ? [
          critical(
            'HookNotValid',
            'NotFound',
            `Hooks were not found: ${names}. Correct the reference, or create them.`,
            items(gone),
          ),
        ]
      : []),
    ...(misplaced.length > 0
      ? [
          critical(
            'HookStepNotValid',
            'NotValid',
            `The step of a hook must be one of ${hookSteps.join(', ')}. Correct it.`,
            items(misplaced),
          ),
        ]
      : []),
    critical(
      'HookNotReady',
      'NotSupported',
      'Hooks are not run yet, and a VM is not moved without those it names. Remove them from its entry in the Plan.',
      items(named),
    ),
  ];
};
