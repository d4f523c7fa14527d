import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bootGuest } from '../../hack/testbed/guest/boot.ts';
import { provideGuestImage, type GuestFirmware } from '../../hack/testbed/guest/image.ts';
import { provideParts, type GuestParts } from '../../hack/testbed/guest/parts.ts';
import { storageMaps, virtualMachines } from '../../src/api/kinds.ts';
import type { VmHandle } from '../../src/sandbox/vcenter/vm-handle.ts';
import { planWith, untilClean } from '../support/move.ts';
import { isOnTestbed } from '../support/needs.ts';
import { mapObjects, migrationObject, planObject, providerObjects } from '../support/objects.ts';
import { startWorld } from '../support/start-world.ts';
import { TestbedWorld } from '../support/testbed-world.ts';
import { pathsOf, writeImage } from './guest-disks.ts';

const mebibyte = 2 ** 20;
const dataDisk = { sizeBytes: 3 * mebibyte, text: 'a second disk' };
const uuid = '42131f00-9a1b-4c2d-8e3f-405162738495';
const mac = '00:50:56:aa:bb:01';

interface Case {
  readonly firmware: GuestFirmware;
  /** Whether the devices are such as every guest knows, in place of virtio's. */
  readonly compatible: boolean;
  readonly volumeMode: 'Filesystem' | 'Block';
}
const cases: readonly Case[] = [
  { firmware: 'bios', compatible: false, volumeMode: 'Filesystem' },
  { firmware: 'efi', compatible: true, volumeMode: 'Block' },
];

(isOnTestbed ? describe : describe.skip)('a guest that was migrated', () => {
  let parts: GuestParts;
  let folder: string;
  beforeAll(async () => {
    parts = await provideParts(process.env, AbortSignal.timeout(60_000));
    folder = await mkdtemp(join(tmpdir(), 'gantry-boot-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test.each(cases)(
    'boots by $firmware from $volumeMode volumes, with the devices that its VirtualMachine asks for (compatible: $compatible)',
    async ({ firmware, compatible, volumeMode }) => {
      const image = await provideGuestImage(firmware, parts, process.env, AbortSignal.timeout(60_000));
      await using world = await testbedWorld();
      const source = world.vcenter.addVm({
        name: 'guest',
        power: 'on',
        firmware,
        uuid,
        cpu: 2,
        coresPerSocket: 2,
        memoryMiB: 512,
        // SATA disks come before all others (fact: vs 3.2): the source's own boot order must be heeded, or the wrong one boots.
        disks: [{ sizeBytes: image.sizeBytes }, { sizeBytes: dataDisk.sizeBytes, controller: 'sata' }],
        bootDisks: [0],
        nics: [{ network: 'VM Network', mac }],
      });
      await writeImage(source.disks[0]!.disk, image.path);
      source.disks[1]!.disk.write(0, Buffer.from(dataDisk.text));
      await move(world, source, { compatible, volumeMode });

      const at = { namespace: world.targetNamespace, name: 'guest' };
      const vm = await world.client.get(virtualMachines, at);
      expect(vm?.status?.printableStatus).toBe('Running');
      const variables = join(folder, `${firmware}.vars`);
      await copyFile(parts.efiVariables, variables);
      const report = await bootGuest(vm!, {
        disks: await pathsOf(world, vm!),
        efi: { firmware: parts.efiFirmware, variables },
      });

      const { firmware: told, devices } = vm!.spec.template.spec.domain;
      expect(report).toMatchObject({
        firmware,
        cpus: 2,
        serial: told?.serial,
        nics: [{ mac, driver: compatible ? 'e1000e' : 'virtio_net' }],
      });
      // Linux names SATA disks in the order in which they answer: what a disk is, its serial number tells.
      const disks = new Map(report.disks.map((disk) => [disk.serial, disk]));
      const [data, root] = devices.disks!.map(({ serial }) => disks.get(serial ?? ''));
      expect(disks.size).toBe(2);
      expect(report.disks.map(({ bus }) => bus)).toEqual(Array(2).fill(compatible ? 'sata' : 'virtio'));
      expect(report.root).toBe(`/dev/${root?.name}2`);
      expect(report.files).toEqual(image.files);
      // A part of it is the kernel's own.
      expect(report.memoryBytes).toBeGreaterThan(400 * mebibyte);
      expect(report.memoryBytes).toBeLessThanOrEqual(512 * mebibyte);
      expect(data?.sizeBytes).toBeGreaterThanOrEqual(dataDisk.sizeBytes);
      expect(root?.sizeBytes).toBeGreaterThanOrEqual(image.sizeBytes);
    },
    480_000,
  );
});

async function testbedWorld(): Promise<TestbedWorld> {
  const world = await startWorld();
  if (!(world instanceof TestbedWorld)) throw new Error('a guest is booted on the testbed alone');
  return world;
}

async function move(
  world: TestbedWorld,
  source: VmHandle,
  { compatible, volumeMode }: Pick<Case, 'compatible' | 'volumeMode'>,
): Promise<void> {
  await world.namespace(world.planNamespace);
  world.startController();
  await world.apply(...providerObjects(world), ...mapObjects(world));
  const map = { source: { name: 'datastore1' }, destination: { storageClass: 'standard', volumeMode } };
  await world.client.mergePatch(
    storageMaps,
    { namespace: world.planNamespace, name: 'storage' },
    { spec: { map: [map] } },
  );
  await world.apply(
    planObject(world, [{ id: source.id, name: source.name }], { useCompatibilityMode: compatible }),
  );
  await planWith(world, 'Ready');
  await world.apply(migrationObject(world));
  await planWith(world, 'Succeeded');
  await untilClean(world);
}
