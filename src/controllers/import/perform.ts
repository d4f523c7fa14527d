import {
  configMaps,
  dataVolumes,
  namespaces,
  persistentVolumeClaims,
  pods,
  secrets,
  virtualMachines,
} from '../../api/kinds.ts';
import type { JsonPatch, KubeObject, ResourceKind, Stored } from '../../api/meta.ts';
import type { Secret } from '../../api/external/core.ts';
import type { VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import { firstName } from '../../migration/target-name.ts';
import { isKubeError, KubeError } from '../../kube/errors.ts';
import { isEqualJson } from '../../kube/merge-patch.ts';
import type { Action } from '../../migration/phase.ts';
import { accessNames, buildAccess } from '../../target/access.ts';
import { giveClaimToVm, setRunStrategy, stripImportLabel, takeClaimFromVm } from '../../target/release.ts';
import { buildTargetVm } from './build.ts';
import { createConversionPod, finishConversion, releasePod } from './conversion-actions.ts';
import { createOurs } from './create-ours.ts';
import { appendCheckpoint, createDataVolume, type DataVolumeDeps } from './data-volumes.ts';
import { snapshotsOf } from './source-snapshots.ts';
import { vmHandle, type Subject } from './subject.ts';
import type { SourceInUse } from './source-in-use.ts';

export interface PerformDeps extends DataVolumeDeps {
  readonly sourceInUse: Pick<SourceInUse, 'hold'>;
}

/**
 * Does one action, once. Safe to repeat whatever became of the try before: what is already so is left so. Throws KubeError and
 * SourceError; a created object of our name that is not ours is KubeError AlreadyExists.
 */
export async function perform(
  action: Action,
  subject: Subject,
  deps: PerformDeps,
  signal: AbortSignal,
): Promise<void> {
  const { object } = subject;
  const { client } = deps.cluster;
  const { namespace } = object.spec.target;
  switch (action.do) {
    case 'createNamespace':
      return createNamespace(namespace, deps, signal);
    case 'verifyLogin':
      return deps.sources.verifyLogin(object.spec.source.provider, action.credentials);
    case 'createAccess':
      return createAccess(object, deps, signal);
    case 'deleteAccess':
      return deleteAccess(object, deps, signal);
    case 'createDataVolume':
      return createDataVolume(object, action, deps, signal);
    case 'appendCheckpoint':
      return appendCheckpoint(object, action, deps, signal);
    case 'createSnapshot':
      await deps.sourceInUse.hold(object.spec.source.provider, signal);
      return snapshotsOf(object, deps).create(
        vmHandle(object),
        action.marker,
        { quiesce: action.quiesce },
        signal,
      );
    case 'removeSnapshot':
      return snapshotsOf(object, deps).remove(vmHandle(object), action.id, signal);
    case 'createVm': {
      const name = subject.context.records.targetName ?? firstName(object.spec);
      const vm = await createOurs(virtualMachines, buildTargetVm(object, name), object, deps.cluster, signal);
      deps.cluster.virtualMachines.put(vm);
      return;
    }
    case 'createConversionPod': {
      const name = subject.context.records.targetName ?? firstName(object.spec);
      return createConversionPod(object, name, deps.cluster, signal);
    }
    case 'finishConversion':
      return finishConversion(object, action.name, deps.cluster, signal);
    case 'releasePod':
      return releasePod(object, action, deps.cluster, signal);
    case 'deleteVm':
      return remove(virtualMachines, namespace, action, deps, signal);
    case 'deleteClaim':
      return remove(persistentVolumeClaims, namespace, action, deps, signal);
    case 'deletePod':
      return remove(pods, namespace, action, deps, signal);
    case 'deleteSecret':
      return remove(secrets, namespace, action, deps, signal);
    case 'deleteConfigMap':
      return remove(configMaps, namespace, action, deps, signal);
    case 'deleteDataVolume': {
      const propagation = action.orphanClaim ? 'Orphan' : 'Background';
      const at = { namespace, name: action.name };
      await client.delete(dataVolumes, at, { uid: action.uid, propagation }, signal);
      return;
    }
    case 'giveClaimToVm': {
      const vm = { name: subject.context.records.targetName ?? '', uid: action.vmUid };
      return patchClaim(
        object,
        action.claim,
        (claim) => giveClaimToVm(claim, action.dataVolumeUid, vm),
        deps,
        signal,
      );
    }
    case 'takeClaimFromVm':
      return patchClaim(object, action.claim, (claim) => takeClaimFromVm(claim, action.vmUid), deps, signal);
    case 'setRunStrategy': {
      const at = { namespace, name: subject.context.records.targetName ?? '' };
      const vm = await client.jsonPatch(
        virtualMachines,
        at,
        setRunStrategy(action.vmUid, action.runStrategy),
        {},
        signal,
      );
      deps.cluster.virtualMachines.put(vm);
      return;
    }
    case 'stripLabel':
      return stripLabel(object, action, deps, signal);
    case 'powerOff':
      await deps.sourceInUse.hold(object.spec.source.provider, signal);
      return deps.sources
        .source(object.spec.source.provider)
        .requestPowerOff(vmHandle(object), action.how, signal);
    case 'powerOn':
      return deps.sources
        .source(object.spec.source.provider)
        .requestPowerOn(vmHandle(object), action.restore, signal);
  }
}

// ---- creates --------------------------------------------------------------------------------------------------------------------

/** Not in the ledger and never deleted by us: others may have moved in by then. */
async function createNamespace(name: string, { cluster }: PerformDeps, signal: AbortSignal): Promise<void> {
  try {
    await cluster.client.create(
      namespaces,
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
      {},
      signal,
    );
  } catch (error) {
    if (!isKubeError(error, 'AlreadyExists')) throw error;
  }
}

/** Read by importers at each start of their container; carries what the source asks for and nothing else (review.md F74). */
async function createAccess(
  object: Stored<VirtualMachineImport>,
  deps: PerformDeps,
  signal: AbortSignal,
): Promise<void> {
  const source = deps.sources.source(object.spec.source.provider);
  const access = await source.transfer.importerAccess(vmHandle(object), signal);
  const { secret, configMap } = buildAccess(object, access);
  const stored = await createOurs(secrets, secret, object, deps.cluster, signal);
  if (!isEqualJson(stored.data, secret.data)) await rewriteSecret(stored, secret, deps, signal);
  if (configMap !== undefined) await createOurs(configMaps, configMap, object, deps.cluster, signal);
}

async function rewriteSecret(
  { metadata }: Stored<Secret>,
  { data }: Secret,
  { cluster }: PerformDeps,
  signal: AbortSignal,
): Promise<void> {
  const patch: JsonPatch = [
    { op: 'test', path: '/metadata/uid', value: metadata.uid },
    { op: 'add', path: '/data', value: data },
  ];
  await cluster.client.jsonPatch(secrets, metadata, patch, {}, signal);
}

async function deleteAccess(
  object: Stored<VirtualMachineImport>,
  deps: PerformDeps,
  signal: AbortSignal,
): Promise<void> {
  const { client } = deps.cluster;
  const { namespace } = object.spec.target;
  // The names carry a hash of the import's own UID: nobody else's object can bear them.
  const names = accessNames(object);
  await client.delete(secrets, { namespace, name: names.secret }, {}, signal);
  if (names.configMap !== undefined)
    await client.delete(configMaps, { namespace, name: names.configMap }, {}, signal);
}

// ---- deletes and patches --------------------------------------------------------------------------------------------------------

/** Deletes this very object. One of the same name and another uid is somebody else's: then ours is gone, which was the aim. */
async function remove(
  kind: ResourceKind,
  namespace: string,
  target: { readonly name: string; readonly uid: string },
  { cluster }: PerformDeps,
  signal: AbortSignal,
): Promise<void> {
  try {
    await cluster.client.delete(
      kind,
      { namespace, name: target.name },
      { uid: target.uid, propagation: 'Background' },
      signal,
    );
  } catch (error) {
    if (!isKubeError(error, 'Conflict')) throw error;
  }
}

async function patchClaim(
  object: Stored<VirtualMachineImport>,
  name: string,
  patchOf: (claim: Stored<KubeObject>) => JsonPatch,
  { cluster }: PerformDeps,
  signal: AbortSignal,
): Promise<void> {
  const at = { namespace: object.spec.target.namespace, name };
  const claim = cluster.claims.get(at) ?? (await cluster.client.get(persistentVolumeClaims, at, signal));
  if (claim === undefined) throw claimGone(at.namespace, name);
  cluster.claims.put(await cluster.client.jsonPatch(persistentVolumeClaims, at, patchOf(claim), {}, signal));
}

function claimGone(namespace: string, name: string): KubeError {
  const attempted = `patch persistentvolumeclaims ${namespace}/${name}`;
  return new KubeError({ code: 'NotFound', status: 404, detail: 'the claim is gone', attempted });
}

async function stripLabel(
  object: Stored<VirtualMachineImport>,
  action: Extract<Action, { do: 'stripLabel' }>,
  { cluster }: PerformDeps,
  signal: AbortSignal,
): Promise<void> {
  const at = { namespace: object.spec.target.namespace, name: action.name };
  const patch = stripImportLabel(object.metadata.uid, action.uid);
  try {
    if (action.on === 'VirtualMachine') {
      cluster.virtualMachines.forget(await cluster.client.jsonPatch(virtualMachines, at, patch, {}, signal));
    } else {
      cluster.claims.forget(await cluster.client.jsonPatch(persistentVolumeClaims, at, patch, {}, signal));
    }
  } catch (error) {
    // Gone, or another object under the name, or done before: nothing of ours carries the label any more.
    if (!isKubeError(error, 'NotFound', 'Invalid')) throw error;
  }
}
