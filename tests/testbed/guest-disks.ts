import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import type { VirtualMachine } from '../../src/api/external/kubevirt.ts';
import { persistentVolumeClaims } from '../../src/api/kinds.ts';
import type { Stored } from '../../src/api/meta.ts';
import type { Disk } from '../../src/sandbox/disk-store.ts';
import type { TestbedWorld } from '../support/testbed-world.ts';

/** As it stands on the disk of a source, holes left out. */
export async function writeImage(disk: Disk, path: string): Promise<void> {
  const bytes = await readFile(path);
  const piece = 65_536;
  for (let at = 0; at < bytes.length; at += piece) {
    const part = bytes.subarray(at, at + piece);
    if (part.some((byte) => byte !== 0)) disk.write(at, part);
  }
  expect(createHash('sha256').update(disk.read(0, disk.sizeBytes)).digest('hex')).toBe(
    createHash('sha256').update(bytes).digest('hex'),
  );
}

/** What is behind the VM's volumes, by their names. */
export async function pathsOf(
  world: TestbedWorld,
  vm: Stored<VirtualMachine>,
): Promise<ReadonlyMap<string, string>> {
  const found = (vm.spec.template.spec.volumes ?? []).map(async ({ name, persistentVolumeClaim }) => {
    const claimName = persistentVolumeClaim?.claimName ?? '';
    const claim = await world.client.get(persistentVolumeClaims, {
      namespace: world.targetNamespace,
      name: claimName,
    });
    const volume = await world.testbed.volume(claim?.metadata.uid ?? '');
    if (volume === undefined) throw new Error(`claim ${claimName} has no volume`);
    const path = volume.mode === 'Block' ? volume.path : join(volume.path, 'disk.img');
    return [name, path] as const;
  });
  return new Map(await Promise.all(found));
}
