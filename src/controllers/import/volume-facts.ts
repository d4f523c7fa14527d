import type { DataVolume } from '../../api/external/cdi.ts';
import type { ContainerStatus, PersistentVolumeClaim, Pod } from '../../api/external/core.ts';
import { cdiCopiedAnnotationPrefix, importLabel } from '../../api/labels.ts';
import type { KubeObject, Stored } from '../../api/meta.ts';
import type { FrozenDisk } from '../../api/virtual-machine-import.ts';
import type { Scrub } from '../../model/scrub.ts';
import type { VolumeFact } from '../../migration/facts.ts';

type Terminated = NonNullable<NonNullable<ContainerStatus['state']>['terminated']>;

/** Added by container runtimes to the number of the signal that ended a program. */
const killed = 128;

/** What stands behind one disk in the target cluster. */
export interface VolumeObjects {
  readonly dataVolume: Stored<DataVolume> | undefined;
  readonly claim: Stored<PersistentVolumeClaim> | undefined;
  readonly pods: readonly Stored<Pod>[];
}

/** How what importers say is to be read: it is foreign text. */
export interface Reading {
  readonly scrub: Scrub;
  readonly isLoginRefusal: (text: string) => boolean;
}

/** Translates the objects of one disk into the fact that phases decide on. Pure but for `scrub`, which foreign text goes through. */
export function volumeFact(
  importUid: string,
  disk: FrozenDisk,
  objects: VolumeObjects,
  reading: Reading,
): VolumeFact {
  const { dataVolume, claim } = objects;
  const pod = newest(objects.pods);
  return {
    diskKey: disk.key,
    claimName: disk.claimName,
    ...(dataVolume !== undefined && { dataVolume: dataVolumeFact(importUid, dataVolume, reading.scrub) }),
    ...(claim !== undefined && { claim: claimFact(importUid, claim) }),
    ...(pod !== undefined && { pod: podFact(pod, reading) }),
  };
}

export function isOurs(importUid: string, object: KubeObject): boolean {
  return object.metadata.labels?.[importLabel] === importUid;
}

function dataVolumeFact(
  importUid: string,
  dataVolume: Stored<DataVolume>,
  scrub: Scrub,
): NonNullable<VolumeFact['dataVolume']> {
  const status = dataVolume.status;
  const percent = percentOf(status?.progress);
  return {
    uid: dataVolume.metadata.uid,
    ours: isOurs(importUid, dataVolume),
    deleting: dataVolume.metadata.deletionTimestamp !== undefined,
    phase: status?.phase ?? '',
    ...(percent !== undefined && { percent }),
    restartCount: status?.restartCount ?? 0,
    ...(dataVolume.spec.checkpoints !== undefined && { checkpoints: dataVolume.spec.checkpoints }),
    ...(dataVolume.spec.finalCheckpoint !== undefined && {
      finalCheckpoint: dataVolume.spec.finalCheckpoint,
    }),
    conditions: (status?.conditions ?? []).map((condition) => ({
      type: condition.type,
      status: condition.status,
      reason: condition.reason ?? '',
      message: scrub(condition.message ?? ''),
      sinceMs: Date.parse(condition.lastTransitionTime ?? dataVolume.metadata.creationTimestamp),
    })),
  };
}

/** "56.25%" or "100.0%"; "N/A" and nothing are no figure (fact: cdi 1.3). */
function percentOf(progress: string | undefined): number | undefined {
  const match = /^(\d+(?:\.\d+)?)%$/.exec(progress ?? '');
  return match?.[1] === undefined ? undefined : Math.min(100, Number(match[1]));
}

function claimFact(
  importUid: string,
  claim: Stored<PersistentVolumeClaim>,
): NonNullable<VolumeFact['claim']> {
  const owner = ownerOf(claim);
  return {
    uid: claim.metadata.uid,
    ours: isOurs(importUid, claim),
    deleting: claim.metadata.deletionTimestamp !== undefined,
    phase: claim.status?.phase ?? '',
    owner,
    ...copiedStages(claim),
    describedAs: describeClaim(claim),
  };
}

/** CDI keeps its books on the claim, one mark a stage (fact: cdi 2.1). */
function copiedStages({ metadata }: Stored<PersistentVolumeClaim>): { readonly copied?: readonly string[] } {
  const copied = Object.keys(metadata.annotations ?? {})
    .filter((name) => name.startsWith(cdiCopiedAnnotationPrefix))
    .map((name) => name.slice(cdiCopiedAnnotationPrefix.length));
  return copied.length === 0 ? {} : { copied };
}

/** "namespace/name, owned by ..." for a message. */
export function describeClaim(claim: Stored<PersistentVolumeClaim>): string {
  const at = `${claim.metadata.namespace ?? ''}/${claim.metadata.name}`;
  const owner = ownerOf(claim);
  return owner.kind === 'none'
    ? `${at}, which nobody owns`
    : `${at}, owned by ${owner.described ?? 'another object'}`;
}

/** A VirtualMachine that has taken a claim over wins over the DataVolume that still names it: the hand-over is one patch. */
export function ownerOf(
  object: KubeObject,
): NonNullable<VolumeFact['claim']>['owner'] & { readonly described?: string } {
  const owners = object.metadata.ownerReferences ?? [];
  const owner =
    owners.find((reference) => reference.kind === 'VirtualMachine') ??
    owners.find((reference) => reference.kind === 'DataVolume') ??
    owners[0];
  if (owner === undefined) return { kind: 'none' };
  const kind = owner.kind === 'VirtualMachine' || owner.kind === 'DataVolume' ? owner.kind : 'other';
  return { kind, uid: owner.uid, name: owner.name, described: `${owner.kind} ${owner.name}` };
}

function podFact(pod: Stored<Pod>, { scrub, isLoginRefusal }: Reading): NonNullable<VolumeFact['pod']> {
  const importer = importerStatus(pod);
  const ended = [importer?.state?.terminated, importer?.lastState?.terminated].find(
    (terminated) => terminated !== undefined && terminated.exitCode !== 0,
  );
  const initWaiting = pod.status?.initContainerStatuses?.find((init) => init.state?.waiting !== undefined);
  const waiting = importer?.state?.waiting?.reason ?? initWaiting?.state?.waiting?.reason;
  // Of a pod that was thrown out the node tells why; its containers were merely killed.
  const thrownOut = pod.status?.phase === 'Failed' ? pod.status.message : undefined;
  const message = thrownOut ?? (ended === undefined ? undefined : lastWords(ended));
  return {
    name: pod.metadata.name,
    uid: pod.metadata.uid,
    phase: pod.status?.phase ?? '',
    restarts: (importer?.restartCount ?? 0) + (isToRestart(pod, importer) ? 1 : 0),
    ...(message !== undefined && { terminationMessage: scrub(message).trim() }),
    ...(waiting !== undefined && { waitingReason: waiting }),
    ...(importer?.state?.running === undefined &&
      message !== undefined &&
      isLoginRefusal(message) && { isLoginRefused: true }),
    createdMs: Date.parse(pod.metadata.creationTimestamp),
  };
}

/**
 * It has failed, and a kubelet counts that only when it starts it again: after a wait, and for as long as its Secret is missing not at all
 * (seen in CDI 1.65). What kept it from its work then may be over by that time, and the failure would be taken for its own. A pod that
 * is being deleted is not started again, nor is one that has failed as a whole.
 */
function isToRestart({ metadata, status }: Stored<Pod>, importer: ContainerStatus | undefined): boolean {
  const { state = {}, lastState } = importer ?? {};
  const { exitCode = 0 } = state.terminated ?? (state.waiting && lastState?.terminated) ?? {};
  return exitCode !== 0 && metadata.deletionTimestamp === undefined && status?.phase !== 'Failed';
}

/**
 * A container that was killed leaves no last words; what stands in their place is the end of its log, cut off anywhere, since importers
 * ask for that (fact: cdi 3.3).
 */
function lastWords({ exitCode, reason, message }: Terminated): string | undefined {
  if (exitCode <= killed) return message;
  const how = reason === undefined || reason === 'Error' ? `signal ${exitCode - killed}` : reason;
  return `The importer was killed (${how}).`;
}

/** The container is called "importer" (fact: cdi 3.1); a pod of another make has one container. */
function importerStatus(pod: Stored<Pod>): ContainerStatus | undefined {
  const statuses = pod.status?.containerStatuses ?? [];
  return statuses.find((status) => status.name === 'importer') ?? statuses[0];
}

function newest(pods: readonly Stored<Pod>[]): Stored<Pod> | undefined {
  return pods.reduce<Stored<Pod> | undefined>((latest, pod) => {
    if (latest === undefined) return pod;
    const difference = pod.metadata.creationTimestamp.localeCompare(latest.metadata.creationTimestamp);
    return difference > 0 || (difference === 0 && latest.metadata.deletionTimestamp !== undefined)
      ? pod
      : latest;
  }, undefined);
}
