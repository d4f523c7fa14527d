import type { Stored } from '../../api/meta.ts';
import type { VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import { ObjectCache } from '../../kube/cache.ts';
import type { Logger } from '../../runtime/log.ts';
import { planVmIndex, planVmOf } from './prior-imports.ts';

/** Ways to find imports: by their own UID, by Migration UID, by plan ("namespace/name"), by plan UID and VM, by source Provider UID. */
export type ImportIndex = 'uid' | 'migration' | 'plan' | typeof planVmIndex | 'provider';

export type ImportCache = ObjectCache<VirtualMachineImport, ImportIndex>;

export function importCache(logger: Logger): ImportCache {
  return new ObjectCache<VirtualMachineImport, ImportIndex>({
    logger,
    indexes: {
      uid: (object: Stored<VirtualMachineImport>) => [object.metadata.uid],
      migration: (object) => [object.spec.run.migration.uid],
      plan: (object) => [`${object.metadata.namespace ?? ''}/${object.spec.run.plan.name}`],
      [planVmIndex]: planVmOf,
      provider: (object) => [object.spec.source.provider.uid],
    },
  });
}
