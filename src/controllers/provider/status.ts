import { fromFinding, isBlocker, type ConditionDraft } from '../../api/conditions.ts';
import type { ProviderPhase, ProviderSpec } from '../../api/provider.ts';
import type { InventoryState } from '../../inventory/store.ts';
import type { Finding, SourceFault } from '../../model/source-data.ts';
import type { SessionState } from './session.ts';

/** Everything that the status of a Provider is made from. */
export interface ProviderFacts {
  readonly spec: ProviderSpec;
  /** undefined: no platform serves this type. */
  readonly checks: readonly Finding[] | undefined;
  readonly secret: 'none needed' | 'not set' | 'not found' | 'loading' | 'present';
  readonly session: SessionState | undefined;
  readonly inventory: InventoryState | undefined;
}

export interface ProviderVerdict {
  readonly phase: ProviderPhase;
  readonly conditions: readonly ConditionDraft[];
}

/** Conditions and phase of a Provider, in the order and with the words of forklift-api.md 2.3. Pure. */
export function judgeProvider(facts: ProviderFacts): ProviderVerdict {
  const validation = validate(facts);
  if (validation.some((condition) => isBlocker({ status: 'True', category: condition.category }))) {
    return { phase: 'ValidationFailed', conditions: validation };
  }
  if (isHost(facts.spec)) return ready([...validation, connected, validated, inventoryCreated]);
  const session = facts.session ?? { kind: 'connecting' };
  switch (session.kind) {
    case 'connecting':
      return { phase: 'Staging', conditions: [...validation, validated] };
    case 'failed':
      return lost(session.fault, [...validation, validated], facts);
    case 'connected': {
      const found = [...validation, validated, ...session.probe.findings.map(fromFinding)];
      // Logged in once, and nobody answers now: what is shown of the source is what it was.
      if (facts.inventory?.kind === 'stale') return lost(facts.inventory.fault, found, facts);
      if (facts.inventory?.kind !== 'fresh') {
        return { phase: 'Staging', conditions: [...found, connected, loadInventory] };
      }
      return ready([...found, connected, inventoryCreated]);
    }
  }
}

/** The cluster that Gantry itself runs in. */
export function isHost(spec: ProviderSpec): boolean {
  return spec.type === 'openshift' && (spec.url ?? '') === '';
}

function validate({ spec, checks, secret }: ProviderFacts): readonly ConditionDraft[] {
  if (isHost(spec)) return [];
  if (spec.type === 'openshift') {
    return [
      critical(
        'ProviderTypeNotSupported',
        'NotSupported',
        'Other clusters are not served yet; leave the URL empty for the cluster that Gantry runs in.',
      ),
    ];
  }
  if (checks === undefined) {
    return [
      critical(
        'ProviderTypeNotSupported',
        'NotSupported',
        `Providers of type "${spec.type}" are not served yet.`,
      ),
    ];
  }
  const ofSecret = secretCondition(secret, spec);
  return [...(ofSecret === undefined ? [] : [ofSecret]), ...checks.map(fromFinding)];
}

function secretCondition(secret: ProviderFacts['secret'], spec: ProviderSpec): ConditionDraft | undefined {
  const name = `${spec.secret.namespace ?? ''}/${spec.secret.name ?? ''}`;
  switch (secret) {
    case 'not set':
      return critical('SecretNotValid', 'NotSet', 'The Provider names no Secret. Set spec.secret.');
    case 'not found':
      return critical(
        'SecretNotValid',
        'NotFound',
        `Secret ${name} was not found. Create it with the keys user and password.`,
      );
    default:
      return undefined;
  }
}

/** What was loaded before is still served, so the inventory stays "created" for those who show it. */
function lost(
  fault: SourceFault,
  others: readonly ConditionDraft[],
  { inventory }: ProviderFacts,
): ProviderVerdict {
  const wasLoaded = inventory?.kind === 'fresh' || inventory?.kind === 'stale';
  return {
    phase: 'ConnectionFailed',
    conditions: [...others, connectionFailed(fault), ...(wasLoaded ? [inventoryCreated] : [])],
  };
}

function connectionFailed(fault: SourceFault): ConditionDraft {
  const isAuth = fault.code === 'InvalidLogin' || fault.kind === 'denied';
  const type = isAuth ? 'ConnectionAuthFailed' : 'ConnectionTestFailed';
  return critical(type, fault.code, fault.message);
}

function ready(conditions: readonly ConditionDraft[]): ProviderVerdict {
  const isReady: ConditionDraft = { type: 'Ready', category: 'Required', message: 'The provider is ready.' };
  return { phase: 'Ready', conditions: [...conditions, isReady] };
}

const connected: ConditionDraft = {
  type: 'ConnectionTestSucceeded',
  category: 'Required',
  reason: 'Tested',
  message: 'Connection test, succeeded.',
};
const validated: ConditionDraft = {
  type: 'Validated',
  category: 'Advisory',
  reason: 'Completed',
  message: 'Validation has been completed.',
};
const inventoryCreated: ConditionDraft = {
  type: 'InventoryCreated',
  category: 'Required',
  reason: 'Completed',
  message: 'The inventory has been loaded.',
};
const loadInventory: ConditionDraft = {
  type: 'LoadInventory',
  category: 'Advisory',
  reason: 'Started',
  message: 'Loading the inventory.',
};

function critical(type: string, reason: string, message: string): ConditionDraft {
  return { type, category: 'Critical', reason, message };
}
