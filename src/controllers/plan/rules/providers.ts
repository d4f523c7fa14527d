import { isTrue, type ConditionDraft } from '../../../api/conditions.ts';
import type { ObjectReference } from '../../../api/meta.ts';
import { isHost } from '../../provider/status.ts';
import { referred, type PlanInputs } from '../inputs.ts';
import { critical, type PlanRule } from './rule.ts';

/** The Provider that VMs come from. While it is not good nothing else can be said of the Plan. */
export const sourceProvider: PlanRule = (inputs) => {
  const { plan, source, platform, inventory } = inputs;
  const reference = plan.spec.provider.source;
  const type = 'SourceProviderNotValid';
  if (source === undefined) return [missing(type, 'source', reference, inputs)];
  const shown = shownName(reference, inputs);
  if (platform === undefined) {
    const message = `VMs cannot be taken from Provider ${shown} of type "${source.spec.type}" yet. Choose another source.`;
    return [critical(type, 'TypeNotValid', message)];
  }
  if (!isTrue(source.status?.conditions, 'Ready')) {
    const message = `Provider ${shown} is not Ready; its conditions say why. The Plan is judged as soon as it is.`;
    return [critical('SourceProviderNotReady', undefined, message)];
  }
  if (inventory === undefined || inventory.state.kind === 'loading') {
    const message = `The inventory of Provider ${shown} is being loaded. Wait; the Plan is judged when it is complete.`;
    return [critical('SourceProviderNotReady', 'InventoryLoading', message)];
  }
  return [];
};

/** The Provider of the cluster that VMs go to. */
export const destinationProvider: PlanRule = (inputs) => {
  const { plan, destination } = inputs;
  const reference = plan.spec.provider.destination;
  const type = 'DestinationProviderNotValid';
  if (destination === undefined) return [missing(type, 'destination', reference, inputs)];
  const shown = shownName(reference, inputs);
  if (destination.spec.type !== 'openshift') {
    const message = `VMs cannot go to Provider ${shown} of type "${destination.spec.type}". Choose one of type openshift.`;
    return [critical(type, 'TypeNotValid', message)];
  }
  if (!isHost(destination.spec)) {
    const message = `VMs cannot go to another cluster yet. Choose the Provider of this cluster: type openshift, without a URL.`;
    return [critical(type, 'NotSupported', message)];
  }
  if (!isTrue(destination.status?.conditions, 'Ready')) {
    const message = `Provider ${shown} is not Ready; its conditions say why.`;
    return [critical('DestinationProviderNotReady', undefined, message)];
  }
  return [];
};

function missing(
  type: string,
  role: 'source' | 'destination',
  reference: ObjectReference,
  inputs: PlanInputs,
): ConditionDraft {
  const field = `spec.provider.${role}`;
  if ((reference.name ?? '') === '')
    return critical(type, 'NotSet', `The Plan names no Provider. Set ${field}.`);
  const message = `Provider ${shownName(reference, inputs)} was not found. Correct ${field}, or create it.`;
  return critical(type, 'NotFound', message);
}

function shownName(reference: ObjectReference, { plan }: PlanInputs): string {
  const { namespace, name } = referred(reference, plan);
  return `${namespace}/${name}`;
}
