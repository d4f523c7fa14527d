import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { DataVolume, DataVolumeSource } from '../../src/api/external/cdi.ts';
import type { Job, PersistentVolumeClaim, VolumeMode } from '../../src/api/external/core.ts';
import {
  configMaps,
  dataVolumes,
  events,
  jobs,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  secrets,
  storageClasses,
} from '../../src/api/kinds.ts';
import type { Stored } from '../../src/api/meta.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { createMemoryDiskStore } from '../../src/sandbox/disk-memory.ts';
import { SwitchedFaults } from '../../src/sandbox/faults.ts';
import { seededRandom } from '../../src/sandbox/random.ts';
import { RecordedTrace } from '../../src/sandbox/trace.ts';
import { SimulatedVCenter } from '../../src/sandbox/vcenter/simulated-vcenter.ts';
import { provisioners } from '../../hack/testbed/cluster/storage-classes.ts';
import type { TestbedVolume } from '../../hack/testbed/control/testbed.ts';
import type { NodeContainer, NodePod, NodePodSpec } from '../../hack/testbed/node/node-pod.ts';
import { nodePods } from '../../hack/testbed/node/node-pod.ts';
import { serveDisks } from '../../hack/testbed/vddk/data-service.ts';
import { backingParameter, refusalAnnotation } from '../../hack/testbed/node/provisioner.ts';
import { ownAddress } from '../support/own-testbed.ts';
import { RealNamespace } from './real-namespace.ts';
import { serveFile } from './serve-file.ts';

/** The node of a testbed: real importers, programs and volumes, under the real controllers. */
const mebibyte = 2 ** 20;
const diskMiB = 64;
let world: RealNamespace;
let folder: string;
/** 64 MiB with something in three places, as a raw file and as qcow2. */
let raw: string;
let qcow2: string;

beforeAll(async () => {
  world = await RealNamespace.open(`node-${randomBytes(4).toString('hex')}`);
  folder = mkdtempSync(join(tmpdir(), 'node-test-'));
  [raw, qcow2] = [join(folder, 'disk.raw'), join(folder, 'disk.qcow2')];
  const file = await open(raw, 'w');
  await file.truncate(diskMiB * mebibyte);
  for (const at of [0, 5, 33]) await file.write(randomBytes(3 * mebibyte), 0, 3 * mebibyte, at * mebibyte);
  await file.close();
  execFileSync('qemu-img', ['convert', '-O', 'qcow2', raw, qcow2]);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

function dataVolume(
  name: string,
  source: DataVolumeSource,
  storageClassName: string,
  volumeMode: VolumeMode,
): DataVolume {
  const requests = { storage: `${diskMiB}Mi` };
  return {
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'DataVolume',
    // Without it the claims of the class that waits for a consumer would wait for ever (fact: cdi 1.4).
    metadata: { name, annotations: { 'cdi.kubevirt.io/storage.bind.immediate.requested': 'true' } },
    spec: {
      source,
      storage: { storageClassName, accessModes: ['ReadWriteOnce'], volumeMode, resources: { requests } },
    },
  };
}

function shell(script: string, fields: Partial<NodeContainer> = {}): NodeContainer {
  return { name: 'main', image: 'testbed/shell', command: ['/bin/sh', '-c', script], ...fields };
}

async function createPod(name: string, spec: NodePodSpec): Promise<void> {
  await world.create<NodePod>(nodePods, { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec });
}

function createClaim(name: string, storageClassName: string, size: string) {
  return world.create<PersistentVolumeClaim>(persistentVolumeClaims, {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name },
    spec: { accessModes: ['ReadWriteOnce'], storageClassName, resources: { requests: { storage: size } } },
  });
}

const phaseOf = (name: string, phase: string) =>
  world.when(nodePods, name, (pod) => (pod?.status?.phase === phase ? pod : undefined));
const main = (pod: NodePod | undefined) => pod?.status?.containerStatuses?.[0];
const succeeded = (name: string) =>
  world.when(dataVolumes, name, (one) => (one?.status?.phase === 'Succeeded' ? one : undefined), 120_000);

async function volumeOf(claimName: string): Promise<TestbedVolume> {
  const { namespace, client, testbed } = world;
  const claim = await client.get(persistentVolumeClaims, { namespace, name: claimName });
  return (await testbed.volume(claim!.metadata.uid))!;
}

/** Whether the volume begins with the source's bytes, and what room it takes. */
function diskIn({ mode, path }: TestbedVolume): { readonly isEqual: boolean; readonly usedMiB: number } {
  const file = mode === 'Block' ? path : join(path, 'disk.img');
  const same = readFileSync(file)
    .subarray(0, diskMiB * mebibyte)
    .equals(readFileSync(raw));
  return { isEqual: same, usedMiB: (statSync(file).blocks * 512) / mebibyte };
}

describe('an import', () => {
  test.each<[string, VolumeMode]>([
    ['standard', 'Filesystem'],
    ['standard', 'Block'],
    ['standard-wffc', 'Filesystem'],
    ['csi', 'Filesystem'],
    ['csi', 'Block'],
  ])(
    'by the real importer into class %s, mode %s, equals its source and stays sparse',
    async (name, mode) => {
      await using server = await serveFile(qcow2);
      const volume = `http-${name}-${mode.toLowerCase()}`;
      await world.create(dataVolumes, dataVolume(volume, { http: { url: server.url } }, name, mode));
      await succeeded(volume);
      expect(diskIn(await volumeOf(volume))).toEqual({ isEqual: true, usedMiB: 9 });
    },
  );

  test.each<[VolumeMode]>([['Filesystem'], ['Block']])(
    'of nothing gives an empty %s volume',
    async (mode) => {
      const name = `blank-${mode.toLowerCase()}`;
      await world.create(dataVolumes, dataVolume(name, { blank: {} }, 'standard', mode));
      await succeeded(name);
      const volume = await volumeOf(name);
      const file = mode === 'Block' ? volume.path : join(volume.path, 'disk.img');
      expect(readFileSync(file).equals(Buffer.alloc(diskMiB * mebibyte))).toBe(true);
      expect(statSync(file).blocks).toBeLessThanOrEqual(8);
    },
  );

  test('whose importer is killed in mid-copy starts again and equals its source', async () => {
    await using server = await serveFile(raw, 24 * mebibyte);
    await world.create(dataVolumes, dataVolume('killed', { http: { url: server.url } }, 'standard', 'Block'));
    const { namespace, testbed } = world;
    await world.when(dataVolumes, 'killed', (one) => Number.parseFloat(one?.status?.progress ?? '') > 10);
    expect(await testbed.killContainer({ namespace, name: 'importer-killed' })).toBe(true);
    const pod = await world.when(nodePods, 'importer-killed', (one) =>
      main(one)?.restartCount === 1 ? one : undefined,
    );
    expect(main(pod)?.lastState?.terminated).toMatchObject({ exitCode: 137, reason: 'Error' });
    expect((await succeeded('killed')).status?.restartCount).toBe(1);
    expect(diskIn(await volumeOf('killed')).isEqual).toBe(true);
  });

  test('through VDDK reads the disk of the simulated vCenter', async () => {
    await using stack = new AsyncDisposableStack();
    const clock = new SystemClock();
    const trace = new RecordedTrace(clock);
    const faults = new SwitchedFaults(trace);
    const disks = stack.use(createMemoryDiskStore());
    const credentials = { user: 'administrator@vsphere.local', password: 'p&ss<word>1' };
    const options = { clock, trace, faults, disks, random: seededRandom(7), credentials };
    const vcenter = stack.use(new SimulatedVCenter(options));
    const vm = vcenter.addVm({ name: 'web-1', power: 'off', disks: [{ sizeBytes: diskMiB * mebibyte }] });
    vm.disks[0]!.disk.write(0, readFileSync(raw));
    await vcenter.listen({ host: ownAddress(), port: 443 });
    stack.use(await serveDisks({ vcenter, faults, host: ownAddress() }));
    await world.create(secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'vcenter' },
      stringData: { accessKeyId: credentials.user, secretKey: credentials.password },
    });
    const source = {
      vddk: {
        url: vcenter.url,
        uuid: vm.uuid,
        backingFile: vm.disks[0]!.file,
        thumbprint: vcenter.thumbprint,
        secretRef: 'vcenter',
        initImageURL: 'registry.example/vddk:8',
      },
    };
    await world.create(dataVolumes, dataVolume('vddk', source, 'standard', 'Filesystem'));
    await succeeded('vddk');
    expect(diskIn(await volumeOf('vddk')).isEqual).toBe(true);
  });

  test('into too small a volume is told so by the importer, again and again', async () => {
    await using server = await serveFile(qcow2);
    const small = dataVolume('small', { http: { url: server.url } }, 'standard', 'Filesystem');
    const storage = { ...small.spec.storage, resources: { requests: { storage: '20Mi' } } };
    await world.create(dataVolumes, { ...small, spec: { ...small.spec, storage } });
    const ended = await world.when(nodePods, 'importer-small', (pod) => main(pod)?.lastState?.terminated);
    expect(ended).toMatchObject({ exitCode: 1, reason: 'Error' });
    expect(ended.message).toMatch(/larger than .* available/);
  });
});

describe('a pod', () => {
  test('that fails backs off in the words of a kubelet', async () => {
    await createPod('failing', {
      restartPolicy: 'OnFailure',
      containers: [shell('echo no luck; exit 2', { terminationMessagePolicy: 'FallbackToLogsOnError' })],
    });
    const status = await world.when(nodePods, 'failing', (pod) => {
      const found = main(pod);
      return found?.state?.waiting === undefined || found.restartCount === 0 ? undefined : found;
    });
    expect(status).toMatchObject({
      restartCount: 1,
      lastState: { terminated: { exitCode: 2, reason: 'Error', message: 'no luck\n' } },
      state: { waiting: { reason: 'CrashLoopBackOff' } },
    });
    expect(status.state?.waiting?.message).toMatch(
      /^back-off 10s restarting failed container=main pod=failing_/,
    );
  });

  test('is told to end and given its time, and killed after it', async () => {
    const { client, namespace } = world;
    const spec = (script: string, seconds: number): NodePodSpec => ({
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: seconds,
      containers: [shell(script)],
    });
    await createPod('deaf', spec('while true; do sleep 0.1; done', 1));
    await createPod('polite', spec('trap "exit 0" TERM; while true; do sleep 0.1; done', 300));
    const exits: Record<string, number> = {};
    for (const name of ['deaf', 'polite']) {
      await phaseOf(name, 'Running');
      const ended = world.when(nodePods, name, (pod) => main(pod)?.state?.terminated);
      await client.delete(pods, { namespace, name });
      exits[name] = (await ended).exitCode;
      await world.when(nodePods, name, (pod) => pod === undefined);
    }
    expect(exits).toEqual({ deaf: 137, polite: 0 });
  });

  test('waits for what it mounts and reads, and says for what', async () => {
    await createPod('waiting', {
      restartPolicy: 'Never',
      volumes: [{ name: 'files', configMap: { name: 'files' } }],
      containers: [
        shell('cat /files/a >/dev/termination-log; echo " $SECRET" >>/dev/termination-log', {
          volumeMounts: [{ name: 'files', mountPath: '/files' }],
          env: [{ name: 'SECRET', valueFrom: { secretKeyRef: { name: 'later', key: 'k' } } }],
        }),
      ],
    });
    await toldOf(
      'waiting',
      'FailedMount',
      'MountVolume.SetUp failed for volume "files" : configmap "files" not found',
    );
    await world.create(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'files' },
      data: { a: 'A' },
    });
    const waiting = await world.when(nodePods, 'waiting', (pod) => {
      const state = main(pod)?.state?.waiting;
      return state?.reason === 'CreateContainerConfigError' ? state : undefined;
    });
    expect(waiting.message).toBe('secret "later" not found');
    const data = { k: Buffer.from('S').toString('base64') };
    await world.create(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'later' }, data });
    expect(main(await phaseOf('waiting', 'Succeeded'))?.state?.terminated?.message).toBe('A S\n');
  });

  test('sees its own devices, processes, files and address alone', async () => {
    const script =
      'ls /dev | grep -c -e loop -e cdi; ls /tmp | wc -l; ls /proc | grep -c "^[0-9]"; hostname -I';
    const log = { terminationMessagePolicy: 'FallbackToLogsOnError' } as const;
    await createPod('alone', { restartPolicy: 'Never', containers: [shell(`${script}; exit 1`, log)] });
    const pod = await phaseOf('alone', 'Failed');
    const [devices, files, processes, address] = main(pod)?.state?.terminated?.message?.split('\n') ?? [];
    expect([devices, files]).toEqual(['0', '0']);
    expect(Number(processes)).toBeLessThan(6);
    expect(address?.trim()).toBe(pod.status?.podIP);
  });
});

/** Resolves when an event of this pod says so. */
async function toldOf(name: string, reason: string, message: string): Promise<void> {
  const { client, namespace } = world;
  const says = (event: { readonly reason?: string; readonly message?: string }): boolean =>
    event.reason === reason && event.message === message;
  const options = { namespace, fieldSelector: `involvedObject.name=${name}` };
  const { items, resourceVersion } = await client.list(events, options);
  if (items.some(says)) return;
  const limit = AbortSignal.timeout(60_000);
  for await (const event of client.watch(events, { ...options, resourceVersion }, limit)) {
    if (event.type !== 'BOOKMARK' && says(event.object)) return;
  }
}

describe('a Job', () => {
  const job = (name: string, script: string): Job => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: { backoffLimit: 0, template: { spec: { restartPolicy: 'Never', containers: [shell(script)] } } },
  });
  const condition = (name: string) =>
    world.when(jobs, name, (one) =>
      one?.status?.conditions?.find(({ type }) => type === 'Complete' || type === 'Failed'),
    );

  test('completes with its pod, and fails at its limit', async () => {
    await world.create(jobs, job('good', 'true'));
    await world.create(jobs, job('bad', 'false'));
    expect(await condition('good')).toMatchObject({ type: 'Complete', status: 'True' });
    expect(await condition('bad')).toMatchObject({ type: 'Failed', reason: 'BackoffLimitExceeded' });
  });
});

describe('a volume', () => {
  const filler = (claimName: string): NodePodSpec => ({
    restartPolicy: 'Never',
    volumes: [{ name: 'v', persistentVolumeClaim: { claimName } }],
    containers: [
      shell('dd if=/dev/zero of=/data/x bs=1M count=16', {
        volumeMounts: [{ name: 'v', mountPath: '/data' }],
        terminationMessagePolicy: 'FallbackToLogsOnError',
      }),
    ],
  });

  test('that waits for its first consumer is made for it, is full at its size, and goes with its claim', async () => {
    const { client, namespace } = world;
    await createClaim('filled', 'standard-wffc', '8Mi');
    await createPod('filler', filler('filled'));
    const pod = await phaseOf('filler', 'Failed');
    expect(main(pod)?.state?.terminated?.message).toContain('No space left on device');
    const volume = await volumeOf('filled');
    expect(statSync(join(volume.path, 'x')).size).toBe(8 * mebibyte);
    const claim = (await client.get(persistentVolumeClaims, { namespace, name: 'filled' }))!;
    await client.delete(pods, { namespace, name: 'filler' });
    await client.delete(persistentVolumeClaims, { namespace, name: 'filled' });
    await gone(claim);
    expect(existsSync(volume.path)).toBe(false);
  });

  test('of a block claim takes its loop device along', async () => {
    const { client, namespace } = world;
    await world.create(dataVolumes, dataVolume('device', { blank: {} }, 'standard', 'Block'));
    await succeeded('device');
    const { path } = await volumeOf('device');
    expect(loopFiles()).toContain(path);
    const claim = (await client.get(persistentVolumeClaims, { namespace, name: 'device' }))!;
    await client.delete(dataVolumes, { namespace, name: 'device' });
    await gone(claim);
    expect(loopFiles()).not.toContain(path);
  });

  test('is refused as long as its class says so', async () => {
    const { client } = world;
    await using own = await createClass({ annotations: { [refusalAnnotation]: 'out of disks' } });
    await createClaim('refused', own.name, '1Mi');
    await createPod('refused', filler('refused'));
    const why = `failed to provision volume with StorageClass "${own.name}": out of disks`;
    await toldOf('refused', 'ProvisioningFailed', why);
    const annotations = { [refusalAnnotation]: null };
    await client.mergePatch(storageClasses, { name: own.name }, { metadata: { annotations } });
    await phaseOf('refused', 'Failed');
  });

  test('of a class of folders has the room of the disk under it', async () => {
    await using own = await createClass({ parameters: { [backingParameter]: 'folder' } });
    await createClaim('roomy', own.name, '8Mi');
    await createPod('roomy', filler('roomy'));
    await phaseOf('roomy', 'Succeeded');
    expect(statSync(join((await volumeOf('roomy')).path, 'x')).size).toBe(16 * mebibyte);
  });

  /** A class of this test alone. */
  async function createClass(fields: {
    readonly annotations?: Readonly<Record<string, string>>;
    readonly parameters?: Readonly<Record<string, string>>;
  }): Promise<{ readonly name: string } & AsyncDisposable> {
    const { annotations = {}, parameters = {} } = fields;
    const name = `${world.namespace}-${randomBytes(4).toString('hex')}`;
    await world.client.create(storageClasses, {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name, annotations },
      provisioner: provisioners.plain,
      parameters,
      reclaimPolicy: 'Delete',
      volumeBindingMode: 'WaitForFirstConsumer',
    });
    return {
      name,
      async [Symbol.asyncDispose]() {
        await world.client.delete(storageClasses, { name });
      },
    };
  }

  /** Resolves when the volume of this claim is gone. */
  function gone({ spec }: Stored<PersistentVolumeClaim>): Promise<true> {
    const name = spec.volumeName ?? '';
    return world.when(persistentVolumes, name, (one) => (one === undefined ? true : undefined));
  }
});

/** The files behind the loop devices of this machine. */
function loopFiles(): readonly string[] {
  return readdirSync('/sys/block')
    .map((name) => join('/sys/block', name, 'loop', 'backing_file'))
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file, 'utf8').trim());
}
