import type { Pod } from '../../api/external/core.ts';
import {
  configMaps,
  dataVolumes,
  persistentVolumeClaims,
  pods,
  secrets,
  virtualMachines,
} from '../../api/kinds.ts';
import { importLabel } from '../../api/labels.ts';
import type { KubeObject, ResourceKind, Stored } from '../../api/meta.ts';
import type { FrozenDisk, LedgerEntry, VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import type {
  FactName,
  Facts,
  FactTable,
  OwedSnapshot,
  OwnedObject,
  OwnedPod,
  VolumeFact,
} from '../../migration/facts.ts';
import { haveFailedAnew } from '../../migration/importer-restarts.ts';
import { owedSnapshotEntries } from '../../migration/ledger.ts';
import { roundMarker, roundUnderWay } from '../../migration/rounds.ts';
import type { SlotTable } from '../../migration/slots.ts';
import { isSourceError, SourceError } from '../../model/fault.ts';
import { accessNames } from '../../target/access.ts';
import { conversionPod, conversionResult, isConverter, isHeld } from './conversion-facts.ts';
import { snapshotsOf } from './source-snapshots.ts';
import { copiedDisks, vmHandle, type Subject } from './subject.ts';
import type { PriorImports } from './prior-imports.ts';
import type { SharedProbe } from './shared-probe.ts';
import { gatherPreflight, gatherTargetVm } from './target-vm-facts.ts';
import type { SourceHub } from '../source-hub.ts';
import type { TargetCluster } from '../target-cluster.ts';
import { ownerOf, volumeFact, type Reading } from './volume-facts.ts';

export interface GatherDeps {
  readonly cluster: TargetCluster;
  readonly sources: SourceHub;
  readonly slots: Pick<SlotTable, 'view'>;
  readonly priorImports: PriorImports;
  readonly dataVolumeProbe: SharedProbe;
}

type Gatherers = {
  readonly [N in FactName]: (
    subject: Subject,
    deps: GatherDeps,
    signal: AbortSignal,
  ) => FactTable[N] | Promise<FactTable[N]>;
};

/** One gatherer per fact, read verbs only. Throws KubeError and SourceError: what cannot be read is not a fact. */
const gatherers: Gatherers = {
  async sourceVm({ object }, { sources }, signal) {
    try {
      const model = await sources.source(object.spec.source.provider).describe(vmHandle(object), signal);
      return { state: 'present', model };
    } catch (error) {
      if (isSourceError(error, 'gone')) return { state: 'gone' };
      throw error;
    }
  },
  sourcePower: ({ object }, { sources }, signal) =>
    sources.source(object.spec.source.provider).power(vmHandle(object), signal),
  sourceAccess: ({ object }, { sources }) => sources.access(object.spec.source.provider),
  priorImports: ({ object }, { priorImports }, signal) => priorImports.of(object, signal),
  slots: ({ context }, { slots }) => slots.view(context.uid),
  preflight: gatherPreflight,
  volumes: ({ object }, deps) => copiedDisks(object).map((disk) => cachedVolume(object, disk, deps)),
  liveVolumes: ({ object }, deps, signal) =>
    Promise.all(copiedDisks(object).map((disk) => liveVolume(object, disk, deps, signal))),
  targetVm: gatherTargetVm,
  instancePhase({ context, object }, { cluster }) {
    const status = cluster.virtualMachines.get({
      namespace: object.spec.target.namespace,
      name: context.records.targetName ?? '',
    })?.status;
    // A VM is shown as Running only when its instance runs (fact: kubevirt 1.4).
    return status?.printableStatus === 'Running' ? 'Running' : status?.created === true ? 'Pending' : '';
  },
  conversionPod: ({ object }, deps, signal) =>
    conversionPod(object, deps.cluster, readingOf(object, deps).scrub, signal),
  conversionResult: ({ object }, deps, signal) =>
    conversionResult(object, deps.cluster, readingOf(object, deps).scrub, signal),
  targetObjects: gatherTargetObjects,
  snapshot: ({ object, context }, deps, signal) =>
    snapshotsOf(object, deps).state(vmHandle(object), roundMarker(context), signal),
  async snapshotLost({ object, context }, deps, signal) {
    const round = roundUnderWay(context);
    if (round?.snapshotId === undefined) return false;
    const volumes = copiedDisks(object).map((disk) => cachedVolume(object, disk, deps));
    if (!haveFailedAnew(volumes, context)) return false;
    try {
      const { state } = await snapshotsOf(object, deps).state(vmHandle(object), round.marker, signal);
      // While somebody else's is being made nobody can tell.
      return state !== 'ready' && state !== 'creating';
    } catch (error) {
      // The copies are watched on, whatever becomes of the source.
      if (error instanceof SourceError) return false;
      throw error;
    }
  },
  audit({ object, context }, deps, signal) {
    const ours = owedSnapshotEntries(context).map(({ marker }) => marker);
    return snapshotsOf(object, deps).audit(vmHandle(object), object.spec.model, ours, signal);
  },
  checkpoints({ object, context }, deps, signal) {
    const snapshotId = roundUnderWay(context)?.snapshotId;
    if (snapshotId === undefined) return new Map();
    const keys = new Set(copiedDisks(object).map(({ key }) => key));
    const disks = object.spec.model.disks.filter(({ key }) => keys.has(key));
    return snapshotsOf(object, deps).checkpoints(vmHandle(object), snapshotId, disks, signal);
  },
  owedSnapshots: ({ object, context }, deps, signal) =>
    Promise.all(owedSnapshotEntries(context).map((entry) => owedSnapshot(object, entry, deps, signal))),
};

async function owedSnapshot(
  object: VirtualMachineImport,
  { key, marker, id: known, attempts, askedAt }: LedgerEntry,
  deps: GatherDeps,
  signal: AbortSignal,
): Promise<OwedSnapshot> {
  const snapshots = snapshotsOf(object, deps);
  const vm = vmHandle(object);
  const asked = { key, marker, attempts, ...(askedAt !== undefined && { askedMs: Date.parse(askedAt) }) };
  try {
    const state = await snapshots.state(vm, marker, signal);
    const id = state.state === 'ready' ? state.id : known;
    if (id === undefined) return { ...asked, state };
    return { ...asked, state, removal: { id, reading: await snapshots.removal(vm, id, signal) } };
  } catch (error) {
    // With the VM everything of it is gone.
    if (isSourceError(error, 'gone')) return { ...asked, state: { state: 'absent' } };
    throw error;
  }
}

/** Gathers just the facts that are named, side by side. */
export async function gather<N extends FactName>(
  needs: readonly N[],
  subject: Subject,
  deps: GatherDeps,
  signal: AbortSignal,
): Promise<Facts<N>> {
  const entries = await Promise.all(
    needs.map(async (name) => [name, await gatherers[name](subject, deps, signal)] as const),
  );
  return Object.fromEntries(entries) as Facts<N>;
}

function uidOf(object: Stored<VirtualMachineImport>): string {
  return object.metadata.uid;
}

// ---- volumes --------------------------------------------------------------------------------------------------------------------

function cachedVolume(object: Stored<VirtualMachineImport>, disk: FrozenDisk, deps: GatherDeps): VolumeFact {
  const at = { namespace: object.spec.target.namespace, name: disk.claimName };
  const objects = {
    dataVolume: deps.cluster.dataVolumes.get(at),
    claim: deps.cluster.claims.get(at),
    pods: importersOf(disk, deps.cluster.pods.byIndex('import', uidOf(object))),
  };
  return volumeFact(uidOf(object), disk, objects, readingOf(object, deps));
}

/**
 * What a cache shows is true enough to act on, because every action tests or names a uid; what it does not show may be there all the
 * same (not ours, or too new), so an absence that matters is confirmed by a read (review.md F4). Two do not: a DataVolume is made by
 * create-if-absent, which asks the server itself, and a claim that its DataVolume has not filled yet may come when it likes.
 */
async function liveVolume(
  object: Stored<VirtualMachineImport>,
  disk: FrozenDisk,
  deps: GatherDeps,
  signal: AbortSignal,
): Promise<VolumeFact> {
  const { client, ...cluster } = deps.cluster;
  const at = { namespace: object.spec.target.namespace, name: disk.claimName };
  const cachedDataVolume = cluster.dataVolumes.get(at);
  const mayComeLater = cachedDataVolume !== undefined && cachedDataVolume.status?.phase !== 'Succeeded';
  const cachedClaim = cluster.claims.get(at);
  const claim =
    cachedClaim ?? (mayComeLater ? undefined : await client.get(persistentVolumeClaims, at, signal));
  // A claim without its DataVolume is either released or an orphan: which one, nobody may guess.
  const isOrphan = claim !== undefined && cachedDataVolume === undefined;
  const dataVolume = cachedDataVolume ?? (isOrphan ? await client.get(dataVolumes, at, signal) : undefined);
  const pods = importersOf(disk, cluster.pods.byIndex('import', uidOf(object)));
  return volumeFact(uidOf(object), disk, { dataVolume, claim, pods }, readingOf(object, deps));
}

function readingOf(object: VirtualMachineImport, { sources }: GatherDeps): Reading {
  const { uid } = object.spec.source.provider;
  return {
    scrub: sources.scrub(uid),
    isLoginRefusal: (text) => sources.platform(uid)?.isLoginRefusal(text) === true,
  };
}

/** An importer's pod is owned by the claim that it fills (fact: cdi 3.1). */
function importersOf(disk: FrozenDisk, candidates: readonly Stored<Pod>[]): readonly Stored<Pod>[] {
  return candidates.filter((pod) =>
    (pod.metadata.ownerReferences ?? []).some(
      (owner) => owner.kind === 'PersistentVolumeClaim' && owner.name === disk.claimName,
    ),
  );
}

// ---- everything with our label --------------------------------------------------------------------------------------------------

/**
 * While a cache still shows something of ours there is something to do and nothing to prove: it is given back as it stands. Only when the
 * caches are empty the server is asked, for every kind, because that list is what a ledger entry is struck on (review.md F8).
 */
async function gatherTargetObjects(
  { object }: Subject,
  { cluster }: GatherDeps,
  signal: AbortSignal,
): Promise<FactTable['targetObjects']> {
  const uid = uidOf(object);
  const cached = {
    virtualMachines: owned(cluster.virtualMachines.byIndex('import', uid)),
    dataVolumes: owned(cluster.dataVolumes.byIndex('import', uid)),
    claims: cluster.claims
      .byIndex('import', uid)
      .map((claim) => ({ ...ownedObject(claim), owner: ownerOf(claim).kind })),
    pods: cluster.pods.byIndex('import', uid).map(ownedPod),
  };
  if (Object.values(cached).some((objects) => objects.length > 0))
    return { ...cached, secrets: [], configMaps: [] };

  const { namespace } = object.spec.target;
  const labelSelector = `${importLabel}=${uid}`;
  const live = async <T extends KubeObject>(kind: ResourceKind<T>): Promise<readonly Stored<T>[]> =>
    (await cluster.client.list(kind, { namespace, labelSelector }, signal)).items;
  const [liveVms, liveDataVolumes, liveClaims, livePods, liveSecrets, liveConfigMaps] = await Promise.all([
    live(virtualMachines),
    live(dataVolumes),
    live(persistentVolumeClaims),
    live(pods),
    live(secrets),
    // One kind is never made where neither importers nor a converter need a ConfigMap.
    accessNames(object).configMap === undefined && object.spec.conversion === undefined
      ? []
      : live(configMaps),
  ]);
  return {
    virtualMachines: owned(liveVms),
    dataVolumes: owned(liveDataVolumes),
    claims: liveClaims.map((claim) => ({ ...ownedObject(claim), owner: ownerOf(claim).kind })),
    pods: livePods.map(ownedPod),
    secrets: owned(liveSecrets),
    configMaps: owned(liveConfigMaps),
  };
}

function owned(objects: readonly Stored<KubeObject>[]): readonly OwnedObject[] {
  return objects.map(ownedObject);
}

function ownedPod(pod: Stored<Pod>): OwnedPod {
  return {
    ...ownedObject(pod),
    ...(isConverter(pod) && { converts: true }),
    ...(isHeld(pod) && { isHeld: true }),
  };
}

function ownedObject({ metadata }: Stored<KubeObject>): OwnedObject {
  return { name: metadata.name, uid: metadata.uid, deleting: metadata.deletionTimestamp !== undefined };
}
