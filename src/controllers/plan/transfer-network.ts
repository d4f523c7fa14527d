import { isIP } from 'node:net';
import type { NetworkAttachmentDefinition } from '../../api/external/core.ts';
import type { PlanInputs } from './inputs.ts';
import { referred } from './inputs.ts';

/** The annotation of a NetworkAttachmentDefinition that gives the gateway of the copies; "none" for no default route at all. */
export const routeAnnotation = 'forklift.konveyor.io/route';
const networksAnnotation = 'k8s.v1.cni.cncf.io/networks';
const defaultNetworkAnnotation = 'v1.multus-cni.io/default-network';

export type TransferNetwork =
  | {
      readonly kind: 'found';
      /** What CDI hands on to the pods that copy. */
      readonly resolved: { readonly annotation: string; readonly value: string };
      /** false: nothing says over which gateway, and the network becomes the pods' only one. */
      readonly hasRoute: boolean;
    }
  | { readonly kind: 'refused'; readonly reason: 'NotFound' | 'NotValid'; readonly message: string };

/**
 * The network that copies go over, as pods are told it (fact: other-sources 1.2; review.md F76): with its default route where the network
 * names one, without where it says "none", and by the older annotation where it says nothing. undefined: the Plan asks for none.
 */
export function transferNetwork({
  plan,
  cluster,
}: Pick<PlanInputs, 'plan' | 'cluster'>): TransferNetwork | undefined {
  const reference = plan.spec.transferNetwork;
  if (reference?.name === undefined || reference.name === '') return undefined;
  const { namespace, name } = referred(reference, plan);
  const { targetNamespace } = plan.spec;
  const shown = `Transfer network ${namespace}/${name}`;
  if (namespace !== targetNamespace && namespace !== 'default') {
    const message = `${shown} is out of reach of the pods that copy. Take one in namespace ${targetNamespace} or default.`;
    return { kind: 'refused', reason: 'NotValid', message };
  }
  const network = cluster.networks.get({ namespace, name });
  if (network === undefined) {
    const message = `${shown} was not found in the target cluster. Correct spec.transferNetwork, or create it.`;
    return { kind: 'refused', reason: 'NotFound', message };
  }
  const route = routeOf(network);
  if (route === undefined) {
    const resolved = { annotation: defaultNetworkAnnotation, value: `${namespace}/${name}` };
    return { kind: 'found', resolved, hasRoute: false };
  }
  if (route !== 'none' && isIP(route) === 0) {
    const message = `${shown} has annotation ${routeAnnotation} "${route}", which is no address. Give an IP address, or "none".`;
    return { kind: 'refused', reason: 'NotValid', message };
  }
  const selection = [{ name, namespace, ...(route !== 'none' && { 'default-route': [route] }) }];
  const resolved = { annotation: networksAnnotation, value: JSON.stringify(selection) };
  return { kind: 'found', resolved, hasRoute: true };
}

function routeOf(network: NetworkAttachmentDefinition): string | undefined {
  const told = network.metadata.annotations?.[routeAnnotation]?.trim();
  return told !== undefined && told !== '' ? told : gatewayOf(network.spec?.config);
}

/** A default route in the network's own address management. */
function gatewayOf(config: string | undefined): string | undefined {
  if (config === undefined || config === '') return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(config);
  } catch {
    return undefined;
  }
  const routes = member(member(parsed, 'ipam'), 'routes');
  if (!Array.isArray(routes)) return undefined;
  const gateways = routes
    .filter((route) => ['0.0.0.0/0', '::/0'].includes(String(member(route, 'dst'))))
    .map((route) => member(route, 'gw'));
  return gateways.find((gateway): gateway is string => typeof gateway === 'string' && isIP(gateway) !== 0);
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}
