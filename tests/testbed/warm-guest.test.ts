import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bootGuest } from '../../hack/testbed/guest/boot.ts';
import { provideGuestImage, type GuestImage } from '../../hack/testbed/guest/image.ts';
import { provideParts, type GuestParts } from '../../hack/testbed/guest/parts.ts';
import { virtualMachines } from '../../src/api/kinds.ts';
import type { VmHandle } from '../../src/sandbox/vcenter/vm-handle.ts';
import type { ControllerInstance } from '../support/controller-instance.ts';
import { mapObjects, migrationObject, planObject, providerObjects } from '../support/objects.ts';
import { startWorld } from '../support/start-world.ts';
import type { TestbedWorld } from '../support/testbed-world.ts';
import { powerCalls } from '../support/trouble.ts';
import { cutoverNow, isMovedWarm, roundsOf, tracked, untilCopied, warmPlan } from '../support/warm.ts';
import { pathsOf, writeImage } from './guest-disks.ts';
import { LiveGuest } from './live-guest/live-guest.ts';
import { onTestbed } from './trouble/real-run.ts';

/** It boots twice, once at each end. */
const limitMs = 480_000;
const settings = { precopySeconds: 2, precopyFloorSeconds: 1, precopyJitterPercent: 0, mostRounds: 3 };

describe('a Linux guest that writes to its ext4 all the while', () => {
  let parts: GuestParts;
  let image: GuestImage;
  let folder: string;
  beforeAll(async () => {
    parts = await provideParts(process.env, AbortSignal.timeout(60_000));
    image = await provideGuestImage('bios', parts, process.env, AbortSignal.timeout(60_000));
    folder = await mkdtemp(join(tmpdir(), 'gantry-guest-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test(
    'boots from what four rounds have brought over, and has every file that it wrote before the power-off',
    async () => {
      await using world = onTestbed(await startWorld({ settings }));
      const source = world.vcenter.addVm(
        tracked({ memoryMiB: 512, disks: [{ sizeBytes: image.sizeBytes, controller: 'sata' }] }),
      );
      await writeImage(source.disks[0]!.disk, image.path);
      await using guest = await LiveGuest.start(source.disks[0]!.disk, folder);
      // The test shuts the guest down in its tools' place.
      world.faults.start('guest-ignores-shutdown', { subject: source.name });
      const controller = await moveWarm(world, source);
      const totals: number[] = [];
      for (const round of [1, 2, 3]) {
        await untilCopied(world, round);
        totals.push(guest.total);
      }
      await cutoverNow(world);
      await world.until('the guest is asked to shut down', () =>
        Promise.resolve(powerCalls(world).includes('ShutdownGuest') || undefined),
      );
      totals.push(guest.total);
      await guest.shutDown();
      source.powerOff();
      await isMovedWarm({ world, source, sources: [source], controller });

      expect(await roundsOf(world)).toBe(4);
      expect(totals).toEqual([...new Set(totals)].sort((one, other) => one - other));
      expect(guest.total).toBeGreaterThan(totals.at(-1)!);
      const at = { namespace: world.targetNamespace, name: 'web-01' };
      const target = await world.client.get(virtualMachines, at);
      const report = await bootGuest(target!, {
        disks: await pathsOf(world, target!),
        efi: { firmware: parts.efiFirmware, variables: '' },
      });
      expect(report.files).toEqual({ ...image.files, ...guest.files });
    },
    limitMs,
  );
});

async function moveWarm(world: TestbedWorld, { id, name }: VmHandle): Promise<ControllerInstance> {
  await world.namespace(world.planNamespace);
  await world.apply(
    ...providerObjects(world),
    ...mapObjects(world),
    planObject(world, [{ id, name }], warmPlan),
    migrationObject(world),
  );
  return world.startController();
}
