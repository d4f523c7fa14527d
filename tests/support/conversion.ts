import { expect } from '@jest/globals';
import { persistentVolumeClaims, pods, virtualMachines } from '../../src/api/kinds.ts';
import type { PlanSpec } from '../../src/api/plan.ts';
import type { VmHandle } from '../../src/sandbox/vcenter/vm-handle.ts';
import { overlaid, sameBytes } from './bytes.ts';
import { planWith, untilClean } from './move.ts';
import { nothingWithOurLabel } from './moved.ts';
import { namesOf } from './trouble.ts';
import type { SandboxWorld } from './sandbox-world.ts';

/** A Plan whose guests are converted, by an image that it names itself. */
export const converting: Partial<PlanSpec> = {
  skipGuestConversion: false,
  virtV2vImage: 'registry.example/virt-v2v:2.12',
  deleteGuestConversionPod: true,
};

/** It has Succeeded, and each claim holds a disk of the source, overlaid with what one conversion has written, once. */
export async function isConverted(world: SandboxWorld, source: VmHandle): Promise<void> {
  await planWith(world, 'Succeeded');
  await untilClean(world);
  const { items: claims } = await world.client.list(persistentVolumeClaims, {
    namespace: world.targetNamespace,
  });
  expect(claims).toHaveLength(source.disks.length);
  const { conversions } = world.sandbox;
  expect(conversions.map(({ isWhole }) => isWhole)).toEqual([true]);
  const contents = await Promise.all(
    claims.map(async (claim) => ({
      content: await world.contentOf(claim),
      writes: conversions.filter((write) => write.claim === claim.metadata.name),
    })),
  );
  for (const { disk } of source.disks) {
    expect(contents.some(({ content, writes }) => sameBytes(overlaid(disk, writes), content))).toBe(true);
  }
  expect(source.power).toBe('poweredOff');
  const vm = await world.get(virtualMachines, world.targetNamespace, 'web-01');
  expect(vm?.status?.printableStatus).toBe('Running');
  expect(vm?.metadata.labels?.['guestConverted']).toBe('true');
  expect(await namesOf(world, pods)).toEqual([]);
  await nothingWithOurLabel(world);
}
