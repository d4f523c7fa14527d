import type { DataVolume, DataVolumeSource } from '../../api/external/cdi.ts';
import { dataVolumes } from '../../api/kinds.ts';
import type { Stored } from '../../api/meta.ts';
import type { VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import type { Action } from '../../migration/phase.ts';
import type { DiskModel } from '../../model/vm.ts';
import type { Limiter } from '../../runtime/limiter.ts';
import { accessNames } from '../../target/access.ts';
import { appendStage, buildDataVolume } from '../../target/data-volume.ts';
import type { SourceHub } from '../source-hub.ts';
import type { TargetCluster } from '../target-cluster.ts';
import { createOurs } from './create-ours.ts';

export interface DataVolumeDeps {
  readonly cluster: TargetCluster;
  readonly sources: SourceHub;
  /** CDI's webhooks time out when a hundred DataVolumes are made at once (review.md F38). */
  readonly creates: Limiter;
}

type Create = Extract<Action, { do: 'createDataVolume' }>;

/** The DataVolume that fills a disk, as it is made and, before that, as the cluster is asked whether it would take it. */
export function wantedDataVolume(
  object: VirtualMachineImport,
  { diskKey, growPercent = 0, stage }: Omit<Create, 'do'>,
  sources: SourceHub,
): DataVolume {
  const disk = object.spec.disks.find((candidate) => candidate.key === diskKey);
  const model = object.spec.model.disks.find((candidate) => candidate.key === diskKey);
  if (disk === undefined || model === undefined) throw new RangeError(`the import has no disk ${diskKey}`);
  const placed = { ...model, sourceId: stage?.sourceId ?? model.sourceId };
  const source = dataVolumeSource(object, placed, accessNames(object), sources);
  return buildDataVolume(object, disk, source, {
    growPercent,
    ...(stage !== undefined && {
      sizeBytes: stage.sizeBytes,
      checkpoints: [{ previous: '', current: stage.current }],
      finalCheckpoint: stage.isFinal,
    }),
  });
}

function dataVolumeSource(
  object: VirtualMachineImport,
  disk: DiskModel,
  refs: { readonly secret: string; readonly configMap?: string },
  sources: SourceHub,
): DataVolumeSource {
  const { transfer } = sources.source(object.spec.source.provider);
  const step = transfer.nextPreparation({ ...object.spec.model, disks: [disk] }, new Map());
  const feed = 'ready' in step ? step.ready.get(disk.key) : undefined;
  if (feed === undefined) throw new RangeError(`the source offers no way to read disk ${disk.key}`);
  return transfer.dataVolumeSource(disk, feed, refs);
}

export async function createDataVolume(
  object: Stored<VirtualMachineImport>,
  action: Create,
  { cluster, sources, creates }: DataVolumeDeps,
  signal: AbortSignal,
): Promise<void> {
  const wanted = wantedDataVolume(object, action, sources);
  const stored = await creates.run(() => createOurs(dataVolumes, wanted, object, cluster, signal));
  cluster.dataVolumes.put(stored);
}

export async function appendCheckpoint(
  { spec }: VirtualMachineImport,
  { name, uid, after, current, previous, isFinal }: Extract<Action, { do: 'appendCheckpoint' }>,
  { cluster }: DataVolumeDeps,
  signal: AbortSignal,
): Promise<void> {
  const at = { namespace: spec.target.namespace, name };
  const dataVolume = cluster.dataVolumes.get(at) ?? (await cluster.client.get(dataVolumes, at, signal));
  const all = dataVolume?.spec.checkpoints ?? [];
  // The list as it was when this was decided; what came after it fails the test of the patch.
  const held = all.slice(0, all.findLastIndex((stage) => stage.current === after) + 1);
  const patch = appendStage(uid, held, { current, previous, isFinal });
  cluster.dataVolumes.put(await cluster.client.jsonPatch(dataVolumes, at, patch, {}, signal));
}
