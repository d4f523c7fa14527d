import type { ObjectReference, Stored } from '../../../api/meta.ts';
import type { Provider } from '../../../api/provider.ts';
import { destinationConditions, sourceConditions, type NamedProvider } from '../../provider-conditions.ts';
import { referred, type PlanInputs } from '../inputs.ts';
import type { PlanRule } from './rule.ts';

/** The Provider that VMs come from. While it is not good nothing else can be said of the Plan. */
export const sourceProvider: PlanRule = (inputs) =>
  sourceConditions(
    named(inputs, inputs.plan.spec.provider.source, inputs.source),
    inputs.platform,
    inputs.inventory,
  );

/** The Provider of the cluster that VMs go to. */
export const destinationProvider: PlanRule = (inputs) =>
  destinationConditions(named(inputs, inputs.plan.spec.provider.destination, inputs.destination));

function named(
  { plan }: PlanInputs,
  reference: ObjectReference,
  provider: Stored<Provider> | undefined,
): NamedProvider {
  const { namespace, name } = referred(reference, plan);
  return { by: 'Plan', shown: `${namespace}/${name}`, reference, provider };
}
