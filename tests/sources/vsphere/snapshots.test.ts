import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { scrubber } from '../../../src/model/scrub.ts';
import { SourceError } from '../../../src/model/fault.ts';
import type { SnapshotRemoval, SnapshotState, VmHandle } from '../../../src/model/source-data.ts';
import type { VmModel } from '../../../src/model/vm.ts';
import { RecordingLogger } from '../../../src/runtime/recording-logger.ts';
import type { Snapshots, Source } from '../../../src/sources/source.ts';
import { createVspherePlatform } from '../../../src/sources/vsphere/platform.ts';
import type { VmHandle as SimulatedVm } from '../../../src/sandbox/vcenter/vm-handle.ts';
import { password, user, VCenterWorld } from '../../sandbox/vcenter/soap-caller.ts';
import { secretOf } from './fake-vcenter.ts';

const never = new AbortController().signal;
const marker = 'gantry-import-1';

let world: VCenterWorld;
let source: Source;
let snapshots: Snapshots;
let simulated: SimulatedVm;
let vm: VmHandle;
let model: VmModel;

beforeEach(async () => {
  world = new VCenterWorld();
  simulated = world.vcenter.addVm({
    name: 'web-01',
    power: 'on',
    changeTracking: true,
    disks: [{ sizeBytes: 1 << 20 }, { sizeBytes: 2 << 20 }],
  });
  const secret = secretOf({ user, password, 'ca.crt': world.vcenter.caPem }, '1');
  source = await createVspherePlatform().open(
    { url: world.vcenter.url, secret, settings: {}, hosts: [] },
    {
      clock: world.clock,
      random: () => 0.5,
      log: new RecordingLogger(),
      scrub: scrubber([password]),
      connect: (url, trust) => world.vcenter.connect(url, trust),
    },
    never,
  );
  if (source.snapshots === undefined) throw new Error('no snapshots');
  snapshots = source.snapshots;
  const { instance } = await source.probe(never);
  vm = { vmId: simulated.id, identity: `${instance}/${simulated.instanceUuid}`, endpoint: 'provider' };
  model = await source.describe(vm, never);
});
afterEach(async () => {
  await source[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

async function untilState<T extends { readonly state: string }>(
  read: () => Promise<T>,
  wanted: T['state'],
): Promise<T> {
  const seen: string[] = [];
  for (let step = 0; step < 1000; step += 1) {
    const reading = await read();
    if (reading.state === wanted) return reading;
    seen.push(reading.state);
    await world.clock.advance(500);
  }
  throw new Error(`never ${wanted}: ${[...new Set(seen)].join(', ')}`);
}

const state = (): Promise<SnapshotState> => snapshots.state(vm, marker, never);

async function snapshotted(quiesce = true): Promise<string> {
  await snapshots.create(vm, marker, { quiesce }, never);
  const ready = await untilState(state, 'ready');
  if (ready.state !== 'ready') throw new Error('not ready');
  return ready.id;
}

describe('a snapshot', () => {
  test('is absent, then on its way, then ready under its marker', async () => {
    expect(await state()).toEqual({ state: 'absent' });
    await snapshots.create(vm, marker, { quiesce: true }, never);
    expect((await state()).state).toBe('creating');
    expect(await untilState(state, 'ready')).toEqual({ state: 'ready', id: simulated.snapshots[0]!.id });
  });

  test('that is on its way is seen by a process that did not ask for it', async () => {
    await snapshots.create(vm, marker, { quiesce: false }, never);
    expect(await snapshots.state(vm, 'gantry-other', never)).toMatchObject({ state: 'creating' });
  });

  test('that the guest cannot be quiesced for has failed for that reason', async () => {
    using _fault = world.faults.start('snapshot-quiesce-fails');
    await snapshots.create(vm, marker, { quiesce: true }, never);
    expect(await untilState(state, 'failed')).toMatchObject({ quiesceFault: true });
    await snapshots.create(vm, marker, { quiesce: false }, never);
    await untilState(state, 'ready');
  });

  test('is gone only when it is merged', async () => {
    const id = await snapshotted();
    const removal = (): Promise<SnapshotRemoval> => snapshots.removal(vm, id, never);
    expect(await removal()).toEqual({ state: 'present' });
    await snapshots.remove(vm, id, never);
    expect((await removal()).state).toBe('removing');
    expect(await untilState(removal, 'gone')).toEqual({ state: 'gone' });
    expect(simulated.snapshots).toEqual([]);
    await snapshots.remove(vm, id, never);
  });

  test('whose files were left behind is asked away once more, by merging them', async () => {
    const id = await snapshotted();
    const removal = (): Promise<SnapshotRemoval> => snapshots.removal(vm, id, never);
    {
      using _fault = world.faults.start('consolidation-fails', { times: 1 });
      await snapshots.remove(vm, id, never);
      await untilState(removal, 'present');
    }
    expect(simulated.snapshots).toEqual([]);
    await snapshots.remove(vm, id, never);
    await untilState(removal, 'gone');
  });

  test('tells where each disk stands, by another change id each time and the same epoch', async () => {
    const first = await snapshots.checkpoints(vm, await snapshotted(), model.disks, never);
    expect([...first.keys()]).toEqual(model.disks.map(({ key }) => key));
    await snapshots.remove(vm, simulated.snapshots[0]!.id, never);
    await untilState(state, 'absent');
    simulated.disks[0]!.disk.write(0, new Uint8Array([1]));
    const second = await snapshots.checkpoints(vm, await snapshotted(), model.disks, never);
    for (const { key, sizeBytes } of model.disks) {
      expect(second.get(key)).toMatchObject({ sizeBytes, epoch: first.get(key)?.epoch });
      expect(second.get(key)?.nextPrevious).not.toBe(first.get(key)?.nextPrevious);
    }
  });

  test('after change tracking was lost has another epoch', async () => {
    const first = await snapshots.checkpoints(vm, await snapshotted(), model.disks, never);
    await snapshots.remove(vm, simulated.snapshots[0]!.id, never);
    await untilState(state, 'absent');
    simulated.loseChangeTracking();
    const second = await snapshots.checkpoints(vm, await snapshotted(), model.disks, never);
    for (const { key } of model.disks) expect(second.get(key)?.epoch).not.toBe(first.get(key)?.epoch);
  });

  test('of a VM whose changes are not tracked is of no use, and says what to do', async () => {
    simulated.setChangeTracking(false);
    const id = await snapshotted();
    const refused = await snapshots.checkpoints(vm, id, model.disks, never).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(SourceError);
    expect(refused).toMatchObject({ code: 'ChangeTrackingOff', kind: 'unsupported' });
  });
});

describe('an audit', () => {
  const audit = (ours: readonly string[] = []) => snapshots.audit(vm, model, ours, never);

  test('finds nothing where nothing has changed', async () => {
    expect(await audit()).toMatchObject({
      foreign: [],
      missing: [],
      diskSet: 'same',
      grown: [],
      trackingLost: [],
      datastores: [{ name: 'datastore1' }],
    });
  });

  test("tells somebody else's snapshots from ours", async () => {
    await snapshotted();
    simulated.takeSnapshot('backup');
    expect(await audit([marker, 'gantry-gone'])).toMatchObject({
      foreign: ['backup'],
      missing: ['gantry-gone'],
    });
  });

  test('finds a disk that was added, and one that has grown', async () => {
    simulated.growDisk(simulated.disks[0]!.key, 4 << 20);
    expect(await audit()).toMatchObject({ diskSet: 'same', grown: [model.disks[0]!.key] });
    simulated.addDisk({ sizeBytes: 1 << 20 });
    expect(await audit()).toMatchObject({ diskSet: 'changed' });
  });

  test('tells where each disk stands as the next snapshot will', async () => {
    const { disks } = await audit();
    const id = await snapshotted();
    for (const [key, { sizeBytes, epoch, place }] of await snapshots.checkpoints(vm, id, model.disks, never))
      expect(disks?.get(key)).toEqual({ sizeBytes, epoch, place });
    simulated.removeSnapshot(id);
    simulated.loseChangeTracking(simulated.disks[0]!.key);
    const [lost, kept] = model.disks.map(({ key }) => [disks?.get(key)?.epoch, key] as const);
    const now = (await audit()).disks;
    expect(now?.get(lost![1])?.epoch).not.toBe(lost![0]);
    expect(now?.get(kept![1])?.epoch).toBe(kept![0]);
  });

  test('finds that changes are not tracked any more', async () => {
    simulated.setChangeTracking(false);
    expect((await audit()).trackingLost).toHaveLength(2);
  });
});
