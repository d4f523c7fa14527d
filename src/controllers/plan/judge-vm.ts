import type { Plan } from '../../api/plan.ts';
import type { PlanVm } from '../../api/plan-vm.ts';
import { isTrue } from '../../api/conditions.ts';
import type { KubeObject, Stored } from '../../api/meta.ts';
import type { InventoryVm } from '../../inventory/store.ts';
import { freezeImport, type FreezeResult } from '../../migration/freeze/freeze.ts';
import { targetNames } from '../../migration/names.ts';
import type { Finding } from '../../model/source-data.ts';
import { claimBytes } from '../../target/data-volume.ts';
import { freezeInput } from './freeze-input.ts';
import { resolveVm, type PlanInputs } from './inputs.ts';
import { isGiven, vmLabel, type JudgedVm, type TargetName } from './rules/rule.ts';
import { vmAmbiguous, vmNotFound, vmRefNotSet, vmRules } from './rules/vms.ts';

/** What was found of a VM, and from what: as long as that is the same, so is the finding (review.md F56). */
export interface RememberedVm {
  readonly basis: string;
  readonly transfer: PlanInputs['transfer'];
  readonly model: InventoryVm['model'];
  readonly raw: InventoryVm['raw'];
  readonly judged: JudgedVm;
}
/** Belongs to one Plan and to whoever evaluates it; starts empty, may be thrown away at any time. */
export type PlanMemo = Map<string, RememberedVm>;

/** Before there is a run, names are made as for one that will not be. */
const noMigration = { name: 'preview', uid: 'preview' };

/** Every VM of the Plan that has still to be moved, judged by its own rules. */
export function judgeVms(inputs: PlanInputs, memo: PlanMemo): readonly JudgedVm[] {
  const { vms } = inputs.plan.spec;
  const basis = basisOf(inputs);
  const isDone = succeeded(inputs.plan);
  for (const key of [...memo.keys()]) if (Number(key) >= vms.length) memo.delete(key);
  return vms.flatMap((planVm, order) => (isDone(planVm) ? [] : [judge(inputs, planVm, order, basis, memo)]));
}

function judge(inputs: PlanInputs, planVm: PlanVm, order: number, basis: string, memo: PlanMemo): JudgedVm {
  if (!isGiven(planVm.id) && !isGiven(planVm.name)) return unresolved(planVm, vmRefNotSet());
  const found = resolveVm(inputs, planVm);
  if (found.kind === 'none') return unresolved(planVm, vmNotFound());
  if (found.kind === 'many')
    return unresolved(planVm, vmAmbiguous(found.vms.map(({ id, model }) => `id:${id} ${model.path}`)));
  const { vm } = found;
  const { transfer } = inputs;
  const key = String(order);
  const known = memo.get(key);
  // The inventory keeps model and raw object as they are until something about the VM changes.
  if (
    known?.basis === basis &&
    known.transfer === transfer &&
    known.model === vm.model &&
    known.raw === vm.raw
  ) {
    return known.judged;
  }
  const judged = judgeFound(inputs, planVm, vm, order);
  memo.set(key, { basis, transfer, model: vm.model, raw: vm.raw, judged });
  return judged;
}

function unresolved(planVm: PlanVm, finding: Finding): JudgedVm {
  return { label: vmLabel(planVm), findings: [finding], claims: [], networks: [], macs: [] };
}

function judgeFound(inputs: PlanInputs, planVm: PlanVm, vm: InventoryVm, order: number): JudgedVm {
  const input = freezeInput(inputs, planVm, vm.model, noMigration, order);
  const frozen = input === undefined ? undefined : freezeImport(input);
  const subject = { inputs, planVm, vm, frozen };
  return {
    label: vmLabel(vm.model),
    id: vm.id,
    findings: vmRules.flatMap((rule) => rule(subject)).map((finding) => aboutVm(finding, vm.model.name)),
    target: targetName(planVm, vm),
    ...demandsOf(frozen),
  };
}

/** The condition lists VMs by itself, so their names need not stand in what is said of them. */
function aboutVm(finding: Finding, vmName: string): Finding {
  const prefix = [`${vmName}: `, `${vmName} `].find((start) => finding.message.startsWith(start));
  return prefix === undefined ? finding : { ...finding, message: finding.message.slice(prefix.length) };
}

function targetName({ targetName: chosen }: PlanVm, { model }: InventoryVm): TargetName {
  const target = isGiven(chosen) ? { namePreferred: chosen } : {};
  const [name] = targetNames({ run: { migration: noMigration }, vm: model, target });
  return { name, isKept: isGiven(chosen) || name === model.name };
}

function demandsOf(frozen: FreezeResult | undefined): Pick<JudgedVm, 'claims' | 'networks' | 'macs'> {
  const disks = (frozen?.spec?.disks ?? []).filter((disk) => disk.mode === 'copy');
  const nics = (frozen?.spec?.nics ?? []).filter((nic) => nic.action !== 'ignored');
  return {
    claims: disks.map((disk) => ({
      class: disk.class,
      bytes: claimBytes(disk),
      ...(disk.accessMode !== undefined && { accessMode: disk.accessMode }),
      ...(disk.volumeMode !== undefined && { volumeMode: disk.volumeMode }),
    })),
    networks: nics.flatMap(({ nad }) => (nad === undefined ? [] : [nad])),
    macs: nics.flatMap(({ mac }) => (mac === undefined ? [] : [mac.toLowerCase()])),
  };
}

/** Everything that findings depend on beside the VM itself. */
function basisOf({ plan, source, destination, networkMap, storageMap }: PlanInputs): string {
  return JSON.stringify([plan, source, destination, networkMap, storageMap].map(versionOf));
}

/** Of the spec: a status that is written every few seconds makes nothing new. */
function versionOf(object: Stored<KubeObject> | undefined): readonly unknown[] | null {
  if (object === undefined) return null;
  const { uid, generation, resourceVersion } = object.metadata;
  return [uid, generation ?? resourceVersion];
}

/** VMs that an earlier run has moved: no run touches them again, so nothing is asked of them (fact: plan 1.6). */
function succeeded(plan: Plan): (planVm: PlanVm) => boolean {
  const done = (plan.status?.migration?.vms ?? []).filter((vm) => isTrue(vm.conditions, 'Succeeded'));
  const ids = new Set(done.map(({ id }) => id));
  const names = new Set(done.map(({ name }) => name));
  return ({ id, name }) => (isGiven(id) ? ids.has(id) : isGiven(name) && names.has(name));
}
