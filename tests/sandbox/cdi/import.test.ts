import { describe, expect, test } from '@jest/globals';
import type { DataVolume } from '../../../src/api/external/cdi.ts';
import type { PersistentVolumeClaim, Pod } from '../../../src/api/external/core.ts';
import {
  cdis,
  configMaps,
  dataVolumes,
  events,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  resourceQuotas,
} from '../../../src/api/kinds.ts';
import type { Stored } from '../../../src/api/meta.ts';
import { cdiBindImmediateAnnotation, cdiRetainPodAnnotation } from '../../../src/api/labels.ts';
import { claimDiskId } from '../../../src/sandbox/storage/volume-size.ts';
import type { Cluster } from './cluster.ts';
import { dataVolume, makeSecret, mebibyte, ns, phasesOf, startCluster, vddk } from './cluster.ts';

const file = vddk.backingFile!;
const isDone = ({ status }: DataVolume) => status?.phase === 'Succeeded';
const condition = ({ status }: DataVolume, type: string) =>
  status?.conditions?.find((one) => one.type === type);
const waitingReason = ({ status }: Pod) => status?.containerStatuses?.[0]?.state?.waiting?.reason;

/** Where a retry finds as much room as the first try did (fact: cdi 0.9). */
const onBlock = (storage: string) => ({ volumeMode: 'Block' as const, resources: { requests: { storage } } });

async function diskOf(cluster: Cluster, name = 'disk-0') {
  const claim = await cluster.when(persistentVolumeClaims, name, () => true);
  return cluster.disks.get(claimDiskId(claim))!;
}

async function prepare(cluster: Cluster, sizeBytes = 2 * mebibyte): Promise<void> {
  await makeSecret(cluster.client);
  cluster.source.add(file, sizeBytes);
}

describe('a cold import from vCenter', () => {
  test('passes CDI’s phases and leaves the source’s bytes in the claim', async () => {
    await using cluster = await startCluster();
    await prepare(cluster);
    const watch = phasesOf(cluster, 'disk-0');
    await cluster.client.create(dataVolumes, dataVolume('disk-0'));
    const done = await cluster.when(dataVolumes, 'disk-0', isDone);
    const target = await diskOf(cluster);
    expect(target.sizeBytes).toBe(2 * mebibyte);
    expect(await target.sha256()).toBe(await cluster.source.store.get(file)!.sha256());
    expect(done.status).toMatchObject({ claimName: 'disk-0', progress: '100.0%' });
    expect(condition(done, 'Ready')?.status).toBe('True');
    expect(condition(done, 'Bound')).toMatchObject({ status: 'True', message: 'PVC disk-0 Bound' });
    expect(condition(done, 'Running')).toMatchObject({ status: 'False', message: 'Import Complete' });
    expect(watch.phases.filter((phase) => phase !== '')).toEqual([
      'Pending',
      'PVCBound',
      'ImportScheduled',
      'ImportInProgress',
      'Succeeded',
    ]);
    expect(cluster.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
    watch.stop();
  });

  test('uses the credentials, the disk and the pin it was given, and no snapshot', async () => {
    await using cluster = await startCluster();
    await prepare(cluster);
    await cluster.client.create(dataVolumes, dataVolume('disk-0'));
    await cluster.when(dataVolumes, 'disk-0', isDone);
    expect(cluster.source.requests).toEqual([
      {
        url: vddk.url,
        thumbprint: vddk.thumbprint,
        user: 'root',
        password: 'hunter2',
        uuid: vddk.uuid,
        backingFile: file,
      },
    ]);
  });

  test('gives claim and pod the labels of the DataVolume, their owners, and CDI’s annotations', async () => {
    await using cluster = await startCluster({ cdi: { secondsPerDisk: 60 } });
    await prepare(cluster);
    const created = await cluster.client.create(dataVolumes, dataVolume('disk-0'));
    await cluster.when(dataVolumes, 'disk-0', ({ status }) => status?.phase === 'ImportInProgress');
    const claim = await cluster.when(persistentVolumeClaims, 'disk-0', () => true);
    const pod = await cluster.when(pods, 'importer-disk-0', () => true);
    expect(claim.metadata.labels).toMatchObject({
      app: 'containerized-data-importer',
      'gantry.dev/import': 'import-1',
    });
    expect(claim.metadata.ownerReferences).toMatchObject([
      { kind: 'DataVolume', uid: created.metadata.uid, controller: true },
    ]);
    expect(claim.metadata.annotations).toMatchObject({
      'cdi.kubevirt.io/createdForDataVolume': created.metadata.uid,
      'cdi.kubevirt.io/storage.import.source': 'vddk',
      'cdi.kubevirt.io/storage.import.backingFile': file,
      'cdi.kubevirt.io/storage.import.importPodName': 'importer-disk-0',
      'cdi.kubevirt.io/storage.pod.phase': 'Running',
      'cdi.kubevirt.io/storage.pod.restarts': '0',
    });
    // 2 MiB and the file system's share (fact: cdi 1.2).
    expect(claim.spec.resources?.requests?.['storage']).toBe(String(Math.ceil(2 * mebibyte * 1.06)));
    expect(pod.metadata.labels).toMatchObject({
      app: 'containerized-data-importer',
      'cdi.kubevirt.io': 'importer',
      'gantry.dev/import': 'import-1',
    });
    expect(pod.metadata.ownerReferences).toMatchObject([
      { kind: 'PersistentVolumeClaim', uid: claim.metadata.uid },
    ]);
    expect(JSON.stringify(pod)).not.toContain('hunter2');
    await cluster.when(dataVolumes, 'disk-0', isDone);
    await cluster.gone(pods, 'importer-disk-0');
  });

  test('tells its progress in whole percents while it runs', async () => {
    await using cluster = await startCluster({ cdi: { secondsPerDisk: 60 } });
    await prepare(cluster);
    await cluster.client.create(dataVolumes, dataVolume('disk-0'));
    const seen = new Set<string>();
    await cluster.when(dataVolumes, 'disk-0', (object) => {
      seen.add(object.status?.progress ?? '');
      return isDone(object);
    });
    const figures = [...seen].filter((text) => /^\d+\.00%$/.test(text)).map(Number.parseFloat);
    expect(figures.length).toBeGreaterThan(5);
    expect(figures).toEqual([...figures].sort((a, b) => a - b));
    expect(seen).toContain('N/A');
    expect(seen).toContain('100.0%');
  });

  test('keeps a finished pod that is to be retained', async () => {
    await using cluster = await startCluster();
    await prepare(cluster);
    const wanted = dataVolume('disk-0');
    await cluster.client.create(dataVolumes, {
      ...wanted,
      metadata: { ...wanted.metadata, annotations: { [cdiRetainPodAnnotation]: 'true' } },
    });
    await cluster.when(dataVolumes, 'disk-0', isDone);
    await cluster.clock.sleep(60_000);
    const pod = await cluster.when(pods, 'importer-disk-0', () => true);
    expect(pod.status?.phase).toBe('Succeeded');
  });

  test('a blank volume is zeros of the size asked for', async () => {
    await using cluster = await startCluster();
    await cluster.client.create(dataVolumes, dataVolume('disk-0', { source: { blank: {} } }));
    await cluster.when(dataVolumes, 'disk-0', isDone);
    const target = await diskOf(cluster);
    expect(target.sizeBytes).toBe(2 * mebibyte);
    expect(target.extents()).toEqual([]);
  });

  test('the CDI object tells the version', async () => {
    await using cluster = await startCluster({ cdi: { version: 'v1.65.0' } });
    const cdi = await cluster.when(cdis, 'cdi', ({ status }) => status !== undefined);
    expect(cdi.status).toMatchObject({ phase: 'Deployed', observedVersion: 'v1.65.0' });
  });

  test('the CDI object has no status subresource', async () => {
    await using cluster = await startCluster();
    const patch = { status: { phase: 'Error' } };
    await cluster.when(cdis, 'cdi', ({ status }) => status !== undefined);
    const refused = cluster.client.mergePatch(cdis, { name: 'cdi' }, patch, { subresource: 'status' });
    await expect(refused).rejects.toMatchObject({ code: 'NotFound' });
  });
});

describe('an importer that fails', () => {
  test('is restarted at once, then after 10, 20, 40 seconds in the same pod, and the phase stays ImportInProgress', async () => {
    await using cluster = await startCluster();
    await prepare(cluster);
    cluster.source.refusal = 'Unable to connect to vddk data source: Incorrect user name or password.';
    await cluster.client.create(dataVolumes, dataVolume('disk-0'));
    const startedAt: number[] = [];
    let uid = '';
    for (let restarts = 0; restarts < 5; restarts += 1) {
      const pod = await cluster.when(pods, 'importer-disk-0', ({ status }) => {
        const [container] = status?.containerStatuses ?? [];
        return container?.restartCount === restarts && container.state?.terminated !== undefined;
      });
      startedAt.push(cluster.clock.now());
      uid ||= pod.metadata.uid;
      expect(pod.metadata.uid).toBe(uid);
      expect(pod.status?.phase).toBe('Running');
    }
    const waits = startedAt.slice(1).map((ms, i) => Math.round((ms - startedAt[i]!) / 1000));
    expect(waits).toEqual([1, 10, 20, 40]);
    const stuck = await cluster.when(dataVolumes, 'disk-0', ({ status }) => status?.restartCount === 4);
    expect(stuck.status?.phase).toBe('ImportInProgress');
    expect(condition(stuck, 'Running')).toMatchObject({
      status: 'False',
      reason: 'Error',
      message: cluster.source.refusal,
    });
    const backingOff = await cluster.when(
      pods,
      'importer-disk-0',
      (pod) => waitingReason(pod) === 'CrashLoopBackOff',
    );
    expect(backingOff.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode).toBe(1);
    cluster.source.refusal = undefined;
    const done = await cluster.when(dataVolumes, 'disk-0', isDone);
    expect(done.status?.restartCount).toBeGreaterThanOrEqual(5);
  });

  test('a crash in the middle of the copy is repeated from the start and ends well', async () => {
    await using cluster = await startCluster({ cdi: { faultAtPercent: 30 } });
    await prepare(cluster, 3 * mebibyte);
    cluster.faults.start('importer-crash', { subject: 'disk-0', times: 2 });
    const spec = { storage: onBlock('3Mi') };
    await cluster.client.create(dataVolumes, dataVolume('disk-0', spec));
    const done = await cluster.when(dataVolumes, 'disk-0', isDone);
    expect(done.status?.restartCount).toBe(2);
    expect(await (await diskOf(cluster)).sha256()).toBe(await cluster.source.store.get(file)!.sha256());
  });

  test('a claim too small for the disk ends in CDI’s one sentence', async () => {
    await using cluster = await startCluster();
    await prepare(cluster, 4 * mebibyte);
    await cluster.client.create(dataVolumes, dataVolume('disk-0'));
    const stuck = await cluster.when(
      dataVolumes,
      'disk-0',
      (object) => condition(object, 'Running')?.reason === 'Error',
    );
    expect(condition(stuck, 'Running')?.message).toBe('DataVolume too small to contain image');
    const pod = await cluster.when(pods, 'importer-disk-0', () => true);
    const [container] = pod.status?.containerStatuses ?? [];
    const message = (container?.state?.terminated ?? container?.lastState?.terminated)?.message;
    expect(message).toMatch(/no space left on device|A larger PVC is required/);
  });

  test('an evicted pod stays Failed until it is deleted; then it is made again and the copy repeated', async () => {
    await using cluster = await startCluster();
    await prepare(cluster);
    cluster.faults.start('pod-evicted', { subject: 'disk-0', times: 1 });
    await cluster.client.create(dataVolumes, dataVolume('disk-0', { storage: onBlock('2Mi') }));
    const failed = await cluster.when(pods, 'importer-disk-0', ({ status }) => status?.phase === 'Failed');
    expect(failed.status?.reason).toBe('Evicted');
    await cluster.clock.sleep(3_600_000);
    const waiting = await cluster.when(dataVolumes, 'disk-0', () => true);
    expect(waiting.status?.phase).toBe('ImportScheduled');
    const { uid } = failed.metadata;
    await cluster.client.delete(pods, { namespace: ns, name: 'importer-disk-0' }, { uid });
    await cluster.when(dataVolumes, 'disk-0', isDone);
    expect(cluster.source.requests).toHaveLength(2);
  });

  test('a running pod that is deleted ends its copy with grace and is made again', async () => {
    await using cluster = await startCluster({ cdi: { secondsPerDisk: 60, terminationMs: 500 } });
    await prepare(cluster);
    await cluster.client.create(dataVolumes, dataVolume('disk-0', { storage: onBlock('2Mi') }));
    const pod = await cluster.when(pods, 'importer-disk-0', ({ status }) => status?.phase === 'Running');
    const beganMs = cluster.clock.now();
    await cluster.client.delete(pods, { namespace: ns, name: 'importer-disk-0' });
    const again = await cluster.when(
      pods,
      'importer-disk-0',
      ({ metadata }) => metadata.uid !== pod.metadata.uid,
    );
    expect(cluster.clock.now() - beganMs).toBeGreaterThanOrEqual(500);
    expect(again.status?.phase).toBe('Pending');
    await cluster.when(dataVolumes, 'disk-0', isDone);
  });
});

describe('what an import waits for', () => {
  test('a Secret that is missing keeps the pod Pending until it is there', async () => {
    await using cluster = await startCluster();
    cluster.source.add(file, 2 * mebibyte);
    await cluster.client.create(dataVolumes, dataVolume('disk-0'));
    const pod = await cluster.when(
      pods,
      'importer-disk-0',
      (object) => waitingReason(object) === 'CreateContainerConfigError',
    );
    expect(pod.status?.phase).toBe('Pending');
    expect(pod.status?.containerStatuses?.[0]?.state?.waiting?.message).toBe(
      'secret "vcenter-access" not found',
    );
    const waiting = await cluster.when(
      dataVolumes,
      'disk-0',
      (object) => condition(object, 'Running')?.reason === 'CreateContainerConfigError',
    );
    expect(waiting.status?.phase).toBe('ImportScheduled');
    await makeSecret(cluster.client);
    await cluster.when(dataVolumes, 'disk-0', isDone);
  });

  test('a ConfigMap that is missing keeps the container from being made, and what it holds is trusted', async () => {
    await using cluster = await startCluster();
    await prepare(cluster);
    const source = { vddk: { ...vddk, certConfigMap: 'trust' } };
    await cluster.client.create(dataVolumes, dataVolume('disk-0', { source }));
    await cluster.when(pods, 'importer-disk-0', (pod) => waitingReason(pod) === 'ContainerCreating');
    await cluster.clock.sleep(60_000);
    const { items } = await cluster.client.list(events, { namespace: ns });
    expect(items.find(({ reason }) => reason === 'FailedMount')?.message).toContain(
      'configmap "trust" not found',
    );
    await cluster.client.create(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'trust', namespace: ns },
      data: { 'ca.pem': 'PEM' },
    });
    await cluster.when(dataVolumes, 'disk-0', isDone);
    expect(cluster.source.requests[0]?.caPem).toBe('PEM');
  });

  test('without a VDDK image no pod is made, and the claim says what it waits for', async () => {
    await using cluster = await startCluster({ withoutVddkImage: true });
    await prepare(cluster);
    await cluster.client.create(dataVolumes, dataVolume('bare'));
    const waiting = await cluster.when(
      persistentVolumeClaims,
      'bare',
      ({ metadata }) =>
        metadata.annotations?.['cdi.kubevirt.io/storage.condition.bound.reason'] === 'AwaitingVDDK',
    );
    expect(waiting.status?.phase).toBe('Bound');
    const source = { vddk: { ...vddk, initImageURL: 'registry/vddk:8' } };
    await cluster.client.create(dataVolumes, dataVolume('named', { source }));
    const done = await cluster.when(dataVolumes, 'named', isDone);
    expect(done.metadata.annotations).toMatchObject({
      'cdi.kubevirt.io/storage.pod.vddk.host': 'esx.example',
    });
    expect(await cluster.client.get(pods, { namespace: ns, name: 'importer-bare' })).toBe(undefined);
  });

  test('a class that binds for its first consumer shows that phase, and the importer binds it when asked to', async () => {
    await using cluster = await startCluster();
    await prepare(cluster);
    const storage = { storageClassName: 'local-wffc', resources: { requests: { storage: '2Mi' } } };
    const plain = dataVolume('plain', { storage });
    await cluster.client.create(dataVolumes, plain);
    const urged = dataVolume('urged', { storage });
    const watch = phasesOf(cluster, 'urged');
    await cluster.client.create(dataVolumes, {
      ...urged,
      metadata: { ...urged.metadata, annotations: { [cdiBindImmediateAnnotation]: '' } },
    });
    await cluster.when(dataVolumes, 'urged', isDone);
    expect(watch.phases).toContain('WaitForFirstConsumer');
    watch.stop();
    await cluster.clock.sleep(3_600_000);
    const waiting = await cluster.when(dataVolumes, 'plain', () => true);
    expect(waiting.status?.phase).toBe('WaitForFirstConsumer');
    expect(condition(waiting, 'Bound')).toMatchObject({
      status: 'False',
      message: 'PVC plain Pending',
    });
  });

  test('a class that does not exist leaves the claim Pending, or no claim where the access mode is missing, too', async () => {
    await using cluster = await startCluster();
    await prepare(cluster);
    const storage = { storageClassName: 'nowhere', resources: { requests: { storage: '2Mi' } } };
    await cluster.client.create(
      dataVolumes,
      dataVolume('with-mode', { storage: { ...storage, accessModes: ['ReadWriteOnce'] } }),
    );
    await cluster.client.create(dataVolumes, dataVolume('without', { storage }));
    const pending = await cluster.when(
      dataVolumes,
      'with-mode',
      (object) => condition(object, 'Bound') !== undefined,
    );
    expect(pending.status?.phase).toBe('Pending');
    expect(condition(pending, 'Bound')?.message).toBe('PVC with-mode Pending');
    await cluster.clock.sleep(1000);
    const told = await cluster.client.list(events, { namespace: ns });
    expect(told.items.map(({ message }) => message)).toContain(
      'storageclass.storage.k8s.io "nowhere" not found',
    );
    const refused = await cluster.when(
      dataVolumes,
      'without',
      (object) => condition(object, 'Bound')?.reason === 'ErrClaimNotValid',
    );
    expect(refused.status?.phase).toBe('');
    expect(await cluster.client.get(persistentVolumeClaims, { namespace: ns, name: 'without' })).toBe(
      undefined,
    );
  });

  test('a claim over the quota is told in the condition and made when the quota grows', async () => {
    await using cluster = await startCluster();
    await prepare(cluster);
    await cluster.client.create(resourceQuotas, {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'small', namespace: ns },
      spec: { hard: { 'requests.storage': '1Mi' } },
    });
    await cluster.client.create(dataVolumes, dataVolume('disk-0'));
    const refused = await cluster.when(
      dataVolumes,
      'disk-0',
      (object) => condition(object, 'Bound')?.reason === 'ErrExceededQuota',
    );
    expect(refused.status?.phase).toBe('Pending');
    expect(condition(refused, 'Bound')?.message).toContain('exceeded quota: small');
    const at = { namespace: ns, name: 'small' };
    await cluster.client.mergePatch(resourceQuotas, at, { spec: { hard: { 'requests.storage': '1Gi' } } });
    await cluster.when(dataVolumes, 'disk-0', isDone);
  });
});

describe('owners', () => {
  test('with the DataVolume go claim, pod, volume and bytes', async () => {
    await using cluster = await startCluster({ cdi: { secondsPerDisk: 600 } });
    await prepare(cluster);
    await cluster.client.create(dataVolumes, dataVolume('disk-0'));
    await cluster.when(pods, 'importer-disk-0', ({ status }) => status?.phase === 'Running');
    const claim = await cluster.when(persistentVolumeClaims, 'disk-0', () => true);
    await cluster.client.delete(dataVolumes, { namespace: ns, name: 'disk-0' });
    await cluster.gone(persistentVolumeClaims, 'disk-0');
    await cluster.gone(pods, 'importer-disk-0');
    await cluster.gone(persistentVolumes, `pvc-${claim.metadata.uid}`);
    expect(cluster.disks.ids).toEqual([]);
  });

  test('a claim handed to another owner stays so, and survives the DataVolume that is deleted alone', async () => {
    await using cluster = await startCluster();
    await prepare(cluster);
    const volume = await cluster.client.create(dataVolumes, dataVolume('disk-0'));
    await cluster.when(dataVolumes, 'disk-0', isDone);
    const secret = await cluster.client.create(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'owner', namespace: ns },
    });
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: secret.metadata.uid };
    await cluster.client.jsonPatch(persistentVolumeClaims, { namespace: ns, name: 'disk-0' }, [
      { op: 'test', path: '/metadata/ownerReferences/0/uid', value: volume.metadata.uid },
      { op: 'replace', path: '/metadata/ownerReferences', value: [{ ...owner, controller: true }] },
    ]);
    await cluster.clock.sleep(60_000);
    const still = await cluster.when(dataVolumes, 'disk-0', () => true);
    expect(still.status?.phase).toBe('Succeeded');
    await cluster.client.delete(
      dataVolumes,
      { namespace: ns, name: 'disk-0' },
      { propagation: 'Orphan', uid: volume.metadata.uid },
    );
    await cluster.gone(dataVolumes, 'disk-0');
    await cluster.clock.sleep(60_000);
    const claim: Stored<PersistentVolumeClaim> = await cluster.when(
      persistentVolumeClaims,
      'disk-0',
      () => true,
    );
    expect(claim.metadata.ownerReferences).toMatchObject([{ kind: 'ConfigMap' }]);
    expect(claim.status?.phase).toBe('Bound');
  });
});

describe('noise and determinism', () => {
  test('a healthy import may say ErrStartingPod for a moment', async () => {
    await using cluster = await startCluster({ cdi: { flickerChance: 1 } });
    await prepare(cluster);
    await cluster.client.create(dataVolumes, dataVolume('disk-0'));
    const flickering = await cluster.when(
      dataVolumes,
      'disk-0',
      (object) => condition(object, 'Running')?.reason === 'ErrStartingPod',
    );
    expect(flickering.status?.phase).toBe('ImportScheduled');
    const done = await cluster.when(dataVolumes, 'disk-0', isDone);
    expect(done.status).not.toHaveProperty('restartCount');
  });

  test('the same seed gives the same course of times and phases', async () => {
    const course = async (seed: number): Promise<readonly string[]> => {
      await using cluster = await startCluster({ seed, cdi: { flickerChance: 0.5, secondsPerDisk: 7 } });
      await prepare(cluster);
      const names = ['a', 'b', 'c'];
      for (const name of names) await cluster.client.create(dataVolumes, dataVolume(name));
      for (const name of names) await cluster.when(dataVolumes, name, isDone);
      const all = await cluster.client.list(dataVolumes);
      const told = await cluster.client.list(events);
      return [...all.items, ...told.items].map((object) => JSON.stringify(object));
    };
    const first = await course(5);
    expect(await course(5)).toEqual(first);
    expect(await course(6)).not.toEqual(first);
  });

  test('what is not simulated is said aloud', async () => {
    await using cluster = await startCluster();
    const wanted = dataVolume('disk-0', { source: { http: { url: 'https://example/disk' } } });
    await cluster.client.create(dataVolumes, wanted);
    const refused = await cluster.when(
      dataVolumes,
      'disk-0',
      (object) => condition(object, 'Bound')?.reason === 'NotSimulated',
    );
    expect(condition(refused, 'Bound')?.message).toContain('vddk and blank');
  });
});
