import type {
  DataVolume,
  DataVolumeCheckpoint,
  DataVolumeSource,
  DataVolumeStorage,
} from '../api/external/cdi.ts';
import {
  cdiBindImmediateAnnotation,
  cdiDeleteAfterCompletionAnnotation,
  cdiUsePopulatorAnnotation,
  diskSourceAnnotation,
} from '../api/labels.ts';
import type { JsonPatch } from '../api/meta.ts';
import type { FrozenDisk } from '../api/virtual-machine-import.ts';
import { diskLabels, type ImportSubject } from './labels.ts';

const mebibyte = 2 ** 20;
/** What CDI adds to a claim with a file system, unless its configuration says otherwise (fact: cdi 1.2). */
const filesystemOverhead = 0.06;
const diskIndexAnnotation = 'forklift.konveyor.io/disk-index';

export interface DataVolumeOptions {
  /** Percent by which the claim is larger than the disk: the cure for a file system that takes more than CDI expects. */
  readonly growPercent?: number;
  /** Warm: the stages so far. Left out, the disk is copied once. */
  readonly checkpoints?: readonly DataVolumeCheckpoint[];
  readonly finalCheckpoint?: boolean;
  /** Of the disk as it is now, where it has grown since it was planned. */
  readonly sizeBytes?: number;
}

/**
 * The DataVolume that copies one disk. `source` is what the platform gave for it (`Transfer.dataVolumeSource`); no secret stands in it.
 * Always CDI's older path (no populator), which has one bookkeeping for one and for many stages (review.md F36), and always `storage`,
 * because CDI adds a file system's overhead to nothing else (fact: cdi 1.2).
 */
export function buildDataVolume(
  subject: ImportSubject,
  disk: FrozenDisk,
  source: DataVolumeSource,
  options: DataVolumeOptions = {},
): DataVolume {
  const { spec } = subject;
  return {
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'DataVolume',
    metadata: {
      name: disk.claimName,
      namespace: spec.target.namespace,
      labels: diskLabels(subject, disk.key),
      annotations: annotationsOf(subject, disk),
    },
    spec: {
      source: withVddkImage(source, spec.vddkImage),
      storage: storageOf(
        { ...disk, sizeBytes: options.sizeBytes ?? disk.sizeBytes },
        options.growPercent ?? 0,
      ),
      ...(options.checkpoints !== undefined && {
        checkpoints: options.checkpoints,
        finalCheckpoint: options.finalCheckpoint ?? false,
      }),
    },
  };
}

/**
 * One more stage behind those that are there. The whole list is tested, so that a patch that is repeated, or meets somebody else's edit, does
 * nothing: the same stage twice would hang CDI for ever (fact: cdi 0.3). The final stage closes the list in the same patch, because CDI
 * asks for that only when it begins a stage (fact: cdi 2.1).
 */
export function appendStage(
  uid: string,
  held: readonly DataVolumeCheckpoint[],
  stage: DataVolumeCheckpoint & { readonly isFinal: boolean },
): JsonPatch {
  const { current, previous, isFinal } = stage;
  return [
    { op: 'test', path: '/metadata/uid', value: uid },
    { op: 'test', path: '/spec/checkpoints', value: held },
    { op: 'replace', path: '/spec/checkpoints', value: [...held, { current, previous }] },
    ...(isFinal ? [{ op: 'add', path: '/spec/finalCheckpoint', value: true } as const] : []),
  ];
}

/**
 * Bytes that the request of a disk's claim comes to, for a sum against a quota. A claim that is known to hold a file system counts with
 * CDI's usual overhead; one whose mode the storage profile decides counts without, so that nothing is refused that might fit.
 */
export function claimBytes(disk: FrozenDisk): number {
  const requested = requestBytes(disk, 0);
  return disk.volumeMode === 'Filesystem' ? Math.ceil(requested * (1 + filesystemOverhead)) : requested;
}

/** Whole MiB, as Forklift and CDI round (facts: vsphere 3.2, cdi 1.2): the source disk always fits. */
function requestBytes(disk: FrozenDisk, growPercent: number): number {
  const wanted = Math.max(disk.sizeBytes, 1) * (1 + growPercent / 100);
  return Math.ceil(wanted / mebibyte) * mebibyte;
}

function storageOf(disk: FrozenDisk, growPercent: number): DataVolumeStorage {
  return {
    // Without a class the cluster's default is taken; without modes the class's StorageProfile decides (fact: cdi 1.2).
    ...(disk.class !== '' && { storageClassName: disk.class }),
    ...(disk.accessMode !== undefined && { accessModes: [disk.accessMode] }),
    ...(disk.volumeMode !== undefined && { volumeMode: disk.volumeMode }),
    resources: { requests: { storage: String(requestBytes(disk, growPercent)) } },
  };
}

function annotationsOf({ spec }: ImportSubject, disk: FrozenDisk): Readonly<Record<string, string>> {
  return {
    [cdiUsePopulatorAnnotation]: 'false',
    // No VM exists yet that could be the first consumer of the claim (fact: cdi 6).
    [cdiBindImmediateAnnotation]: 'true',
    // CDI 1.55 to 1.61 would delete a DataVolume that has succeeded (fact: cdi 1.4).
    [cdiDeleteAfterCompletionAnnotation]: 'false',
    [diskSourceAnnotation]: disk.sourceId,
    [diskIndexAnnotation]: String(disk.index),
    ...(spec.network !== undefined && { [spec.network.annotation]: spec.network.value }),
  };
}

/** The image with the VDDK library is a choice of the run, not of the source; where the source has named one, that stands. */
function withVddkImage(source: DataVolumeSource, image: string | undefined): DataVolumeSource {
  if (source.vddk === undefined || source.vddk.initImageURL !== undefined || image === undefined)
    return source;
  return { ...source, vddk: { ...source.vddk, initImageURL: image } };
}
