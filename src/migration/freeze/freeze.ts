import type { PlanVm } from '../../api/plan-vm.ts';
import type { FrozenDisk, VirtualMachineImportSpec } from '../../api/virtual-machine-import.ts';
import type { Finding } from '../../model/source-data.ts';
import { isDnsSubdomain, targetNames } from '../names.ts';
import { freezeConversion } from './conversion.ts';
import { freezeDisks, notValid } from './disks.ts';
import type { FreezeInput } from './input.ts';
import { freezeNics } from './nics.ts';
import { freezeOptions, freezePolicies } from './options.ts';
import { freezePlacement, placementProblems } from './placement.ts';

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
  const strategy = strategyOf(input, disks);
  const findings = [...vmFindings(input), ...diskFindings, ...nicFindings];
  if (strategy === undefined) findings.push(liveNotOffered(input));
  if (strategy === undefined || findings.some((finding) => finding.severity === 'Critical'))
    return { findings };
  const conversion = strategy.conversion === 'inPlace' ? freezeConversion(input) : undefined;
  const spec: VirtualMachineImportSpec = {
    ...identityOf(input),
    strategy,
    model: input.model,
    disks,
    nics,
    options: freezeOptions(input),
    ...(input.source.vddkImage !== undefined && { vddkImage: input.source.vddkImage }),
    ...(conversion !== undefined && { conversion }),
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
function strategyOf(
  { plan, source }: FreezeInput,
  disks: readonly FrozenDisk[],
): VirtualMachineImportSpec['strategy'] | undefined {
  const { type, warm, skipGuestConversion } = plan.spec;
  if (type === 'live') return undefined;
  const path = source.path ?? (source.vddkImage === undefined ? 'blank' : 'vddk');
  // Without a disk there is no guest.
  const hasGuest = disks.some(({ mode }) => mode === 'copy');
  const converts = source.converts && hasGuest && !(skipGuestConversion ?? false);
  return {
    type: warm === true && type !== 'conversion' ? 'warm' : (type ?? 'cold'),
    path,
    // Into a blank disk somebody else writes, who then converts it on the way.
    conversion: !converts ? 'none' : path === 'blank' ? 'remote' : 'inPlace',
  };
}

/** What concerns the VM as a whole. */
function vmFindings({ plan, planVm, model, migration }: FreezeInput): Finding[] {
  const findings: Finding[] = placementProblems(plan).map((problem) => notValid(model.name, problem));
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
