import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { PersistentVolumeClaim } from '../../../src/api/external/core.ts';
import {
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  storageClasses,
  storageProfiles,
} from '../../../src/api/kinds.ts';
import { mayAdopt } from '../../../src/sandbox/storage/binding.ts';
import { quantityValue } from '../../../src/sandbox/storage/quantity.ts';
import { claimDiskId, requiredBytes, usableBytes } from '../../../src/sandbox/storage/volume-size.ts';
import { mebibyte, ns, startCluster } from '../cdi/cluster.ts';

function claim(name: string, spec: Partial<PersistentVolumeClaim['spec']> = {}): PersistentVolumeClaim {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: ns },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'standard',
      resources: { requests: { storage: '10Mi' } },
      ...spec,
    },
  };
}
const isBound = ({ status }: PersistentVolumeClaim) => status?.phase === 'Bound';

describe('sizes', () => {
  test('what is asked for an image is enough for it, and not a MiB more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 44 }), (bytes) => {
        const usable = usableBytes(requiredBytes(bytes, 'Filesystem'), 'Filesystem');
        expect(usable).toBeGreaterThanOrEqual(bytes);
        expect(usable - bytes).toBeLessThan(mebibyte);
        expect(usableBytes(requiredBytes(bytes, 'Block'), 'Block')).toBe(bytes);
      }),
    );
  });

  test.each([
    ['64Mi', 67_108_864],
    ['1.5Gi', 1_610_612_736],
    ['1e3', 1000],
    ['500m', 0.5],
    ['2G', 2e9],
    ['10', 10],
  ])('%s is %d', (text, value) => {
    expect(quantityValue(text)).toBe(value);
  });

  test.each(['', 'Mi', '1 Gi', '10MiB', 'ten', '1..2'])('"%s" is no quantity', (text) => {
    expect(quantityValue(text)).toBe(undefined);
  });
});

describe('storage classes', () => {
  test('two are there at the start, each with its profile', async () => {
    await using cluster = await startCluster();
    const { items } = await cluster.client.list(storageClasses);
    expect(items.map(({ metadata, volumeBindingMode }) => [metadata.name, volumeBindingMode])).toEqual([
      ['local-wffc', 'WaitForFirstConsumer'],
      ['standard', 'Immediate'],
    ]);
    for (const { metadata } of items) {
      const profile = await cluster.client.get(storageProfiles, { name: metadata.name });
      expect(profile?.status?.claimPropertySets).toEqual([
        { accessModes: ['ReadWriteOnce'], volumeMode: 'Filesystem' },
        { accessModes: ['ReadWriteOnce'], volumeMode: 'Block' },
      ]);
    }
  });
});

describe('claims', () => {
  test('a claim without DataVolume gets a volume and zeros behind it', async () => {
    await using cluster = await startCluster();
    await cluster.client.create(persistentVolumeClaims, claim('data', { volumeMode: 'Block' }));
    const bound = await cluster.when(persistentVolumeClaims, 'data', isBound);
    const volume = await cluster.client.get(persistentVolumes, { name: bound.spec.volumeName! });
    expect(volume?.spec.claimRef).toMatchObject({ namespace: ns, name: 'data', uid: bound.metadata.uid });
    expect(volume?.status?.phase).toBe('Bound');
    expect(bound.status?.capacity?.['storage']).toBe(String(10 * mebibyte));
    expect(cluster.disks.get(claimDiskId(bound))?.sizeBytes).toBe(10 * mebibyte);
  });

  test('volume and bytes go with the claim, and a claim made again starts empty', async () => {
    await using cluster = await startCluster();
    await cluster.client.create(persistentVolumeClaims, claim('data'));
    const first = await cluster.when(persistentVolumeClaims, 'data', isBound);
    cluster.disks.get(claimDiskId(first))!.write(0, Uint8Array.of(1));
    await cluster.client.delete(persistentVolumeClaims, { namespace: ns, name: 'data' });
    await cluster.client.create(persistentVolumeClaims, claim('data'));
    const second = await cluster.when(persistentVolumeClaims, 'data', isBound);
    expect(second.metadata.uid).not.toBe(first.metadata.uid);
    await cluster.gone(persistentVolumes, `pvc-${first.metadata.uid}`);
    expect(cluster.disks.ids).toEqual([claimDiskId(second)]);
    expect(cluster.disks.get(claimDiskId(second))!.extents()).toEqual([]);
  });

  test('a claim that waits for its consumer is bound when a pod uses it', async () => {
    await using cluster = await startCluster();
    await cluster.client.create(persistentVolumeClaims, claim('data', { storageClassName: 'local-wffc' }));
    await cluster.clock.sleep(600_000);
    const waiting = await cluster.when(persistentVolumeClaims, 'data', () => true);
    expect(waiting.status?.phase).toBe('Pending');
    await cluster.client.create(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'consumer', namespace: ns },
      spec: {
        containers: [{ name: 'c', image: 'i' }],
        volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }],
      },
    });
    await cluster.when(persistentVolumeClaims, 'data', isBound);
  });

  test('a claim that names a volume takes that one, and only if the volume allows it', async () => {
    await using cluster = await startCluster();
    const volume = {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'lun-1' },
      spec: {
        capacity: { storage: '10Mi' },
        accessModes: ['ReadWriteMany'],
        persistentVolumeReclaimPolicy: 'Retain',
        hostPath: { path: '/lun' },
      },
    } as const;
    await cluster.client.create(persistentVolumes, volume);
    const wanted = { storageClassName: '', volumeName: 'lun-1', accessModes: ['ReadWriteMany'] } as const;
    await cluster.client.create(persistentVolumeClaims, claim('lun', wanted));
    await cluster.when(persistentVolumeClaims, 'lun', isBound);
    await cluster.client.create(persistentVolumeClaims, claim('second', wanted));
    await cluster.clock.sleep(60_000);
    const second = await cluster.when(persistentVolumeClaims, 'second', () => true);
    expect(second.status?.phase).toBe('Pending');
    await cluster.client.delete(persistentVolumeClaims, { namespace: ns, name: 'lun' });
    await cluster.clock.sleep(60_000);
    expect(await cluster.client.get(persistentVolumes, { name: 'lun-1' })).toBeDefined();
  });

  test('a foreign provisioner’s claims are left alone', async () => {
    await using cluster = await startCluster();
    await cluster.client.create(storageClasses, {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'foreign' },
      provisioner: 'somebody.else/disks',
    });
    await cluster.client.create(persistentVolumeClaims, claim('data', { storageClassName: 'foreign' }));
    await cluster.clock.sleep(60_000);
    const untouched = await cluster.when(persistentVolumeClaims, 'data', () => true);
    expect(untouched.status?.phase).toBe('Pending');
    expect(cluster.disks.ids).toEqual([]);
  });

  test('a volume reserved for another claim is not taken', () => {
    const volume = (claimRef: object) => ({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'v' },
      spec: { claimRef },
    });
    expect(mayAdopt(claim('data'), volume({ namespace: ns, name: 'data' }))).toBe(true);
    expect(mayAdopt(claim('data'), volume({ namespace: ns, name: 'other' }))).toBe(false);
    expect(mayAdopt(claim('data'), volume({ namespace: ns, name: 'data', uid: 'old' }))).toBe(false);
  });
});
