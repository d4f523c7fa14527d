import { forkliftGroup, gantryGroup } from '../../api/kinds.ts';
import { labelValue } from '../../api/label-value.ts';
import {
  identityLabel,
  importFinalizer,
  migrationLabel,
  planLabel,
  planNameLabel,
  projectedFinalizer,
  vmIdLabel,
} from '../../api/labels.ts';
import type { VirtualMachineImport, VirtualMachineImportSpec } from '../../api/virtual-machine-import.ts';
import { shortHash } from '../../model/short-hash.ts';
import { importName } from '../names.ts';

/**
 * The import of a frozen spec, ready to be created. Both finalizers are on it from the beginning: nothing it makes can ever outlive it,
 * and no second write is needed for that.
 *
 * @param namespace of the plan and its migration, which owns the import.
 */
export function buildImport(spec: VirtualMachineImportSpec, namespace: string): VirtualMachineImport {
  const { plan, migration } = spec.run;
  return {
    apiVersion: `${gantryGroup}/v1alpha1`,
    kind: 'VirtualMachineImport',
    metadata: {
      name: importName(plan.name, spec.vm.name, migration.uid, spec.vm.id),
      namespace,
      labels: {
        [planLabel]: labelValue(plan.uid),
        [migrationLabel]: labelValue(migration.uid),
        [vmIdLabel]: labelValue(spec.vm.id),
        [planNameLabel]: labelValue(plan.name),
        [identityLabel]: identityHash(spec.model.identity),
      },
      ownerReferences: [
        {
          apiVersion: `${forkliftGroup}/v1beta1`,
          kind: 'Migration',
          name: migration.name,
          uid: migration.uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
      finalizers: [importFinalizer, projectedFinalizer],
    },
    spec,
  };
}

/** Value of the label gantry.dev/identity: equal for one VM seen through two Providers. */
export function identityHash(identity: string): string {
  return shortHash([identity], 16);
}
