import { describe, expect, test } from '@jest/globals';
import type { DataVolume, DataVolumeCheckpoint } from '../../../src/api/external/cdi.ts';
import type { PersistentVolumeClaim, Pod } from '../../../src/api/external/core.ts';
import { dataVolumes, events, persistentVolumeClaims, pods, secrets } from '../../../src/api/kinds.ts';
import { cdiRetainPodAnnotation } from '../../../src/api/labels.ts';
import { claimDiskId } from '../../../src/sandbox/storage/volume-size.ts';
import type { Cluster, ClusterOptions } from './cluster.ts';
import { dataVolume, makeSecret, mebibyte, ns, phasesOf, startCluster, vddk } from './cluster.ts';

const file = vddk.backingFile!;
const prefix = 'cdi.kubevirt.io/storage.checkpoint.';
const name = 'disk-0';
const at = { namespace: ns, name };
const block = 65_536;

/** Where a retry finds as much room as the first try did. */
const onBlock = { volumeMode: 'Block' as const, resources: { requests: { storage: '2Mi' } } };
const first = { previous: '', current: 'snapshot-1' };
const second = { previous: 'snapshot-1', current: 'snapshot-2' };
const third = { previous: 'snapshot-2', current: 'snapshot-3' };

const isDone = ({ status }: DataVolume) => status?.phase === 'Succeeded';
const marksOf = ({ metadata }: PersistentVolumeClaim): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(metadata.annotations ?? {})
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
const isCopied = (current: string) => (claim: PersistentVolumeClaim) => `copied.${current}` in marksOf(claim);
const envOf = ({ spec }: Pod): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries((spec.containers[0]?.env ?? []).map(({ name: key, value }) => [key, value]));

/** Three snapshots of a disk of 2 MiB: between the first two a block is written, between the others none. */
async function prepared(options: ClusterOptions = {}): Promise<Cluster> {
  const cluster = await startCluster(options);
  await makeSecret(cluster.client);
  cluster.source.add(file, 2 * mebibyte);
  cluster.source.freeze(file, 'snapshot-1');
  cluster.source.write(file, block, 7);
  cluster.source.write(file, 3 * block, 0);
  cluster.source.freeze(file, 'snapshot-2');
  cluster.source.freeze(file, 'snapshot-3');
  return cluster;
}

function staged(checkpoints: readonly DataVolumeCheckpoint[], changes: Partial<DataVolume['spec']> = {}) {
  return dataVolume(name, { checkpoints, ...changes });
}

async function append(
  { client }: Cluster,
  checkpoints: readonly DataVolumeCheckpoint[],
  finalCheckpoint = false,
): Promise<void> {
  await client.mergePatch(dataVolumes, at, { spec: { checkpoints, finalCheckpoint } });
}

async function copied(cluster: Cluster, current: string): Promise<PersistentVolumeClaim> {
  await cluster.when(persistentVolumeClaims, name, isCopied(current));
  await cluster.when(dataVolumes, name, ({ status }) => status?.phase === 'Paused');
  return cluster.when(persistentVolumeClaims, name, isCopied(current));
}

async function holds(cluster: Cluster, snapshot: string): Promise<void> {
  const claim = await cluster.when(persistentVolumeClaims, name, () => true);
  const target = cluster.disks.get(claimDiskId(claim))!;
  expect(await target.sha256()).toBe(await cluster.source.store.get(`${file}@${snapshot}`)!.sha256());
}

/** Lets an idle world be idle: nothing but time passes. */
async function hoursLater(cluster: Cluster): Promise<DataVolume> {
  await cluster.clock.sleep(7_200_000);
  return cluster.when(dataVolumes, name, () => true);
}

describe.each(['Filesystem', 'Block'] as const)('an import in stages to a %s volume', (volumeMode) => {
  const storage = { volumeMode, resources: { requests: { storage: '2Mi' } } };

  test('copies all, then what changed, and ends with the final entry', async () => {
    await using cluster = await prepared();
    const watch = phasesOf(cluster, name);
    await cluster.client.create(dataVolumes, staged([first], { storage }));
    const one = await copied(cluster, 'snapshot-1');
    await holds(cluster, 'snapshot-1');
    expect(marksOf(one)).toMatchObject({ current: 'snapshot-1', previous: '', final: 'false' });
    await append(cluster, [first, second]);
    const two = await copied(cluster, 'snapshot-2');
    await holds(cluster, 'snapshot-2');
    expect(marksOf(two)).toMatchObject({
      current: 'snapshot-2',
      previous: 'snapshot-1',
      final: 'false',
      'copied.snapshot-1': marksOf(one)['pod.id'],
      'copied.snapshot-2': marksOf(two)['pod.id'],
    });
    expect(marksOf(two)['pod.id']).not.toBe(marksOf(one)['pod.id']);
    await append(cluster, [first, second, third], true);
    const end = await cluster.when(dataVolumes, name, isDone);
    await holds(cluster, 'snapshot-3');
    expect(end.status).toMatchObject({ progress: '100.0%' });
    const claim = await cluster.when(persistentVolumeClaims, name, () => true);
    expect(marksOf(claim)).toEqual({ done: 'true' });
    const stage = ['ImportScheduled', 'ImportInProgress', 'Paused'];
    const shown = watch.phases.filter((phase) => !['', 'Pending', 'PVCBound'].includes(phase));
    expect(shown).toEqual([...stage, ...stage, ...stage, 'Succeeded']);
    expect(cluster.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
    watch.stop();
  });
});

describe('the list of checkpoints', () => {
  test('is walked to its end without another word when all of it is there from the start', async () => {
    await using cluster = await prepared();
    await cluster.client.create(dataVolumes, staged([first, second], { finalCheckpoint: true }));
    await cluster.when(dataVolumes, name, isDone);
    await holds(cluster, 'snapshot-2');
    const { items } = await cluster.client.list(events, { namespace: ns });
    const told = items
      .filter(({ involvedObject }) => involvedObject.kind === 'DataVolume')
      .map(({ reason }) => reason);
    expect(told).toEqual(expect.arrayContaining(['ImportInProgress', 'ImportPaused', 'ImportSucceeded']));
  });

  test('names the pods, and gives each its own entry in the environment', async () => {
    await using cluster = await prepared({ cdi: { secondsPerDisk: 20 } });
    await cluster.client.create(dataVolumes, staged([first, second], { finalCheckpoint: true }));
    const full = await cluster.when(pods, 'importer-disk-0-checkpoint-snapshot-1', () => true);
    expect(envOf(full)).toMatchObject({
      IMPORTER_CURRENT_CHECKPOINT: 'snapshot-1',
      IMPORTER_PREVIOUS_CHECKPOINT: '',
      IMPORTER_FINAL_CHECKPOINT: 'false',
    });
    const delta = await cluster.when(pods, 'importer-disk-0-checkpoint-snapshot-2', () => true);
    expect(envOf(delta)).toMatchObject({
      IMPORTER_CURRENT_CHECKPOINT: 'snapshot-2',
      IMPORTER_PREVIOUS_CHECKPOINT: 'snapshot-1',
      IMPORTER_FINAL_CHECKPOINT: 'true',
    });
    await cluster.when(dataVolumes, name, isDone);
    await cluster.gone(pods, 'importer-disk-0-checkpoint-snapshot-2');
  });

  test('a final mark that comes after the last copy does nothing, until one more entry brings it along', async () => {
    await using cluster = await prepared();
    await cluster.client.create(dataVolumes, staged([first, second]));
    await copied(cluster, 'snapshot-2');
    await append(cluster, [first, second], true);
    expect((await hoursLater(cluster)).status?.phase).toBe('Paused');
    await append(cluster, [first, second, third], true);
    await cluster.when(dataVolumes, name, isDone);
  });

  test('an entry that repeats an earlier one counts as copied: with the final mark on it the import hangs', async () => {
    await using cluster = await prepared();
    await cluster.client.create(dataVolumes, staged([first]));
    await copied(cluster, 'snapshot-1');
    await append(cluster, [first, { previous: 'snapshot-1', current: 'snapshot-1' }], true);
    expect((await hoursLater(cluster)).status?.phase).toBe('Paused');
    expect(
      await cluster.client.get(pods, { namespace: ns, name: 'importer-disk-0-checkpoint-snapshot-1' }),
    ).toBe(undefined);
  });

  test('an entry that comes after the final one was begun is passed over', async () => {
    await using cluster = await prepared({ cdi: { secondsPerDisk: 60 } });
    await cluster.client.create(dataVolumes, staged([first], { finalCheckpoint: true }));
    await cluster.when(dataVolumes, name, ({ status }) => status?.phase === 'ImportInProgress');
    await cluster.when(
      pods,
      'importer-disk-0-checkpoint-snapshot-1',
      ({ status }) => status?.phase === 'Running',
    );
    const claim = await cluster.when(persistentVolumeClaims, name, () => true);
    expect(marksOf(claim)['final']).toBe('true');
    await cluster.when(
      persistentVolumeClaims,
      name,
      ({ metadata }) => metadata.annotations?.['cdi.kubevirt.io/storage.checkpoint.done'] === 'true',
    );
    await append(cluster, [first, second], true);
    await cluster.when(dataVolumes, name, isDone);
    await holds(cluster, 'snapshot-1');
    expect((await hoursLater(cluster)).status?.phase).toBe('Succeeded');
  });
});

describe('Paused', () => {
  test('lasts 10 to 500 ms before the end and between two entries, by the seed', async () => {
    const lengths: number[] = [];
    for (let seed = 1; seed <= 8; seed += 1) {
      await using cluster = await prepared({ seed });
      const moves: { phase: string; atMs: number }[] = [];
      const abort = new AbortController();
      const watching = (async () => {
        const from = { namespace: ns, resourceVersion: '0' };
        for await (const event of cluster.client.watch(dataVolumes, from, abort.signal)) {
          if (event.type === 'BOOKMARK') continue;
          const phase = event.object.status?.phase ?? '';
          if (moves.at(-1)?.phase !== phase) moves.push({ phase, atMs: cluster.clock.now() });
        }
      })().catch(() => undefined);
      await cluster.client.create(dataVolumes, staged([first, second], { finalCheckpoint: true }));
      await cluster.when(dataVolumes, name, isDone);
      abort.abort();
      await watching;
      moves.forEach(({ phase, atMs }, index) => {
        if (phase === 'Paused') lengths.push(moves[index + 1]!.atMs - atMs);
      });
    }
    expect(lengths).toHaveLength(16);
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(500);
    expect(new Set(lengths).size).toBeGreaterThan(8);
  });

  test('stays for a while after an entry was appended, and without its mark', async () => {
    await using cluster = await prepared();
    await cluster.client.create(dataVolumes, staged([first]));
    await copied(cluster, 'snapshot-1');
    await append(cluster, [first, second]);
    await cluster.clock.sleep(5);
    const still = await cluster.when(dataVolumes, name, () => true);
    const claim = await cluster.when(persistentVolumeClaims, name, () => true);
    expect(still.status?.phase).toBe('Paused');
    expect(isCopied('snapshot-2')(claim)).toBe(false);
    await copied(cluster, 'snapshot-2');
  });

  test('may be seen before the mark of the entry that was copied', async () => {
    await using cluster = await prepared({ cdi: { flickerChance: 1 } });
    await cluster.client.create(dataVolumes, staged([first]));
    await cluster.when(dataVolumes, name, ({ status }) => status?.phase === 'Paused');
    const early = await cluster.client.get(persistentVolumeClaims, at);
    expect(isCopied('snapshot-1')(early!)).toBe(false);
    await copied(cluster, 'snapshot-1');
  });
});

describe('a later stage', () => {
  test('tells its progress from 0 again, as a share of the whole disk, and none when nothing changed', async () => {
    await using cluster = await prepared({ cdi: { secondsPerDisk: 400 } });
    await cluster.client.create(dataVolumes, staged([first]));
    await copied(cluster, 'snapshot-1');
    const paused = await cluster.when(dataVolumes, name, () => true);
    expect(paused.status?.progress).toMatch(/^\d+\.00%$/);
    await append(cluster, [first, second]);
    const seen = new Set<string>();
    await cluster.when(dataVolumes, name, ({ status }) => {
      seen.add(status?.progress ?? '');
      return status?.phase === 'Paused' && status.progress !== paused.status?.progress;
    });
    // Two blocks of thirty-two.
    expect([...seen].at(-1)).toMatch(/^[36]\.00%$/);
    const before = await cluster.when(dataVolumes, name, () => true);
    await append(cluster, [first, second, third]);
    await copied(cluster, 'snapshot-3');
    expect((await cluster.when(dataVolumes, name, () => true)).status?.progress).toBe(
      before.status?.progress,
    );
  });

  test('never lowers the count of restarts, and repeats itself after a crash with growing waits', async () => {
    await using cluster = await prepared();
    cluster.faults.start('importer-crash', { times: 2 });
    await cluster.client.create(dataVolumes, staged([first], { storage: onBlock }));
    await copied(cluster, 'snapshot-1');
    cluster.faults.start('importer-crash', { times: 1 });
    await append(cluster, [first, second], true);
    const end = await cluster.when(dataVolumes, name, isDone);
    expect(end.status?.restartCount).toBe(2);
    await holds(cluster, 'snapshot-2');
  });

  test('is repeated when its pod is deleted in the middle, and marked only by the pod that ended it', async () => {
    await using cluster = await prepared({ cdi: { secondsPerDisk: 600 } });
    await cluster.client.create(dataVolumes, staged([first], { storage: onBlock }));
    const podName = 'importer-disk-0-checkpoint-snapshot-1';
    const one = await cluster.when(pods, podName, ({ status }) => status?.phase === 'Running');
    await cluster.clock.sleep(60_000);
    await cluster.client.delete(pods, { namespace: ns, name: podName });
    const two = await cluster.when(pods, podName, ({ metadata }) => metadata.uid !== one.metadata.uid);
    const claim = await copied(cluster, 'snapshot-1');
    expect(marksOf(claim)['copied.snapshot-1']).toBe(two.metadata.uid);
    await holds(cluster, 'snapshot-1');
  });

  test('whose pod failed as a whole waits until somebody deletes it', async () => {
    await using cluster = await prepared();
    await cluster.client.create(dataVolumes, staged([first], { storage: onBlock }));
    await copied(cluster, 'snapshot-1');
    cluster.faults.start('pod-evicted', { times: 1 });
    await append(cluster, [first, second], true);
    const podName = 'importer-disk-0-checkpoint-snapshot-2';
    await cluster.when(pods, podName, ({ status }) => status?.phase === 'Failed');
    expect((await hoursLater(cluster)).status?.phase).toBe('ImportScheduled');
    await cluster.client.delete(pods, { namespace: ns, name: podName });
    await cluster.when(dataVolumes, name, isDone);
  });

  test('waits for a Secret that was taken away meanwhile', async () => {
    await using cluster = await prepared();
    await cluster.client.create(dataVolumes, staged([first]));
    await copied(cluster, 'snapshot-1');
    await cluster.client.delete(secrets, { namespace: ns, name: 'vcenter-access' });
    await append(cluster, [first, second], true);
    const waiting = await cluster.when(dataVolumes, name, ({ status }) =>
      (status?.conditions ?? []).some(({ reason }) => reason === 'CreateContainerConfigError'),
    );
    expect(waiting.status?.phase).toBe('ImportScheduled');
    await makeSecret(cluster.client);
    await cluster.when(dataVolumes, name, isDone);
    await holds(cluster, 'snapshot-2');
  });

  test('is never marked when its name makes no annotation: the import stands still after the copy', async () => {
    await using cluster = await prepared();
    const long = 'snapshot-'.padEnd(38, 'x');
    cluster.source.freeze(file, long);
    await cluster.client.create(dataVolumes, staged([{ previous: '', current: long }]));
    await cluster.when(
      persistentVolumeClaims,
      name,
      ({ metadata }) => metadata.annotations?.['cdi.kubevirt.io/storage.pod.phase'] === 'Succeeded',
    );
    expect((await hoursLater(cluster)).status?.phase).toBe('ImportInProgress');
  });

  test('leaves its pod there when that is asked for, and the next one is made all the same', async () => {
    await using cluster = await prepared();
    const wanted = staged([first, second], { finalCheckpoint: true });
    const annotations = { [cdiRetainPodAnnotation]: 'true' };
    await cluster.client.create(dataVolumes, { ...wanted, metadata: { ...wanted.metadata, annotations } });
    await cluster.when(dataVolumes, name, isDone);
    const { items } = await cluster.client.list(pods, { namespace: ns });
    expect(items.map(({ metadata }) => metadata.name).sort()).toEqual([
      'importer-disk-0-checkpoint-snapshot-1',
      'importer-disk-0-checkpoint-snapshot-2',
    ]);
  });

  test('whose snapshot is unknown crashes with the source’s words, and the phase stays ImportInProgress', async () => {
    await using cluster = await prepared();
    const unknown = { previous: 'snapshot-1', current: 'snapshot-9' };
    await cluster.client.create(dataVolumes, staged([first, unknown]));
    const failing = await cluster.when(dataVolumes, name, ({ status }) => (status?.restartCount ?? 0) >= 2);
    expect(failing.status?.phase).toBe('ImportInProgress');
    expect(failing.status?.conditions?.find(({ type }) => type === 'Running')?.message).toContain(
      'snapshot-9',
    );
  });
});

describe('a retry of the first, full stage', () => {
  test('on a file system fails on size for ever, since what the first try left counts as used', async () => {
    await using cluster = await prepared();
    cluster.faults.start('importer-crash', { times: 1 });
    await cluster.client.create(dataVolumes, staged([first]));
    const stuck = await cluster.when(dataVolumes, name, ({ status }) => (status?.restartCount ?? 0) >= 5);
    expect(stuck.status?.conditions?.find(({ type }) => type === 'Running')?.message).toBe(
      'DataVolume too small to contain image',
    );
  });

  test('on a block volume succeeds', async () => {
    await using cluster = await prepared();
    cluster.faults.start('importer-crash', { times: 1 });
    await cluster.client.create(dataVolumes, staged([first], { storage: onBlock }));
    await copied(cluster, 'snapshot-1');
  });
});

describe('other sources', () => {
  test('are imported in full once for each entry', async () => {
    await using cluster = await prepared();
    const blank = { source: { blank: {} }, finalCheckpoint: true };
    await cluster.client.create(dataVolumes, staged([first, second], blank));
    await cluster.when(dataVolumes, name, isDone);
    const claim = await cluster.when(persistentVolumeClaims, name, () => true);
    expect(marksOf(claim)).toEqual({ done: 'true' });
  });
});
