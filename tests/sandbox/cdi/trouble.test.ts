import { describe, expect, test } from '@jest/globals';
import { dataVolumes, persistentVolumeClaims, pods, virtualMachines } from '../../../src/api/kinds.ts';
import { SystemClock } from '../../../src/runtime/clock.ts';
import { claimDiskId } from '../../../src/sandbox/storage/volume-size.ts';
import type { FaultName } from '../../../src/sandbox/world.ts';
import { machine } from '../kubevirt/machine.ts';
import { dataVolume, makeSecret, mebibyte, ns, seeded, startCluster, vddk } from './cluster.ts';

const file = vddk.backingFile!;

describe('an API server in trouble', () => {
  const faults: readonly (readonly [FaultName, string])[] = [
    ['api-error', 'patch persistentvolumeclaims'],
    ['api-error', 'create pods'],
    ['api-error', 'patch pods/status'],
    ['api-conflict', 'patch persistentvolumeclaims'],
    ['api-too-many-requests', 'patch datavolumes/status'],
    ['api-answer-lost', 'create persistentvolumeclaims'],
    ['api-answer-lost', 'create pods'],
    ['api-answer-lost', 'create persistentvolumes'],
    ['api-answer-lost', 'patch persistentvolumeclaims/status'],
    ['api-answer-lost', 'create virtualmachineinstances'],
    ['watch-cut', 'watch pods'],
    ['watch-gone', 'watch persistentvolumeclaims'],
  ];
  test.each(faults)('%s on "%s" delays imports and machines, and spoils neither', async (name, subject) => {
    await using cluster = await startCluster();
    await makeSecret(cluster.client);
    cluster.source.add(file, 2 * mebibyte);
    cluster.faults.start(name, { subject, times: 3 });
    await cluster.client.create(dataVolumes, dataVolume('disk-0'));
    await cluster.client.create(virtualMachines, machine('vm', { spec: { runStrategy: 'Always' } }));
    const done = await cluster.when(dataVolumes, 'disk-0', ({ status }) => status?.phase === 'Succeeded');
    expect(done.status).not.toHaveProperty('restartCount');
    const claim = await cluster.when(persistentVolumeClaims, 'disk-0', () => true);
    const target = cluster.disks.get(claimDiskId(claim))!;
    expect(await target.sha256()).toBe(await cluster.source.store.get(file)!.sha256());
    expect(cluster.source.requests).toHaveLength(1);
    await cluster.gone(pods, 'importer-disk-0');
    await cluster.when(virtualMachines, 'vm', ({ status }) => status?.printableStatus === 'Running');
    expect(cluster.trace.entries).toContainEqual(expect.objectContaining({ who: 'fault', what: name }));
  });
});

describe('real time', () => {
  test('the same parts run on the system’s clock, faster by the factor of speed', async () => {
    await using cluster = await startCluster({
      clock: new SystemClock(),
      speed: 100,
      cdi: { secondsPerDisk: 20 },
    });
    await makeSecret(cluster.client);
    cluster.source.add(file, 2 * mebibyte);
    const startedMs = cluster.clock.now();
    await cluster.client.create(dataVolumes, dataVolume('disk-0'));
    await cluster.client.create(virtualMachines, machine('vm', { spec: { runStrategy: 'Always' } }));
    await cluster.when(virtualMachines, 'vm', ({ status }) => status?.printableStatus === 'Running');
    const tookMs = cluster.clock.now() - startedMs;
    expect(tookMs).toBeGreaterThanOrEqual(200);
    expect(tookMs).toBeLessThan(10_000);
  });
});

describe('many at once', () => {
  test('a hundred volumes, some of them crashing, all end byte-equal', async () => {
    await using cluster = await startCluster({ cdi: { flickerChance: 0.3, faultAtPercent: 0 } });
    await makeSecret(cluster.client);
    const random = seeded(11);
    const names = Array.from({ length: 100 }, (_, i) => `disk-${i}`);
    cluster.faults.start('importer-crash', { times: 20 });
    for (const name of names) {
      const backingFile = `[store] ${name}.vmdk`;
      cluster.source.add(backingFile, mebibyte, random);
      await cluster.client.create(
        dataVolumes,
        dataVolume(name, { source: { vddk: { ...vddk, backingFile } } }),
      );
    }
    for (const name of names) {
      await cluster.when(dataVolumes, name, ({ status }) => status?.phase === 'Succeeded');
      const claim = await cluster.when(persistentVolumeClaims, name, () => true);
      const source = cluster.source.store.get(`[store] ${name}.vmdk`)!;
      const target = cluster.disks.get(claimDiskId(claim))!;
      expect(Buffer.compare(target.read(0, mebibyte), source.read(0, mebibyte))).toBe(0);
    }
    await cluster.clock.sleep(60_000);
    expect((await cluster.client.list(pods, { namespace: ns })).items).toEqual([]);
    expect(cluster.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});
