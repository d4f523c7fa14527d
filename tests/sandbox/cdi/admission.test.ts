import { describe, expect, test } from '@jest/globals';
import type { DataVolume } from '../../../src/api/external/cdi.ts';
import { configMaps, dataVolumes, persistentVolumeClaims } from '../../../src/api/kinds.ts';
import { checkDataVolumeSpec, isSpecChangeRefused } from '../../../src/sandbox/cdi/admission.ts';
import { dataVolume, ns, startCluster, vddk } from './cluster.ts';

const storage = { resources: { requests: { storage: '1Gi' } } };
const good = { source: { vddk }, storage };

describe('a DataVolume’s spec', () => {
  const refused: readonly (readonly [string, object, string])[] = [
    ['neither pvc nor storage', { source: { vddk } }, 'Missing Data volume PVC'],
    ['both pvc and storage', { ...good, pvc: storage }, 'Duplicate storage definition'],
    ['no size', { ...good, storage: {} }, 'Storage size is missing'],
    [
      'a size of nothing',
      { ...good, storage: { resources: { requests: { storage: '0' } } } },
      "Storage size can't be equal or less than zero",
    ],
    [
      'a size under 1 MiB',
      { ...good, storage: { resources: { requests: { storage: '1000Ki' } } } },
      'Storage size should be at least 1MiB',
    ],
    ['a pvc without access mode', { source: { vddk }, pvc: storage }, 'at least 1 access mode is required'],
    [
      'a pvc with two access modes',
      { source: { vddk }, pvc: { ...storage, accessModes: ['ReadWriteOnce', 'ReadWriteMany'] } },
      'PVC multiple accessModes',
    ],
    [
      'an unknown access mode',
      { ...good, storage: { ...storage, accessModes: ['WriteOnly'] } },
      'Unsupported value: "WriteOnly"',
    ],
    ['no source', { storage }, 'Data volume should have either Source or SourceRef'],
    ['source and sourceRef', { ...good, sourceRef: { kind: 'DataSource' } }, 'either Source or SourceRef'],
    ['an empty source', { storage, source: {} }, 'Missing Data volume source'],
    ['two sources', { storage, source: { vddk, blank: {} } }, 'Multiple Data volume sources'],
    ['an unknown content', { ...good, contentType: 'iso' }, 'ContentType not one of: kubevirt, archive'],
    [
      'a blank archive',
      { storage, source: { blank: {} }, contentType: 'archive' },
      'SourceType cannot be blank and the contentType be archive',
    ],
    ['an empty URL', { storage, source: { http: { url: '' } } }, 'spec.source source URL is empty'],
    ['no URL at all', { storage, source: { http: { url: 'what' } } }, 'Invalid source URL: what'],
    [
      'a strange scheme',
      { storage, source: { vddk: { ...vddk, url: 'ftp://vcenter/sdk' } } },
      'Invalid source URL scheme: ftp://vcenter/sdk',
    ],
    [
      'imageio without a disk',
      { storage, source: { imageio: { url: 'https://engine/api', secretRef: 's', diskId: '' } } },
      'source Imageio is not valid',
    ],
    [
      'imageio without trust',
      { storage, source: { imageio: { url: 'https://engine/api', secretRef: 's', diskId: 'd' } } },
      'requires CertConfigMap or InsecureSkipVerify',
    ],
    ...(['secretRef', 'uuid', 'backingFile', 'thumbprint'] as const).map(
      (field) =>
        [
          `vddk without ${field}`,
          { storage, source: { vddk: { ...vddk, [field]: '' } } },
          'spec.source.VDDK source VDDK is not valid',
        ] as const,
    ),
  ];
  test.each(refused)('is refused with %s', (_name, spec, text) => {
    expect(checkDataVolumeSpec(spec)).toContain(text);
  });

  const admitted: readonly (readonly [string, object])[] = [
    ['vddk', good],
    ['blank', { storage, source: { blank: {} } }],
    [
      'several access modes in storage',
      { ...good, storage: { ...storage, accessModes: ['ReadWriteOnce', 'ReadWriteMany'] } },
    ],
    ['no size for a clone', { storage: {}, source: { pvc: { namespace: 'a', name: 'b' } } }],
    // Not checked by CDI (fact: cdi 2.5).
    [
      'one checkpoint twice',
      {
        ...good,
        checkpoints: [
          { previous: '', current: 'a' },
          { previous: '', current: 'a' },
        ],
      },
    ],
  ];
  test.each(admitted)('is admitted with %s', (_name, spec) => {
    expect(checkDataVolumeSpec(spec)).toBe(undefined);
  });
});

describe('a change of the spec', () => {
  const withSpec = (changes: Partial<DataVolume['spec']>) => dataVolume('disk-0', changes);
  const first = { previous: '', current: 'snapshot-1' };
  const second = { previous: 'change-1', current: 'snapshot-2' };

  test('is refused, be it ever so small', () => {
    expect(
      isSpecChangeRefused(withSpec({}), withSpec({ source: { vddk: { ...vddk, thumbprint: 'CC' } } })),
    ).toBe(true);
    expect(isSpecChangeRefused(withSpec({}), withSpec({ finalCheckpoint: true }))).toBe(true);
  });

  test('may add checkpoints and the last mark of a multi-stage import, and nothing else with them', () => {
    const before = withSpec({ checkpoints: [first] });
    expect(
      isSpecChangeRefused(before, withSpec({ checkpoints: [first, second], finalCheckpoint: true })),
    ).toBe(false);
    expect(isSpecChangeRefused(before, withSpec({ checkpoints: [] }))).toBe(true);
    expect(isSpecChangeRefused(before, withSpec({ checkpoints: [first, second], preallocation: true }))).toBe(
      true,
    );
  });
});

describe('the webhook', () => {
  test('refuses with 422 and says who denied it', async () => {
    await using cluster = await startCluster();
    const refused = cluster.client.create(dataVolumes, dataVolume('disk-0', { source: {} }));
    await expect(refused).rejects.toMatchObject({
      status: 422,
      detail: expect.stringMatching(
        /^admission webhook "datavolume-validate\.cdi\.kubevirt\.io" denied the request: +Missing Data volume source$/,
      ),
    });
  });

  test('refuses a name that a foreign claim has taken, and takes one that its own DataVolume left', async () => {
    await using cluster = await startCluster();
    await cluster.client.create(persistentVolumeClaims, {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'disk-0', namespace: ns },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } },
    });
    await expect(cluster.client.create(dataVolumes, dataVolume('disk-0'))).rejects.toMatchObject({
      status: 422,
      detail: expect.stringContaining(`Destination PVC ${ns}/disk-0 already exists`),
    });
    expect(await cluster.client.get(dataVolumes, { namespace: ns, name: 'disk-0' })).toBe(undefined);
  });

  test('refuses a changed spec and lets metadata through', async () => {
    await using cluster = await startCluster();
    await cluster.client.create(dataVolumes, dataVolume('disk-0'));
    const at = { namespace: ns, name: 'disk-0' };
    await expect(
      cluster.client.mergePatch(dataVolumes, at, { spec: { preallocation: true } }),
    ).rejects.toMatchObject({
      status: 422,
      detail: expect.stringContaining('Cannot update DataVolume Spec'),
    });
    const labelled = await cluster.client.mergePatch(dataVolumes, at, { metadata: { labels: { a: 'b' } } });
    expect(labelled.metadata.labels).toMatchObject({ a: 'b' });
  });

  test('leaves other kinds alone', async () => {
    await using cluster = await startCluster();
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'disk-0', namespace: ns } };
    expect((await cluster.client.create(configMaps, map)).metadata.name).toBe('disk-0');
  });
});
