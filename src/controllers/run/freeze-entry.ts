import type { Stored } from '../../api/meta.ts';
import type { Migration } from '../../api/migration.ts';
import type { Plan } from '../../api/plan.ts';
import type { VmStatus } from '../../api/vm-status.ts';
import type { VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import { buildImport } from '../../migration/freeze/build-import.ts';
import { freezeImport } from '../../migration/freeze/freeze.ts';
import { importName } from '../../migration/names.ts';
import { conversionImageMissing } from '../plan/rules/plan-type.ts';
import { freezeInput } from '../plan/freeze-input.ts';
import type { PlanInputs } from '../plan/inputs.ts';

/** The import of one VM of a run that begins, or why there can be none any more. */
export function freezeEntry(given: {
  readonly plan: Stored<Plan>;
  readonly migration: Stored<Migration>;
  readonly inputs: PlanInputs;
  readonly vm: VmStatus;
  readonly remadeOf: (importName: string) => number;
}): { readonly object: VirtualMachineImport } | { readonly reason: string } {
  const { plan, migration, inputs, vm } = given;
  const item = inputs.inventory?.vm(vm.id ?? '');
  if (item === undefined) return { reason: `VM ${vm.name ?? vm.id ?? ''} is not at its source any more.` };
  const order = plan.spec.vms.findIndex(
    (planVm) => planVm.id === vm.id || (planVm.id === undefined && planVm.name === vm.name),
  );
  const planVm = plan.spec.vms[order];
  if (planVm === undefined)
    return { reason: `VM ${vm.name ?? vm.id ?? ''} was taken out of the Plan before it began.` };
  const input = freezeInput(
    inputs,
    planVm,
    item.model,
    { name: migration.metadata.name, uid: migration.metadata.uid },
    order,
  );
  if (input === undefined) return { reason: 'A Provider or a map of the Plan is gone.' };
  const name = importName(plan.metadata.name, item.model.name, migration.metadata.uid, item.model.id);
  const { spec, findings } = freezeImport({ ...input, remade: Math.min(3, given.remadeOf(name)) });
  if (spec === undefined) return { reason: findings.map((finding) => finding.message).join(' ') };
  if (spec.strategy.conversion === 'inPlace' && spec.conversion === undefined)
    return { reason: conversionImageMissing };
  return { object: buildImport(spec, migration.metadata.namespace ?? '') };
}
