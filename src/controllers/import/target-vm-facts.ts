import { dataVolumes, namespaces, persistentVolumeClaims, virtualMachines } from '../../api/kinds.ts';
import type { KubeObject, Stored } from '../../api/meta.ts';
import type { VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import { isKubeError, type KubeErrorCode } from '../../kube/errors.ts';
import type { FactTable, Preflight } from '../../migration/facts.ts';
import { isDrawnClaimName } from '../../migration/names.ts';
import { firstName } from '../../migration/target-name.ts';
import { buildTargetVm } from './build.ts';
import { refusedConverter } from './conversion-facts.ts';
import { wantedDataVolume } from './data-volumes.ts';
import type { GatherDeps } from './gather.ts';
import { shortage } from './shortage.ts';
import { copiedDisks, type Subject } from './subject.ts';
import { describeClaim, isOurs, ownerOf } from './volume-facts.ts';

/** The VM of the recorded name, as it is in the target cluster. */
export async function gatherTargetVm(
  subject: Subject,
  deps: GatherDeps,
  signal: AbortSignal,
): Promise<FactTable['targetVm']> {
  const { object, context } = subject;
  const name = context.records.targetName;
  if (name === undefined) return { state: 'absent' };
  const at = { namespace: object.spec.target.namespace, name };
  const vm =
    deps.cluster.virtualMachines.get(at) ?? (await deps.cluster.client.get(virtualMachines, at, signal));
  if (vm === undefined) return { state: 'absent' };
  const { uid, deletionTimestamp } = vm.metadata;
  if (!isOurs(object.metadata.uid, vm)) return { state: 'foreign', uid, by: describeVm(vm) };
  return {
    state: 'ours',
    uid,
    deleting: deletionTimestamp !== undefined,
    runStrategy: vm.spec.runStrategy ?? '',
  };
}

function describeVm(vm: Stored<KubeObject>): string {
  const owner = ownerOf(vm);
  const made = `made ${vm.metadata.creationTimestamp}`;
  return owner.described === undefined ? made : `${made}, owned by ${owner.described}`;
}

/** Codes by which a server says that it has looked at the object and does not want it. */
const judgements: readonly KubeErrorCode[] = ['BadRequest', 'Forbidden', 'Invalid', 'Conflict'];

/** Whether the target cluster would take the VM, and what is made on the way to it: asked of it by dry-runs, which change nothing. */
export async function gatherPreflight(
  subject: Subject,
  deps: GatherDeps,
  signal: AbortSignal,
): Promise<Preflight> {
  const { object, context } = subject;
  const short = shortage(object, deps.cluster) ?? (await takenClaim(object, deps, signal));
  if (short !== undefined) return short;
  const name = context.records.targetName ?? firstName(object.spec);
  const vm = buildTargetVm(object, name);
  try {
    await deps.cluster.client.create(virtualMachines, vm, { dryRun: true }, signal);
    const text = await refusedConverter(object, name, deps.cluster, signal);
    if (text !== undefined) return { state: 'converterRefused', text };
    return (await refusedVolume(object, deps, signal)) ?? { state: 'accepted' };
  } catch (error) {
    if (isKubeError(error, 'AlreadyExists')) return nameTaken(subject, deps, signal);
    if (isKubeError(error, 'NotFound', 'Forbidden')) {
      const namespace = await deps.cluster.client.get(
        namespaces,
        { name: object.spec.target.namespace },
        signal,
      );
      if (namespace === undefined) return { state: 'namespaceMissing' };
      if (namespace.metadata.deletionTimestamp !== undefined) return { state: 'namespaceTerminating' };
    }
    if (isKubeError(error, ...judgements)) return { state: 'refused', code: error.code, text: error.detail };
    throw error;
  }
}

/**
 * Whether CDI takes the DataVolumes of this namespace, before a source is powered off for them: its webhook may be away, or it may not be
 * installed at all. The answer is the same for all disks that go there, as far as can be told without making them.
 */
async function refusedVolume(
  object: Stored<VirtualMachineImport>,
  { cluster, sources, dataVolumeProbe }: GatherDeps,
  signal: AbortSignal,
): Promise<Preflight | undefined> {
  const [disk] = copiedDisks(object);
  if (disk === undefined || cluster.dataVolumes.byIndex('import', object.metadata.uid).length > 0)
    return undefined;
  const wanted = wantedDataVolume(object, { diskKey: disk.key }, sources);
  try {
    await dataVolumeProbe.ask(object.spec.target.namespace, async () => {
      await cluster.client.create(dataVolumes, wanted, { dryRun: true }, signal);
    });
    return undefined;
  } catch (error) {
    // There is one of this name: whose it is, is seen where it is to be made.
    if (isKubeError(error, 'AlreadyExists')) return undefined;
    if (isKubeError(error, 'NotFound', ...judgements)) return { state: 'volumeRefused', text: error.detail };
    throw error;
  }
}

/** A name that the user fixed may be somebody's; one that ends in our hash is not worth a read. */
async function takenClaim(
  object: Stored<VirtualMachineImport>,
  { cluster }: GatherDeps,
  signal: AbortSignal,
): Promise<Preflight | undefined> {
  const { run, vm, target } = object.spec;
  const drawn = { migrationUid: run.migration.uid, vmId: vm.id };
  const exact = copiedDisks(object).filter(
    (disk) => !isDrawnClaimName(disk.claimName, { ...drawn, diskKey: disk.key }),
  );
  for (const { claimName } of exact) {
    const at = { namespace: target.namespace, name: claimName };
    const claim = cluster.claims.get(at) ?? (await cluster.client.get(persistentVolumeClaims, at, signal));
    if (claim !== undefined && !isOurs(object.metadata.uid, claim)) {
      return { state: 'claimTaken', by: describeClaim(claim) };
    }
  }
  return undefined;
}

async function nameTaken(subject: Subject, deps: GatherDeps, signal: AbortSignal): Promise<Preflight> {
  const vm = await gatherTargetVm(subject, deps, signal);
  // Gone again between two reads: the next gathering sees the name free.
  if (vm.state === 'absent')
    return { state: 'refused', code: 'AlreadyExists', text: 'the name was taken a moment ago' };
  const by = vm.state === 'foreign' ? vm.by : 'this import';
  return { state: 'nameTaken', ours: vm.state === 'ours', uid: vm.uid, by };
}
