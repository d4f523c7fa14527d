import { expect } from '@jest/globals';
import {
  configMaps,
  dataVolumes,
  persistentVolumeClaims,
  pods,
  secrets,
  virtualMachineImports,
  virtualMachines,
} from '../../src/api/kinds.ts';
import { importLabel } from '../../src/api/labels.ts';
import type { ConversionWrite } from '../../src/sandbox/conversion/converter.ts';
import type { VmHandle } from '../../src/sandbox/vcenter/vm-handle.ts';
import { overlaid, sameBytes } from './bytes.ts';
import type { Made } from './move.ts';
import type { Look } from './world.ts';

/** A live look at every kind: no object in the target namespace carries our label. */
export async function nothingWithOurLabel(world: Look): Promise<void> {
  for (const kind of [dataVolumes, pods, secrets, configMaps, virtualMachines, persistentVolumeClaims]) {
    const { items } = await world.client.list(kind, {
      namespace: world.targetNamespace,
      labelSelector: importLabel,
    });
    expect({ kind: kind.plural, left: items.map((item) => item.metadata.name) }).toEqual({
      kind: kind.plural,
      left: [],
    });
  }
}

/**
 * The VM stands at its target with the source's bytes, the source is off and clean, and every object was made exactly once.
 *
 * @param written to the disk after its copy, by a converter.
 */
export async function isMovedOnce(
  world: Look,
  source: VmHandle,
  made: Pick<Made, 'count'>,
  written: readonly ConversionWrite[] = [],
): Promise<void> {
  const target = await world.get(virtualMachines, world.targetNamespace, 'web-01');
  expect(target?.status?.printableStatus).toBe('Running');
  expect(source.power).toBe('poweredOff');
  expect(source.snapshots).toEqual([]);
  const { items: claims } = await world.client.list(persistentVolumeClaims, {
    namespace: world.targetNamespace,
  });
  expect(claims).toHaveLength(1);
  const wanted = overlaid(source.disks[0]!.disk, written);
  expect(sameBytes(wanted, await world.contentOf(claims[0]!))).toBe(true);
  await nothingWithOurLabel(world);
  const counts = [dataVolumes, persistentVolumeClaims, virtualMachines, secrets, virtualMachineImports].map(
    (kind) => [kind.plural, made.count(kind)],
  );
  expect(counts).toEqual(counts.map(([plural]) => [plural, 1]));
  const powerOffs = world.trace.entries.filter((entry) => /ShutdownGuest|PowerOff/i.test(entry.what));
  expect(powerOffs.length).toBeLessThanOrEqual(2);
}

/** Each of the VM's disks stands behind a claim of its VirtualMachine, byte for byte, and there are no other claims. */
export async function disksAreMoved(
  world: Look,
  source: VmHandle,
  claimNames: readonly string[],
): Promise<void> {
  const { items } = await world.client.list(persistentVolumeClaims, { namespace: world.targetNamespace });
  expect(items.map(({ metadata }) => metadata.name).sort()).toEqual([...claimNames].sort());
  for (const [index, { disk }] of source.disks.entries()) {
    const claim = items.find(({ metadata }) => metadata.name === claimNames[index]);
    expect(sameBytes(disk, await world.contentOf(claim!))).toBe(true);
    expect(claim?.metadata.ownerReferences?.map(({ kind }) => kind)).toEqual(['VirtualMachine']);
  }
}
