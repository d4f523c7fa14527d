import { isTrue, type ConditionDraft } from '../api/conditions.ts';
import type { ObjectReference, Stored } from '../api/meta.ts';
import type { Provider } from '../api/provider.ts';
import type { InventoryStore } from '../inventory/store.ts';
import type { SourcePlatform } from '../sources/source.ts';
import { isHost } from './provider/status.ts';

/** A Provider that some object names, and how it names it. */
export interface NamedProvider {
  /** What the object is called in what is said to its user: "Plan", "NetworkMap". */
  readonly by: string;
  /** "namespace/name", the namespace filled in. */
  readonly shown: string;
  readonly reference: ObjectReference;
  /** undefined: there is none of that name. */
  readonly provider: Stored<Provider> | undefined;
}

/** Why nothing can be said of the source that an object names; [] when its inventory may be looked into. */
export function sourceConditions(
  named: NamedProvider,
  platform: SourcePlatform | undefined,
  inventory: InventoryStore | undefined,
): readonly ConditionDraft[] {
  const { provider, shown, by } = named;
  const type = 'SourceProviderNotValid';
  if (provider === undefined) return [missing(type, 'source', named)];
  if (platform === undefined) {
    const message = `VMs cannot be taken from Provider ${shown} of type "${provider.spec.type}" yet. Choose another source.`;
    return [critical(type, 'TypeNotValid', message)];
  }
  if (!isTrue(provider.status?.conditions, 'Ready')) {
    const message = `Provider ${shown} is not Ready; its conditions say why. The ${by} is judged as soon as it is.`;
    return [critical('SourceProviderNotReady', undefined, message)];
  }
  if (inventory === undefined || inventory.state.kind === 'loading') {
    const message = `The inventory of Provider ${shown} is being loaded. Wait; the ${by} is judged when it is complete.`;
    return [critical('SourceProviderNotReady', 'InventoryLoading', message)];
  }
  return [];
}

/** Why VMs cannot go to the Provider that an object names. */
export function destinationConditions(named: NamedProvider): readonly ConditionDraft[] {
  const { provider, shown } = named;
  const type = 'DestinationProviderNotValid';
  if (provider === undefined) return [missing(type, 'destination', named)];
  if (provider.spec.type !== 'openshift') {
    const message = `VMs cannot go to Provider ${shown} of type "${provider.spec.type}". Choose one of type openshift.`;
    return [critical(type, 'TypeNotValid', message)];
  }
  if (!isHost(provider.spec)) {
    const message =
      'VMs cannot go to another cluster yet. Choose the Provider of this cluster: type openshift, without a URL.';
    return [critical(type, 'NotSupported', message)];
  }
  if (!isTrue(provider.status?.conditions, 'Ready')) {
    const message = `Provider ${shown} is not Ready; its conditions say why.`;
    return [critical('DestinationProviderNotReady', undefined, message)];
  }
  return [];
}

function missing(type: string, role: string, { reference, shown, by }: NamedProvider): ConditionDraft {
  const field = `spec.provider.${role}`;
  if ((reference.name ?? '') === '')
    return critical(type, 'NotSet', `The ${by} names no ${role} Provider. Set ${field}.`);
  const message = `Provider ${shown} was not found. Correct ${field}, or create it.`;
  return critical(type, 'NotFound', message);
}

function critical(type: string, reason: string | undefined, message: string): ConditionDraft {
  return { type, category: 'Critical', ...(reason !== undefined && { reason }), message };
}
