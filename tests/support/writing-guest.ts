import { seededRandom } from '../../src/sandbox/random.ts';
import type { VmHandle } from '../../src/sandbox/vcenter/vm-handle.ts';
import type { Clock } from '../../src/runtime/clock.ts';

const block = 64 * 1024;

/** A guest that goes on: some blocks of each disk are new, one is zeros again. */
export function scribble({ disks }: Pick<VmHandle, 'disks'>, seed: number): void {
  disks.forEach(({ disk }, index) => {
    const random = seededRandom(100 * seed + index);
    const blocks = Math.max(1, Math.floor(disk.sizeBytes / block));
    for (let n = 0; n < 3; n += 1) {
      const bytes = new Uint8Array(block).fill(1 + Math.floor(random() * 255));
      disk.write(Math.floor(random() * blocks) * block, bytes);
    }
    disk.write(Math.floor(random() * blocks) * block, new Uint8Array(block));
  });
}

/** Writes every so many seconds for as long as the VM is on, until it is disposed of. */
export function writingGuest(clock: Clock, source: VmHandle, everySeconds: number): Disposable {
  let seed = 0;
  let timer: Disposable | undefined;
  const write = (): void => {
    seed += 1;
    if (source.power === 'poweredOn') scribble(source, seed);
    timer = clock.setTimeout(write, everySeconds * 1000);
  };
  write();
  return { [Symbol.dispose]: () => timer?.[Symbol.dispose]() };
}
