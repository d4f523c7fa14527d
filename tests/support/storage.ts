import type { VolumeMode } from '../../src/api/external/core.ts';
import { storageClasses, storageMaps } from '../../src/api/kinds.ts';
import type { TestWorld } from './world.ts';

/** A storage class of the test's own, made as the world's "standard" is; the cluster's own are not a test's to take away. */
export async function addClass(world: TestWorld, name: string): Promise<void> {
  const { metadata: _metadata, ...standard } = (await world.client.get(storageClasses, {
    name: 'standard',
  }))!;
  await world.client.create(storageClasses, { ...standard, metadata: { name } });
}

/** The plan's disks go to this class. */
export async function useClass(
  world: TestWorld,
  destination: {
    readonly storageClass: string;
    readonly accessMode?: 'ReadWriteOnce';
    readonly volumeMode?: VolumeMode;
  },
): Promise<void> {
  const map = [{ source: { name: 'datastore1' }, destination }];
  const at = { namespace: world.planNamespace, name: 'storage' };
  await world.client.mergePatch(storageMaps, at, { spec: { map } });
}
