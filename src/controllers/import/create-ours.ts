import type { KubeObject, ResourceKind, Stored } from '../../api/meta.ts';
import type { VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { TargetCluster } from '../target-cluster.ts';
import { isOurs } from './volume-facts.ts';

/**
 * Create-if-absent: a name that is taken is fine when the object carries our label, and a refusal (KubeError AlreadyExists) when it does
 * not.
 */
export async function createOurs<T extends KubeObject>(
  kind: ResourceKind<T>,
  wanted: T,
  object: Stored<VirtualMachineImport>,
  { client }: Pick<TargetCluster, 'client'>,
  signal: AbortSignal,
): Promise<Stored<T>> {
  try {
    return await client.create(kind, wanted, {}, signal);
  } catch (error) {
    if (!isKubeError(error, 'AlreadyExists')) throw error;
    const { name, namespace } = wanted.metadata;
    const found = await client.get(kind, { name, ...(namespace !== undefined && { namespace }) }, signal);
    if (found === undefined || !isOurs(object.metadata.uid, found)) throw error;
    return found;
  }
}
