import { virtualMachines } from '../../api/kinds.ts';
import type { Stored } from '../../api/meta.ts';
import type { LedgerEntry, VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import type { ObjectCache } from '../../kube/cache.ts';
import type { PriorImport } from '../../migration/facts.ts';
import type { TargetCluster } from '../target-cluster.ts';

/** Index of the imports' cache: "<plan uid>/<vm id>". */
export const planVmIndex = 'planVm';

export function planVmOf(object: VirtualMachineImport): readonly string[] {
  return [`${object.spec.run.plan.uid}/${object.spec.vm.id}`];
}

/** Earlier imports of the same plan and VM, and what they still stand in the way with (review.md F24). */
export interface PriorImports {
  of(object: Stored<VirtualMachineImport>, signal: AbortSignal): Promise<readonly PriorImport[]>;
}

export function priorImports(
  imports: ObjectCache<VirtualMachineImport, typeof planVmIndex>,
  cluster: TargetCluster,
): PriorImports {
  return {
    async of(object, signal) {
      const known = planVmOf(object).flatMap((value) => imports.byIndex(planVmIndex, value));
      const others = known.filter((other) => other.metadata.uid !== object.metadata.uid);
      return Promise.all(others.map((other) => priorImport(other, cluster, signal)));
    },
  };
}

async function priorImport(
  other: Stored<VirtualMachineImport>,
  cluster: TargetCluster,
  signal: AbortSignal,
): Promise<PriorImport> {
  const owed = (other.status?.ledger ?? []).filter((entry) => entry.doneAt === undefined);
  const owes = owed.map(inWords);
  const isRunning = other.status?.outcome === undefined;
  const target = await standingTarget(other, cluster, signal);
  return {
    name: other.metadata.name,
    uid: other.metadata.uid,
    owes: owes.length === 0 && isRunning ? ['it has not ended yet'] : owes,
    owesOnlyAtTarget: !isRunning && owed.every((entry) => entry.kind === 'TargetObjects'),
    ...(target !== undefined && { committedTarget: target }),
  };
}

/** Read from the server: a VM that was handed over carries our label no more and is in no cache. */
async function standingTarget(
  other: Stored<VirtualMachineImport>,
  cluster: TargetCluster,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { committedAt, targetName, targetUid } = other.status?.records ?? {};
  if (committedAt === undefined || targetName === undefined || targetUid === undefined) return undefined;
  const { namespace } = other.spec.target;
  const vm = await cluster.client.get(virtualMachines, { namespace, name: targetName }, signal);
  return vm?.metadata.uid === targetUid ? `${namespace}/${targetName}` : undefined;
}

function inWords(entry: LedgerEntry): string {
  switch (entry.kind) {
    case 'TargetObjects':
      return `objects in namespace ${entry.marker}`;
    case 'SourcePower':
      return "the source's power";
    default:
      return `${entry.kind} ${entry.marker}`;
  }
}
