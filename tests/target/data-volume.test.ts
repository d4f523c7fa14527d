import { describe, expect, test } from '@jest/globals';
import { buildDataVolume, claimBytes } from '../../src/target/data-volume.ts';
import { sampleSpec, sampleSubject } from './freeze-sample.ts';
import { sampleDisk, sampleModel, subjectOf } from './sample-import.ts';

const vddk = { vddk: { url: 'https://vc', uuid: 'u', backingFile: 'f', secretRef: 's' } };

describe('the DataVolume of a disk', () => {
  test('asks for the older import path, binds at once and is kept when it has succeeded', () => {
    const subject = sampleSubject();
    const { metadata } = buildDataVolume(subject, subject.spec.disks[0]!, vddk);
    expect(metadata).toMatchObject({
      name: subject.spec.disks[0]!.claimName,
      namespace: 'target',
      annotations: {
        'cdi.kubevirt.io/storage.usePopulator': 'false',
        'cdi.kubevirt.io/storage.bind.immediate.requested': 'true',
        'cdi.kubevirt.io/storage.deleteAfterCompletion': 'false',
        'forklift.konveyor.io/disk-source': '[store-1] web/web_0.vmdk',
      },
      labels: {
        'gantry.dev/import': 'import-uid',
        'gantry.dev/disk': '2000',
        vmID: 'vm-10',
        plan: 'plan-uid',
      },
    });
    expect(metadata.ownerReferences).toBeUndefined();
  });

  test('is as large as the source disk, rounded up to whole MiB, and larger where the file system took too much', () => {
    const model = sampleModel({ disks: [sampleDisk(0, { sizeBytes: 2 ** 30 + 1 })] });
    const subject = sampleSubject({ model });
    const disk = subject.spec.disks[0]!;
    const size = (growPercent: number) =>
      Number(
        buildDataVolume(subject, disk, vddk, { growPercent }).spec.storage?.resources?.requests?.['storage'],
      );
    expect(size(0)).toBe(2 ** 30 + 2 ** 20);
    expect(size(5)).toBeGreaterThanOrEqual((2 ** 30 + 1) * 1.05);
    expect(size(5) % 2 ** 20).toBe(0);
  });

  test('takes class and modes from the map, and leaves out what the map does not say', () => {
    const [disk] = sampleSubject().spec.disks;
    expect(buildDataVolume(sampleSubject(), disk!, vddk).spec).not.toHaveProperty('pvc');
    expect(buildDataVolume(sampleSubject(), disk!, vddk).spec.storage).toEqual({
      storageClassName: 'fast',
      resources: { requests: { storage: String(2 ** 30) } },
    });
    const destination = { storageClass: 'slow', accessMode: 'ReadWriteMany', volumeMode: 'Block' } as const;
    const subject = sampleSubject({ storageMap: [{ source: { id: 'datastore-1' }, destination }] });
    expect(buildDataVolume(subject, subject.spec.disks[0]!, vddk).spec.storage).toMatchObject({
      storageClassName: 'slow',
      accessModes: ['ReadWriteMany'],
      volumeMode: 'Block',
    });
  });

  test('names the VDDK image of the run unless the source has named one', () => {
    const subject = sampleSubject();
    const disk = subject.spec.disks[0]!;
    expect(buildDataVolume(subject, disk, vddk).spec.source?.vddk?.initImageURL).toBe('registry/vddk:8');
    const own = { vddk: { ...vddk.vddk, initImageURL: 'own' } };
    expect(buildDataVolume(subject, disk, own).spec.source?.vddk?.initImageURL).toBe('own');
    expect(buildDataVolume(subject, disk, { blank: {} }).spec.source).toEqual({ blank: {} });
  });

  test('carries the transfer network as it was resolved', () => {
    const network = { annotation: 'v1.multus-cni.io/default-network', value: 'target/fast-net' };
    const subject = subjectOf({ ...sampleSpec(), network });
    const { annotations } = buildDataVolume(subject, subject.spec.disks[0]!, vddk).metadata;
    expect(annotations?.['v1.multus-cni.io/default-network']).toBe('target/fast-net');
  });

  test('has checkpoints only when they are given', () => {
    const subject = sampleSubject();
    const disk = subject.spec.disks[0]!;
    expect(buildDataVolume(subject, disk, vddk).spec).not.toHaveProperty('checkpoints');
    const checkpoints = [{ previous: '', current: 'snapshot-1' }];
    expect(buildDataVolume(subject, disk, vddk, { checkpoints }).spec).toMatchObject({
      checkpoints,
      finalCheckpoint: false,
    });
  });

  test('counts against a quota with the overhead of a file system where it is known to have one', () => {
    const disk = sampleSpec().disks[0]!;
    expect(claimBytes(disk)).toBe(2 ** 30);
    expect(claimBytes({ ...disk, volumeMode: 'Block' })).toBe(2 ** 30);
    expect(claimBytes({ ...disk, volumeMode: 'Filesystem' })).toBe(Math.ceil(2 ** 30 * 1.06));
  });

  test('cannot be built for an import that no server has stored', () => {
    const { spec } = sampleSubject();
    const subject = { metadata: { name: 'x' }, spec };
    expect(() => buildDataVolume(subject, spec.disks[0]!, vddk)).toThrow(/no uid/);
  });
});
