import type { Pod, VolumeMode } from '../../api/external/core.ts';
import { persistentVolumeClaims, pods } from '../../api/kinds.ts';
import { appLabel, conversionApp, conversionFinalizer } from '../../api/labels.ts';
import type { KubeObject, Stored } from '../../api/meta.ts';
import type { VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { ConversionPodFact, ConversionResult } from '../../migration/facts.ts';
import type { Scrub } from '../../model/scrub.ts';
import { readInspection, readVmDocument, readWarnings } from '../../target/conversion-answers.ts';
import { conversionDisks, imageOrder } from '../../target/conversion-disks.ts';
import { buildConversion, conversionNames, conversionPort } from '../../target/conversion-pod.ts';
import type { TargetCluster } from '../target-cluster.ts';
import { copiedDisks } from './subject.ts';
import { isOurs } from './volume-facts.ts';

/** What Forklift's image writes last when it has thrown its overlays away (fact: pkg/virt-v2v/conversion of 2.13). */
const untouchedWords = 'discarding overlays, base disks unchanged';
const mostWarnings = 16;

export function isConverter(pod: KubeObject): boolean {
  return pod.metadata.labels?.[appLabel] === conversionApp;
}

export function isHeld(pod: KubeObject): boolean {
  return pod.metadata.finalizers?.includes(conversionFinalizer) === true;
}

/** What the watch shows is enough to act on; that there is none is asked of the server. */
export async function conversionPod(
  object: Stored<VirtualMachineImport>,
  { client, pods: cached }: Pick<TargetCluster, 'client' | 'pods'>,
  scrub: Scrub,
  signal: AbortSignal,
): Promise<ConversionPodFact | undefined> {
  const { uid } = object.metadata;
  const { pod: name } = conversionNames(object);
  const at = { namespace: object.spec.target.namespace, name };
  const pod =
    cached.byIndex('import', uid).find((candidate) => candidate.metadata.name === name) ??
    (await client.get(pods, at, signal));
  return pod === undefined || !isOurs(uid, pod) ? undefined : conversionPodFact(pod, scrub);
}

export function conversionPodFact(pod: Stored<Pod>, scrub: Scrub): ConversionPodFact {
  const { metadata, status } = pod;
  const phase = status?.phase ?? 'Pending';
  const startedMs = startOf(pod);
  const pendingText = startedMs === undefined ? pendingWords(pod) : undefined;
  const lastWords = phase === 'Failed' ? wordsOf(pod) : undefined;
  return {
    name: metadata.name,
    uid: metadata.uid,
    ...(metadata.deletionTimestamp !== undefined && { deletingMs: Date.parse(metadata.deletionTimestamp) }),
    isHeld: isHeld(pod),
    phase,
    createdMs: Date.parse(metadata.creationTimestamp),
    isReady: conditionOf(pod, 'Ready')?.status === 'True',
    isScheduled: isScheduled(pod),
    ...(startedMs !== undefined && { startedMs }),
    ...(pendingText !== undefined && { pendingText: scrub(pendingText) }),
    ...(lastWords !== undefined && { lastWords: lastLine(scrub(lastWords)) }),
    saysUntouched: lastWords?.includes(untouchedWords) === true,
  };
}

/**
 * Since when the converter runs or ran. What cannot be told counts as begun: a container that was made and lost sight of, and all of a node
 * that is lost, whose last report may be older than the container.
 */
function startOf(pod: Stored<Pod>): number | undefined {
  const { status, metadata } = pod;
  const statuses = status?.containerStatuses ?? [];
  for (const { state, lastState } of statuses) {
    for (const one of [state, lastState]) {
      const startedAt = one?.running?.startedAt ?? one?.terminated?.startedAt;
      // Of a container that it does not know the kubelet writes none, or the beginning of time.
      if (typeof startedAt === 'string' && Date.parse(startedAt) > 0) return Date.parse(startedAt);
    }
  }
  const wasMade = statuses.some(({ containerID }) => containerID !== undefined && containerID !== '');
  const hasRun = status?.phase === 'Running' || status?.phase === 'Succeeded' || status?.phase === 'Unknown';
  if (!wasMade && !hasRun && !isNodeLost(pod)) return undefined;
  return Date.parse(status?.startTime ?? metadata.creationTimestamp);
}

/** Kubernetes gave the pod up together with its node; the node may run it all the same. */
function isNodeLost(pod: Pod): boolean {
  return conditionOf(pod, 'DisruptionTarget')?.reason === 'DeletionByPodGC' && isScheduled(pod);
}

function isScheduled(pod: Pod): boolean {
  return conditionOf(pod, 'PodScheduled')?.status === 'True' || pod.status?.startTime !== undefined;
}

function pendingWords(pod: Pod): string | undefined {
  const scheduled = conditionOf(pod, 'PodScheduled');
  if (scheduled?.status === 'False') return scheduled.message ?? scheduled.reason;
  const waiting = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])]
    .map(({ state }) => state?.waiting)
    .find((state) => state !== undefined);
  return waiting?.message ?? waiting?.reason ?? pod.status?.message ?? pod.status?.reason;
}

function wordsOf({ status }: Pod): string | undefined {
  const terminated = status?.containerStatuses?.find(({ state }) => state?.terminated !== undefined)?.state
    ?.terminated;
  const ofContainer = terminated?.message ?? terminated?.reason;
  // A pod that was thrown out says why; its container, only that it was killed.
  return status?.message ?? (ofContainer === '' ? undefined : ofContainer) ?? status?.reason;
}

/** The log's end as it fits into a message: its last lines say what failed. */
function lastLine(text: string): string {
  const most = 700;
  const trimmed = text.trim();
  return trimmed.length <= most ? trimmed : `…${trimmed.slice(-most)}`;
}

function conditionOf({ status }: Pod, type: string) {
  return status?.conditions?.find((condition) => condition.type === type);
}

/**
 * Why the target cluster would not take the pod that is to convert the guest (its pod security, a policy); undefined: it would, or
 * nothing is converted. A full quota is no such reason: hours go by until the pod is made.
 */
export async function refusedConverter(
  object: Stored<VirtualMachineImport>,
  vmName: string,
  { client }: Pick<TargetCluster, 'client'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (object.spec.conversion === undefined) return undefined;
  const { pod } = buildConversion(object, { vmName, modes: new Map() });
  try {
    await client.create(pods, pod, { dryRun: true }, signal);
    return undefined;
  } catch (error) {
    // Of its own name.
    if (isKubeError(error, 'AlreadyExists')) return undefined;
    if (!isKubeError(error, 'BadRequest', 'Forbidden', 'Invalid')) throw error;
    return error.detail.includes('exceeded quota') ? undefined : error.detail;
  }
}

// ---- answers --------------------------------------------------------------------------------------------------------------------

/**
 * The converter's answers, through the API server: no network of pods needs to be reached, and a converter in another cluster is no
 * different (review.md F42). undefined: it is not ready, or nobody listens.
 */
export async function conversionResult(
  object: Stored<VirtualMachineImport>,
  cluster: Pick<TargetCluster, 'client' | 'pods' | 'claims'>,
  scrub: Scrub,
  signal: AbortSignal,
): Promise<ConversionResult | undefined> {
  const { uid } = object.metadata;
  const { pod: name } = conversionNames(object);
  const pod = cluster.pods.byIndex('import', uid).find((candidate) => candidate.metadata.name === name);
  if (pod === undefined || pod.status?.phase !== 'Running') return undefined;
  if (conditionOf(pod, 'Ready')?.status !== 'True') return undefined;
  const at = { namespace: object.spec.target.namespace, name };
  const ask = async (path: string): Promise<string | undefined> => {
    const { status, body } = await cluster.client.podProxy(at, conversionPort, path, 'GET', signal);
    return status === 200 ? body : undefined;
  };
  try {
    const vm = readVmDocument((await ask('vm')) ?? '');
    const inspection = readInspection((await ask('inspection')) ?? '');
    const warnings = readWarnings((await ask('warnings')) ?? '');
    const modes = await claimModes(object, cluster, signal);
    const disks = conversionDisks(object.spec, modes);
    const bootDisk =
      vm.bootDisk === undefined
        ? imageOrder(disks)[inspection.bootDisk ?? -1]?.position
        : disks[vm.bootDisk]?.position;
    const firmware = vm.firmware ?? inspection.firmware;
    return {
      ...(firmware !== undefined && { firmware }),
      ...(bootDisk !== undefined && { bootDisk }),
      ...(inspection.osId !== undefined && { osId: inspection.osId }),
      ...(inspection.osFamily !== undefined && { osFamily: inspection.osFamily }),
      warnings: warnings.slice(0, mostWarnings).map(({ reason, message }) => ({
        reason: reason.slice(0, 128),
        message: scrub(message).slice(0, 1024),
      })),
    };
  } catch (error) {
    // The API server's own word that it does not reach the pod (503, or 400 while it has no address), or that it is gone.
    if (isKubeError(error, 'ServerError', 'BadRequest', 'NotFound')) return undefined;
    throw error;
  }
}

/** How the claims of the copied disks are, by disk key. */
export async function claimModes(
  object: Stored<VirtualMachineImport>,
  { client, claims }: Pick<TargetCluster, 'client' | 'claims'>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, VolumeMode>> {
  const modes = new Map<string, VolumeMode>();
  for (const { key, claimName } of copiedDisks(object)) {
    const at = { namespace: object.spec.target.namespace, name: claimName };
    const claim = claims.get(at) ?? (await client.get(persistentVolumeClaims, at, signal));
    // Kubernetes' default is a file system.
    if (claim !== undefined) modes.set(key, claim.spec.volumeMode ?? 'Filesystem');
  }
  return modes;
}
