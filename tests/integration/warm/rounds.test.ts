import { describe, expect, test } from '@jest/globals';
import type { VolumeMode } from '../../../src/api/external/core.ts';
import { persistentVolumeClaims, storageMaps } from '../../../src/api/kinds.ts';
import { diskBytes } from '../../support/move.ts';
import { startRun, type Run } from '../../support/trouble.ts';
import {
  cutoverNow,
  isMovedWarm,
  quickRounds,
  roundsOf,
  startWarm,
  tracked,
  untilCopied,
  warmPlan,
} from '../../support/warm.ts';
import type { TestWorld } from '../../support/world.ts';
import { writingGuest } from '../../support/writing-guest.ts';

/** Disks on each of these datastores become volumes of this mode. */
const modes: Readonly<Record<string, VolumeMode>> = { datastore1: 'Filesystem', datastore2: 'Block' };
type Datastore = keyof typeof modes;

function vmOn(datastores: readonly Datastore[]) {
  const disks = datastores.map((datastore, index) => ({ datastore, sizeBytes: (index + 1) * 1024 * 1024 }));
  return tracked({ name: `disks-${datastores.length}`, disks });
}

const vms = [
  vmOn(['datastore2']),
  vmOn(['datastore1', 'datastore1']),
  vmOn(['datastore2', 'datastore1', 'datastore2']),
  vmOn(['datastore1', 'datastore2', 'datastore1', 'datastore2']),
];

async function mapModes(world: TestWorld): Promise<void> {
  const map = Object.entries(modes).map(([name, volumeMode]) => ({
    source: { name },
    destination: { storageClass: 'standard', volumeMode },
  }));
  const at = { namespace: world.planNamespace, name: 'storage' };
  await world.client.mergePatch(storageMaps, at, { spec: { map } });
}

/** By the VM's disks, in their order. */
async function modesOf({ world, source }: Run): Promise<readonly (string | undefined)[]> {
  const object = (await world.imports()).find(({ spec }) => spec.vm.name === source.name);
  const claims = (object?.spec.disks ?? []).map(({ claimName: name }) =>
    world.get(persistentVolumeClaims, world.targetNamespace, name),
  );
  return (await Promise.all(claims)).map((claim) => claim?.spec.volumeMode);
}

describe('a warm migration', () => {
  test('brings over in four rounds what guests wrote until they went off: one to four disks, file systems and block devices', async () => {
    const run = await startRun(vms, {
      plan: warmPlan,
      settings: { ...quickRounds, precopySeconds: 2, mostRounds: 3 },
      prepare: mapModes,
    });
    await using world = run.world;
    using guests = new DisposableStack();
    for (const source of run.sources) guests.use(writingGuest(world.clock, source, 1));
    for (const { name } of run.sources) await untilCopied(world, 3, name);
    for (const { power } of run.sources) expect(power).toBe('poweredOn');
    await cutoverNow(world);
    for (const source of run.sources) {
      await isMovedWarm({ ...run, source });
      expect(await roundsOf(world, source.name)).toBe(4);
    }
    for (const [index, source] of run.sources.entries()) {
      const wanted = vms[index]!.disks?.map(({ datastore = '' }) => modes[datastore]);
      expect(await modesOf({ ...run, source })).toEqual(wanted);
    }
  });

  test('reads nothing of a guest that wrote nothing, and of one that wrote what it wrote', async () => {
    const run = await startWarm({ settings: { precopySeconds: 2 } }, [
      tracked({ disks: [{ sizeBytes: 4 * diskBytes }] }),
    ]);
    await using world = run.world;
    const { vcenter } = world;
    const block = 64 * 1024;
    await untilCopied(world, 1);
    const whole = vcenter.bytesRead;
    expect(whole).toBeGreaterThan(block);
    await untilCopied(world, 2);
    expect(vcenter.bytesRead - whole).toBe(0);
    run.source.disks[0]!.disk.write(block, new Uint8Array(block).fill(7));
    const before = await roundsOf(world);
    await untilCopied(world, before + 1);
    expect(vcenter.bytesRead - whole).toBe(block);
    await cutoverNow(world);
    await isMovedWarm(run);
    expect(vcenter.bytesRead - whole).toBe(block);
  });
});
