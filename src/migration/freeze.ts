import type { NetworkPair } from '../api/network-map.ts';
import type { Plan } from '../api/plan.ts';
import type { PlanVm } from '../api/plan-vm.ts';
import type { StoragePair } from '../api/storage-map.ts';
import type { ImportControl, VirtualMachineImportSpec } from '../api/virtual-machine-import.ts';
import type { Finding, ProviderType, TransferPath } from '../model/source-data.ts';
import type { VmModel } from '../model/vm.ts';
import { freezeDisks, notValid } from './freeze-disks.ts';
import { freezeNics } from './freeze-nics.ts';
import { freezeOptions, freezePlacement, freezePolicies } from './freeze-options.ts';
import { isDnsSubdomain, targetNames } from './names.ts';

interface ProviderRef {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** All that a run of one VM depends on, as it is now. */
export interface FreezeInput {
  readonly plan: Pick<Plan, 'metadata' | 'spec'>;
  readonly planVm: PlanVm;
  /** Before there is one (rules of a plan), any name and uid will do: they go into names and nothing else. */
  readonly migration: { readonly name: string; readonly uid: string };
  readonly model: VmModel;
  readonly source: {
    readonly provider: ProviderRef;
    readonly type: ProviderType;
    /** "provider" unless a host is read directly. */
    readonly endpoint?: string;
    readonly vddkImage?: string;
    /** Does the platform's traffic need guests to be converted? (SourcePlatform.traits.conversion) */
    readonly converts: boolean;
    /** The first of Transfer.paths; left out, vddk where there is an image and else blank. */
    readonly path?: TransferPath;
  };
  readonly target: { readonly provider: ProviderRef };
  readonly networkMap: readonly NetworkPair[];
  readonly storageMap: readonly StoragePair[];
  readonly hooks?: VirtualMachineImportSpec['hooks'];
  /** The transfer network, resolved to the annotation that CDI hands on to its pods. */
  readonly transferNetwork?: { readonly annotation: string; readonly value: string };
  /** Position in plan.spec.vms. */
  readonly order: number;
  readonly remade?: number;
  readonly control?: ImportControl;
  /** Setting powerOffDeadlineSeconds. */
  readonly powerOffSeconds?: number;
}

/** `findings` beside a spec are warnings; without one at least one of them is Critical. */
export type FreezeResult =
  | { readonly spec: VirtualMachineImportSpec; readonly findings: readonly Finding[] }
  | { readonly spec?: undefined; readonly findings: readonly Finding[] };

/**
 * The frozen spec of an import, or why there can be none. Pure and cheap: rules ask it of every VM of a plan, the run of every VM it starts.
 * Codes of findings are Forklift's condition types (forklift-plan.md 5.1).
 */
export function freezeImport(input: FreezeInput): FreezeResult {
  const { disks, findings: diskFindings } = freezeDisks(input);
  const { nics, findings: nicFindings } = freezeNics(input);
  const strategy = strategyOf(input);
  const findings = [...vmFindings(input), ...diskFindings, ...nicFindings];
  if (strategy === undefined) findings.push(liveNotOffered(input));
  if (strategy === undefined || findings.some((finding) => finding.severity === 'Critical'))
    return { findings };
  const spec: VirtualMachineImportSpec = {
    ...identityOf(input),
    strategy,
    model: input.model,
    disks,
    nics,
    options: freezeOptions(input),
    ...(input.source.vddkImage !== undefined && { vddkImage: input.source.vddkImage }),
    hooks: input.hooks ?? [],
    ...(input.transferNetwork !== undefined && { network: input.transferNetwork }),
    placement: freezePlacement(input.plan),
    policies: freezePolicies(input, strategy.type),
    ...(input.control !== undefined && { control: input.control }),
  };
  return { spec, findings };
}

function identityOf(input: FreezeInput): Pick<VirtualMachineImportSpec, 'run' | 'vm' | 'source' | 'target'> {
  const { plan, planVm, model, source, target } = input;
  const namePreferred = chosenName(planVm);
  return {
    run: {
      plan: { name: plan.metadata.name, uid: plan.metadata.uid ?? '' },
      migration: { name: input.migration.name, uid: input.migration.uid },
      order: input.order,
      remade: input.remade ?? 0,
    },
    vm: {
      id: model.id,
      name: model.name,
      ...(planVm.namespace !== undefined && { namespace: planVm.namespace }),
      ...(planVm.type !== undefined && { type: planVm.type }),
    },
    source: { provider: source.provider, type: source.type, endpoint: source.endpoint ?? 'provider' },
    target: {
      provider: target.provider,
      namespace: plan.spec.targetNamespace,
      ...(namePreferred !== undefined && { namePreferred }),
    },
  };
}

function chosenName({ targetName }: PlanVm): string | undefined {
  return targetName === undefined || targetName === '' ? undefined : targetName;
}

/** undefined for a live migration. An older plan says warm by its flag alone. */
function strategyOf({ plan, source }: FreezeInput): VirtualMachineImportSpec['strategy'] | undefined {
  const { type, warm, skipGuestConversion } = plan.spec;
  if (type === 'live') return undefined;
  const path = source.path ?? (source.vddkImage === undefined ? 'blank' : 'vddk');
  const converts = source.converts && !(skipGuestConversion ?? false);
  return {
    type: warm === true && type !== 'conversion' ? 'warm' : (type ?? 'cold'),
    path,
    // Into a blank disk somebody else writes, who then converts it on the way.
    conversion: !converts ? 'none' : path === 'blank' ? 'remote' : 'inPlace',
  };
}

/** What concerns the VM as a whole. */
function vmFindings({ planVm, model, migration }: FreezeInput): Finding[] {
  const findings: Finding[] = [];
  const chosen = chosenName(planVm);
  if (chosen !== undefined && !isDnsSubdomain(chosen)) {
    findings.push(
      notValid(model.name, `targetName "${chosen}" is no name for a VirtualMachine (a DNS-1123 subdomain)`),
    );
  }
  const [preferred] = targetNames({ run: { migration }, vm: model, target: {} });
  if (chosen === undefined && preferred !== model.name) {
    const message = `${model.name} is no name for a VirtualMachine; its target will be called ${preferred}`;
    findings.push({ code: 'TargetNameNotValid', severity: 'Warn', reason: 'NotValid', message });
  }
  // KubeVirt accepts it and refuses to start it, when the source is already off (fact: kubevirt 1.2).
  if (model.memoryBytes <= 0 && (planVm.instanceType ?? '') === '') {
    findings.push(notValid(model.name, `the source reports ${model.memoryBytes} bytes of memory`));
  }
  return findings;
}

function liveNotOffered({ plan }: FreezeInput): Finding {
  return {
    code: 'MigrationTypeNotValid',
    severity: 'Critical',
    reason: 'NotSupported',
    message: `migration type ${plan.spec.type ?? ''} is not offered; use cold or warm`,
  };
}
