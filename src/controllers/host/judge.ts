import { isIP } from 'node:net';
import { isTrue, type ConditionDraft } from '../../api/conditions.ts';
import type { HostSpec } from '../../api/host.ts';
import type { Provider } from '../../api/provider.ts';
import type { InventoryStore } from '../../inventory/store.ts';
import { matchingEntries } from '../../migration/freeze/mapping.ts';
import type { SourcePlatform } from '../../sources/source.ts';
import { namedThings } from '../maps/judge.ts';

/** What a Host is judged by. */
export interface HostFacts {
  readonly spec: HostSpec;
  /** "namespace/name" of the Provider, the namespace filled in. */
  readonly providerShown: string;
  readonly provider: Provider | undefined;
  readonly platform: SourcePlatform | undefined;
  readonly inventory: InventoryStore | undefined;
}

export const notUsedType = 'HostNotUsed';

/**
 * Conditions of a Host (forklift-api.md 1.4). It is never Ready: that would say that disks are read from it, and they are read through
 * its Provider. Its credentials are therefore neither read nor tried. Pure.
 */
export function judgeHost(facts: HostFacts): readonly ConditionDraft[] {
  const found = rules.flatMap((rule) => rule(facts));
  return found.length > 0 ? [...found, notUsed] : [validated, notUsed];
}

type Rule = (facts: HostFacts) => readonly ConditionDraft[];

const provider: Rule = ({ spec, provider: named, providerShown, platform }) => {
  if (!isGiven(spec.provider.name))
    return [critical('ProviderNotValid', 'NotSet', 'The Host names no Provider. Set spec.provider.')];
  if (named === undefined) {
    const message = `Provider ${providerShown} was not found. Correct spec.provider, or create it.`;
    return [critical('ProviderNotValid', 'NotFound', message)];
  }
  if (platform?.traits.hosts !== true) {
    const message = `Provider ${providerShown} of type "${named.spec.type}" has no hosts that disks are read from. Choose another, or delete this Host.`;
    return [critical('TypeNotValid', 'NotSupported', message)];
  }
  if (isTrue(named.status?.conditions, 'Ready')) return [];
  const message = `Provider ${providerShown} is not Ready; its conditions say why.`;
  return [critical('ProviderNotReady', undefined, message)];
};

const reference: Rule = ({ spec, platform, inventory }) => {
  const { id, name } = spec;
  const type = 'RefNotValid';
  if (!isGiven(id) && !isGiven(name))
    return [critical(type, 'NotSet', 'The Host is named by neither id nor name. Set spec.id.')];
  if (inventory === undefined || inventory.state.kind === 'loading' || platform?.named.host === undefined)
    return [];
  const source = { ...(id !== undefined && { id }), ...(name !== undefined && { name }) };
  const matching = namedThings(inventory, platform.named.host).filter(
    ({ ref }) => matchingEntries([{ source }], ref).length > 0,
  );
  if (matching.length === 1) return [];
  return matching.length === 0
    ? [critical(type, 'NotFound', 'The Provider has no such host. Correct spec.id or spec.name.')]
    : [critical(type, 'Ambiguous', 'Several hosts of the Provider bear this name. Set spec.id.')];
};

const address: Rule = ({ spec }) => {
  if (!isGiven(spec.ipAddress))
    return [critical('IpNotValid', 'NotSet', 'The Host has no address. Set spec.ipAddress.')];
  if (isIP(spec.ipAddress) !== 0) return [];
  return [
    critical('IpNotValid', 'NotValid', `"${spec.ipAddress}" is no IP address. Correct spec.ipAddress.`),
  ];
};

const secret: Rule = ({ spec }) =>
  isGiven(spec.secret.name)
    ? []
    : [critical('SecretNotValid', 'NotSet', 'The Host names no Secret. Set spec.secret.')];

const rules: readonly Rule[] = [provider, reference, address, secret];

const validated: ConditionDraft = {
  type: 'Validated',
  category: 'Advisory',
  reason: 'Completed',
  message: 'Validation has been completed.',
};
const notUsed: ConditionDraft = {
  type: notUsedType,
  category: 'Warn',
  reason: 'NotSupported',
  message:
    'Disks are not read from single hosts yet: they are read through the Provider, over the network it has. This Host has no effect.',
};

function critical(type: string, reason: string | undefined, message: string): ConditionDraft {
  return { type, category: 'Critical', ...(reason !== undefined && { reason }), message };
}

function isGiven(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}
