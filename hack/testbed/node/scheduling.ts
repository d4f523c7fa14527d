import type { PersistentVolumeClaim, StorageClass } from '../../../src/api/external/core.ts';
import type { Stored } from '../../../src/api/meta.ts';
import {
  findClass,
  isBound,
  selectedNodeAnnotation,
  waitsForConsumer,
} from '../../../src/sandbox/storage/binding.ts';
import type { ClusterNode, NodePod } from './node-pod.ts';

/** `select`: the claims that wait for a node are given this one, and the pod is looked at again when they are bound. */
export type Placement =
  | { readonly act: 'none' }
  | { readonly act: 'bind' }
  | { readonly act: 'select'; readonly claims: readonly Stored<PersistentVolumeClaim>[] }
  | { readonly act: 'wait' }
  | { readonly act: 'refuse'; readonly message: string };

/**
 * What a scheduler does with a pod when there is one node. Nothing is counted: neither processor nor memory ever runs out.
 * Fact: Kubernetes 1.36 (texts of NodeAffinity and VolumeBinding); cdi 5.6.
 */
export function decidePlacement(
  pod: NodePod,
  node: Pick<ClusterNode, 'metadata'>,
  claimOf: (name: string) => Stored<PersistentVolumeClaim> | undefined,
  classes: readonly StorageClass[],
): Placement {
  const { nodeName, schedulerName, schedulingGates = [], nodeSelector = {}, volumes = [] } = pod.spec;
  const isOurs = schedulerName === undefined || schedulerName === 'default-scheduler';
  if ((nodeName ?? '') !== '' || !isOurs || schedulingGates.length > 0) return { act: 'none' };
  const labels = node.metadata.labels ?? {};
  if (Object.entries(nodeSelector).some(([key, value]) => labels[key] !== value)) {
    const why = "1 node(s) didn't match Pod's node affinity/selector";
    return { act: 'refuse', message: `0/1 nodes are available: ${why}.` };
  }
  const waiting: Stored<PersistentVolumeClaim>[] = [];
  let isSelected = false;
  for (const { persistentVolumeClaim } of volumes) {
    if (persistentVolumeClaim === undefined) continue;
    const { claimName } = persistentVolumeClaim;
    const claim = claimOf(claimName);
    if (claim === undefined) {
      const why = `persistentvolumeclaim "${claimName}" not found`;
      return { act: 'refuse', message: `0/1 nodes are available: ${why}.` };
    }
    if (isBound(claim)) continue;
    if (!waitsForConsumer(findClass(claim.spec.storageClassName, classes))) {
      const why = 'pod has unbound immediate PersistentVolumeClaims';
      return { act: 'refuse', message: `0/1 nodes are available: ${why}.` };
    }
    if (claim.metadata.annotations?.[selectedNodeAnnotation] === undefined) waiting.push(claim);
    else isSelected = true;
  }
  if (waiting.length > 0) return { act: 'select', claims: waiting };
  return isSelected ? { act: 'wait' } : { act: 'bind' };
}
