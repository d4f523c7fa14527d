import { describe, expect, test } from '@jest/globals';
import { blockBytes } from '../../src/sandbox/disk-blocks.ts';
import { createMemoryDiskStore } from '../../src/sandbox/disk-memory.ts';
import type { Disk } from '../../src/sandbox/disk-store.ts';
import { freeAreas, WritingGuest, type GuestOptions } from '../../src/sandbox/guest.ts';
import { SimulatedClock } from '../../src/sandbox/simulated-clock.ts';

const mebibyte = 1_048_576;
const rate = 5_000_000;

/** A VM of two disks, and what its guest does in some seconds. */
function aVm(power: 'poweredOn' | 'poweredOff' = 'poweredOn') {
  const store = createMemoryDiskStore();
  const disks = ['a', 'b'].map((id, key) => ({ key, file: id, disk: store.create(id, 16 * mebibyte) }));
  return { name: 'vm', power, disks };
}

async function afterSeconds(
  seconds: number,
  options: Partial<GuestOptions> & Pick<GuestOptions, 'vm'>,
  during?: (clock: SimulatedClock) => Promise<void>,
): Promise<WritingGuest> {
  const clock = new SimulatedClock({ start: 0 });
  using _running = clock.run();
  using guest = new WritingGuest({ clock, seed: 1, bytesPerSecond: rate, ...options });
  await during?.(clock);
  await clock.sleep(seconds * 1000);
  return guest;
}

const hashes = (disks: readonly { readonly disk: Disk }[]) =>
  Promise.all(disks.map(({ disk }) => disk.sha256()));

describe('a guest that writes', () => {
  test('writes as much a second as it is told, to each of its disks', async () => {
    const vm = aVm();
    const guest = await afterSeconds(4, { vm });
    expect(Math.abs(guest.written - 4 * rate)).toBeLessThan(rate / 5);
    for (const { disk } of vm.disks) expect(disk.extents().length).toBeGreaterThan(0);
  });

  test('writes the same for the same seed, and other things for another', async () => {
    const [one, same, other] = [aVm(), aVm(), aVm()];
    await afterSeconds(2, { vm: one });
    await afterSeconds(2, { vm: same });
    await afterSeconds(2, { vm: other, seed: 2 });
    expect(await hashes(same.disks)).toEqual(await hashes(one.disks));
    expect(await hashes(other.disks)).not.toEqual(await hashes(one.disks));
  });

  test('is silent while its VM is off, owes nothing for that time, and goes on when it is on again', async () => {
    const vm = aVm('poweredOff');
    const guest = await afterSeconds(2, { vm }, async (clock) => {
      await clock.sleep(10_000);
      expect(vm.disks[0]?.disk.extents()).toEqual([]);
      vm.power = 'poweredOn';
    });
    expect(guest.written).toBeGreaterThan(rate);
    expect(guest.written).toBeLessThan(3 * rate);
  });

  test('writes nowhere but in its areas, and nothing once it was disposed of', async () => {
    const vm = aVm();
    const area = { offset: 4 * mebibyte, length: mebibyte };
    const guest = await afterSeconds(5, { vm, areas: [[area], [area]] });
    for (const { disk } of vm.disks) {
      const [first, ...more] = disk.extents();
      expect(more).toEqual([]);
      expect(first).toEqual(area);
    }
    const { written } = guest;
    await afterSeconds(1, { vm });
    expect(guest.written).toBe(written);
  });

  test('without a whole block to write in it is refused', () => {
    const areas = [[{ offset: 1, length: blockBytes }]];
    const clock = new SimulatedClock({ start: 0 });
    expect(() => new WritingGuest({ vm: aVm(), clock, seed: 1, bytesPerSecond: rate, areas })).toThrow(
      /no whole block/,
    );
  });
});

describe('room for a guest', () => {
  test('is in the holes of a disk, the largest first, and no more than asked for', () => {
    const [disk] = aVm().disks.map((each) => each.disk);
    disk!.write(2 * mebibyte, Buffer.alloc(mebibyte, 1));
    disk!.write(8 * mebibyte, Buffer.alloc(mebibyte, 1));
    const areas = freeAreas(disk!, 8 * mebibyte);
    expect(areas).toEqual([
      { offset: 9 * mebibyte, length: 6 * mebibyte },
      { offset: 3 * mebibyte, length: 2 * mebibyte },
    ]);
  });

  test('on a full disk is its last quarter', () => {
    const [disk] = aVm().disks.map((each) => each.disk);
    disk!.write(0, Buffer.alloc(16 * mebibyte, 1));
    expect(freeAreas(disk!, mebibyte)).toEqual([{ offset: 12 * mebibyte, length: mebibyte }]);
  });
});
