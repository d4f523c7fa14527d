import type { PersistentVolumeClaim, Pod } from '../../../src/api/external/core.ts';
import type { Stored } from '../../../src/api/meta.ts';
import type { SeenPod } from './recorder.ts';
import type { Stage } from './stage.ts';
import { phaseOf } from './account.ts';

/**
 * All that a story has to tell, with the story's names in place of those that chance gave: what has to be equal between two worlds. Left
 * out are times, who wrote an event, and events of provisioning, binding and the kubelet, which are not CDI's.
 */
export function wholeAccount(stage: Stage): unknown {
  const { recorder } = stage;
  const { steps, said } = stage.account();
  const seen = [...recorder.pods.values()];
  // What CDI still writes to a claim that is going is chance.
  const claim = recorder.claims.findLast(({ metadata }) => metadata.deletionTimestamp === undefined);
  const account = {
    phases: withoutRepeats(recorder.volumes.map((volume) => phaseOf(volume) ?? '').filter(isTold)),
    steps,
    ...(Object.keys(said).length > 0 && { said }),
    pods: seen.map(podAccount),
    ...(claim !== undefined && { claim: claimAccount(claim) }),
    events: eventReasons(stage),
  };
  const names = namesOf(stage, seen);
  return JSON.parse(JSON.stringify(account), (_key, value: unknown) => renamed(value, names)) as unknown;
}

/** What comes before an importer runs may pass between two looks of CDI's controller; where it lasts, a step tells of it. */
function isTold(phase: string): boolean {
  return !['', 'Pending', 'WaitForFirstConsumer', 'PVCBound', 'ImportScheduled'].includes(phase);
}

function withoutRepeats(phases: readonly string[]): readonly string[] {
  return phases.filter((phase, index) => phase !== phases[index - 1]);
}

function podAccount({ pod, ends }: SeenPod): unknown {
  const { metadata, spec, status } = pod;
  const [importer] = spec.containers;
  return {
    name: metadata.name,
    labels: metadata.labels,
    annotations: metadata.annotations,
    owner: metadata.ownerReferences?.map(({ kind, name }) => `${kind} ${name}`).join(),
    phase: status?.phase,
    env: Object.fromEntries(
      (importer?.env ?? []).map(({ name, value, valueFrom }) => [
        name,
        valueFrom === undefined
          ? (value ?? '')
          : `${valueFrom.secretKeyRef?.name}: ${valueFrom.secretKeyRef?.key}`,
      ]),
    ),
    mounts: mountsOf(pod),
    volumes: (spec.volumes ?? [])
      .filter(({ name }) => !name.startsWith('kube-api-access-'))
      .map(({ name, ...source }) => `${name}: ${Object.keys(source).join()}`),
    initContainers: (spec.initContainers ?? []).map(({ name, image }) => `${name}: ${image}`),
    ends: [...new Set(ends.map(endShape))],
  };
}

function mountsOf({ spec }: Pod): readonly string[] {
  const { volumeMounts = [], volumeDevices = [] } = spec.containers[0] ?? { name: '' };
  const folders = volumeMounts.map(({ name, mountPath }) => `${name}: ${mountPath}`);
  return [...folders, ...volumeDevices.map(({ name, devicePath }) => `${name}: device ${devicePath}`)].filter(
    (mount) => !mount.startsWith('kube-api-access-'),
  );
}

/** What an importer says that was told to end. */
function isCutOff(message: string): boolean {
  return message.includes('transport endpoint is not connected');
}

/**
 * Version and host are the library's affair; sizes of free space the file system's. With which code an importer ends that was told to end is
 * chance: two of its threads wait for the one message that nbdkit's log is closed, and if the wrong one gets it, it takes a SIGKILL (fact:
 * CDI 1.65, pkg/importer/vddk-datasource_amd64.go, Stop and watchNbdLog).
 */
function endShape(end: string): string {
  const ending = isCutOff(end) ? end.replace(/^(?:1|137) /, '1 or 137 ') : end;
  return ending
    .replace(/"Version":"[^"]*"/, '"Version":"*"')
    .replace(/"Host":"[^"]*"/, '"Host":"*"')
    .replace(/at offset \d+/, 'at offset *')
    .replace(/available storage \d+/, 'available storage *');
}

/** How volumes get bound, and who protects them, is the storage's affair, and so is what CDI repeats of it. */
function claimAccount({ metadata, spec }: PersistentVolumeClaim): unknown {
  const annotations = Object.fromEntries(
    Object.entries(metadata.annotations ?? {}).filter(
      ([key]) =>
        !key.startsWith('pv.kubernetes.io/') &&
        !key.includes('volume.kubernetes.io/') &&
        !key.includes('volume.beta.kubernetes.io/') &&
        !key.startsWith('cdi.kubevirt.io/storage.condition.bound') &&
        !key.includes('pod.vddk.'),
    ),
  );
  return {
    labels: metadata.labels,
    annotations,
    accessModes: spec.accessModes,
    volumeMode: spec.volumeMode,
    request: spec.resources?.requests?.['storage'],
    owner: metadata.ownerReferences?.map(({ kind, name }) => `${kind} ${name}`).join(),
  };
}

/**
 * Of provisioning and binding, also as DataVolumes repeat it (Pending, NotFound), and of scheduling: how much of it is seen is chance. And
 * ErrStartingPod, which healthy imports may tell (fact: cdi 1.3), and ImportFailed, for a pod that ends failed while it is deleted.
 */
const leftOut = [
  'ErrStartingPod',
  'ImportFailed',
  'ImportScheduled',
  'Pending',
  'NotFound',
  'ProvisioningSucceeded',
  'ProvisioningFailed',
  'WaitForFirstConsumer',
  'ExternalProvisioning',
  'WaitForPodScheduled',
  'FailedBinding',
];

/** Of an object CDI tells 25 things at once and then one in five minutes: the last of a long import may never be told. */
function isLeftOut(kind: string, reason: string): boolean {
  const isLast = kind === 'DataVolume' && reason === 'ImportSucceeded';
  return kind === 'Pod' || isLast || leftOut.includes(reason);
}

/**
 * Each reason once, in the order of the alphabet: how often, and in what order of two within a millisecond, is chance. So is whether the
 * claim of an importer that was told to end hears of it before the pod is gone.
 */
function eventReasons({ recorder }: Stage): unknown {
  const lines = [...recorder.events.values()]
    .filter(({ message = '' }) => !isCutOff(message))
    .filter(({ reason = '', involvedObject: { kind } }) => !isLeftOut(kind ?? '', reason))
    .map(
      ({ involvedObject, type, reason, message }) =>
        `${involvedObject.kind}: ${type} ${reason}: ${endShape(message ?? '')}`,
    );
  return [...new Set(lines)].sort();
}

function namesOf(stage: Stage, seen: readonly SeenPod[]): readonly (readonly [string, string])[] {
  const { recorder, source, world } = stage;
  const uids = (objects: readonly Stored<{ metadata: { name: string } } & PersistentVolumeClaim>[]) => [
    ...new Set(objects.map(({ metadata }) => metadata.uid)),
  ];
  const names: (readonly [string, string])[] = [
    [stage.namespace, 'ns'],
    [world.vcenter.url, 'https://vcenter/sdk'],
    [new URL(world.vcenter.url).host, 'vcenter'],
    [world.vcenter.thumbprint, 'thumbprint'],
    ...source.names,
    ...uids(recorder.claims).map((uid, index) => [uid, `uid of claim ${index + 1}`] as const),
    ...uids(recorder.volumes as never).map((uid, index) => [uid, `uid of DataVolume ${index + 1}`] as const),
    ...seen.map(({ pod }, index) => [pod.metadata.uid, `uid of pod ${index + 1}`] as const),
  ];
  return names.filter(([from]) => from !== '').sort(([a], [b]) => b.length - a.length);
}

function renamed(value: unknown, names: readonly (readonly [string, string])[]): unknown {
  const rename = (text: string): string =>
    names.reduce((done, [from, to]) => done.replaceAll(from, to), text);
  if (typeof value === 'string') return rename(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [rename(key), inner]));
}
