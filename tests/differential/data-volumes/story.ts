import type { DataVolume, DataVolumeCheckpoint } from '../../../src/api/external/cdi.ts';
import type { Stage } from './stage.ts';
import type { CopyPace } from '../../support/world.ts';
import type { KubeObject } from '../../../src/api/meta.ts';

/** What happens to a DataVolume, told alike of the sandbox and of the real programs. */
export interface Story {
  readonly name: string;
  /** So that the copy is seen, and something can be done in the middle of it. */
  readonly copy?: CopyPace;
  run(stage: Stage): Promise<void>;
}

export type VolumeMode = 'Filesystem' | 'Block';
export const volumeModes: readonly VolumeMode[] = ['Filesystem', 'Block'];

export const disk = 'disk';
export const accessSecret = 'vcenter-access';

/** First checkpoint: all of the disk. */
export function first(current: string): DataVolumeCheckpoint {
  return { previous: '', current };
}

export function dataVolume(
  spec: Partial<DataVolume['spec']>,
  metadata: Partial<KubeObject['metadata']> = {},
) {
  return {
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'DataVolume',
    metadata: { name: disk, labels: { 'story.example/disk': 'first' }, ...metadata },
    spec: { storage: storage('Filesystem'), ...spec },
  } satisfies DataVolume;
}

export function storage(volumeMode: VolumeMode, size = '8Mi', storageClassName?: string) {
  return {
    accessModes: ['ReadWriteOnce' as const],
    volumeMode,
    resources: { requests: { storage: size } },
    ...(storageClassName !== undefined && { storageClassName }),
  };
}
