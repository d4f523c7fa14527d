import { isDnsLabel } from '../../../migration/names.ts';
import { routeAnnotation, transferNetwork as resolve } from '../transfer-network.ts';
import { critical, warn, type PlanRule } from './rule.ts';

export const targetNamespace: PlanRule = ({ plan }) => {
  const { targetNamespace: name } = plan.spec;
  const type = 'NamespaceNotValid';
  if (name === '')
    return [critical(type, 'NotSet', 'The Plan names no target namespace. Set spec.targetNamespace.')];
  if (isDnsLabel(name)) return [];
  const message = `"${name}" is no name of a namespace. Set spec.targetNamespace to lower-case letters, digits and dashes, at most 63.`;
  return [critical(type, 'NotValid', message)];
};

export const transferNetwork: PlanRule = (inputs) => {
  const network = resolve(inputs);
  if (network === undefined) return [];
  if (network.kind === 'refused')
    return [critical('TransferNetworkNotValid', network.reason, network.message)];
  if (network.hasRoute) return [];
  const message =
    `The transfer network names no default route, so it becomes the only network of the pods that copy. ` +
    `Set its annotation ${routeAnnotation} to the gateway, or to "none".`;
  return [warn('TransferNetworkMissingDefaultRoute', 'NotValid', message)];
};
