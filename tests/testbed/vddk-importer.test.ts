import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { afterAll, describe, expect, test } from '@jest/globals';
import { binaryPath } from '../../hack/testbed/build/locate.ts';
import { serveDisks } from '../../hack/testbed/vddk/data-service.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { createMemoryDiskStore } from '../../src/sandbox/disk-memory.ts';
import { SwitchedFaults } from '../../src/sandbox/faults.ts';
import { seededRandom } from '../../src/sandbox/random.ts';
import { RecordedTrace } from '../../src/sandbox/trace.ts';
import { SimulatedVCenter } from '../../src/sandbox/vcenter/simulated-vcenter.ts';
import { epochOf, writeChangeId } from '../../src/sandbox/vcenter/change-id.ts';
import type { VmHandle } from '../../src/sandbox/vcenter/vm-handle.ts';
import type { VddkRequest } from '../../src/sandbox/world.ts';

const mebibyte = 1_048_576;
const user = 'administrator@vsphere.local';
const password = 'p&ss<word>1';
/** The importer finds disks at port 902 of the vCenter's address: one of this worker's own on the loopback. */
const address = `127.0.1.${process.env['JEST_WORKER_ID'] ?? '1'}`;
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

class ImporterWorld implements AsyncDisposable {
  readonly faults: SwitchedFaults;
  readonly vcenter: SimulatedVCenter;
  readonly vm: VmHandle;
  /** What the importer writes to. */
  readonly image: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'importer-'));
  readonly #stack = new AsyncDisposableStack();

  private constructor() {
    const clock = new SystemClock();
    const trace = new RecordedTrace(clock);
    const disks = this.#stack.use(createMemoryDiskStore());
    this.faults = new SwitchedFaults(trace);
    const credentials = { user, password };
    const parts = { clock, trace, disks, credentials, faults: this.faults, random: seededRandom(5) };
    this.vcenter = this.#stack.use(new SimulatedVCenter({ ...parts, speed: 50, maxChangedAreas: 3 }));
    this.vm = this.vcenter.addVm({
      name: 'web-1',
      power: 'on',
      changeTracking: true,
      disks: [{ sizeBytes: 4 * mebibyte }, { sizeBytes: 8 * mebibyte }],
    });
    this.vm.disks[1]?.disk.write(0, Buffer.alloc(300_000, 65));
    this.vm.disks[1]?.disk.write(7 * mebibyte, Buffer.alloc(3_000, 66));
    folders.push(this.#folder);
    this.image = join(this.#folder, 'data', 'disk.img');
    for (const name of ['data', 'opt/testing', 'opt/vmware-vix-disklib-distrib']) {
      mkdirSync(join(this.#folder, name), { recursive: true });
    }
    writeFileSync(
      join(this.#folder, 'opt/testing/libvddk-test-plugin.so'),
      readFileSync(binaryPath('libvddk-test-plugin.so')),
    );
  }

  static async start(): Promise<ImporterWorld> {
    const world = new ImporterWorld();
    await world.vcenter.listen({ host: address, port: 443 });
    world.#stack.use(await serveDisks({ vcenter: world.vcenter, faults: world.faults, host: address }));
    return world;
  }

  /** The second disk, as an importer asks for it. */
  request(changes: Partial<VddkRequest> = {}): VddkRequest {
    const { url, thumbprint } = this.vcenter;
    const backingFile = '[datastore1] web-1/web-1_1.vmdk';
    return { url, thumbprint, user, password, uuid: this.vm.uuid, backingFile, ...changes };
  }

  /** CDI's importer program with what its pod would have (fact: cdi 3.1). Resolves to its exit code and its last words. */
  async import(
    request: VddkRequest,
    previous = '',
  ): Promise<{ readonly code: number | null; readonly message: string }> {
    const message = join(this.#folder, 'message');
    writeFileSync(message, '');
    const program = binaryPath('cdi-importer');
    const child = spawn(
      'bwrap',
      [
        ...['--ro-bind', '/usr', '/usr', '--ro-bind', '/etc', '/etc', '--proc', '/proc', '--dev', '/dev'],
        ...['bin', 'lib', 'lib64', 'sbin'].flatMap((name) => ['--symlink', `usr/${name}`, `/${name}`]),
        ...['--tmpfs', '/tmp', '--tmpfs', '/run', '--bind', message, '/dev/termination-log'],
        ...['--bind', join(this.#folder, 'opt'), '/opt', '--bind', dirname(this.image), '/data'],
        ...['--ro-bind', program, '/importer', '/importer', '-v=1'],
      ],
      {
        stdio: 'ignore',
        env: {
          PATH: '/usr/bin:/usr/sbin',
          IMPORTER_SOURCE: 'vddk',
          IMPORTER_ENDPOINT: request.url,
          IMPORTER_ACCESS_KEY_ID: request.user,
          IMPORTER_SECRET_KEY: request.password,
          IMPORTER_UUID: request.uuid,
          IMPORTER_BACKING_FILE: request.backingFile,
          IMPORTER_THUMBPRINT: request.thumbprint,
          IMPORTER_CURRENT_CHECKPOINT: request.snapshot ?? '',
          IMPORTER_PREVIOUS_CHECKPOINT: previous,
          IMPORTER_FINAL_CHECKPOINT: 'false',
          IMPORTER_CONTENTTYPE: 'kubevirt',
          IMPORTER_IMAGE_SIZE: '8Mi',
          FILESYSTEM_OVERHEAD: '0',
          INSECURE_TLS: 'false',
          PREALLOCATION: 'false',
          OWNER_UID: 'owner',
        },
      },
    );
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, message: readFileSync(message, 'utf8') };
  }

  /** What the sandbox's own way says to the same. */
  simulated(request: VddkRequest, previous = ''): string {
    try {
      using disk = this.vcenter.openDisk(request);
      if (previous !== '') disk.changedAreas(previous);
      return '';
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** Of the second disk. */
  changeIdAt(snapshot: string): string {
    const counter = this.vm.snapshots.findIndex(({ id }) => id === snapshot) + 1;
    const { key } = this.vm.disks[1]!;
    return writeChangeId({ epoch: epochOf(101, key, 1), counter });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

const never = '52 00 00 00 00 00 00 00-00 00 00 00 00 00 00 00/1';

describe('CDI’s importer against the simulated vCenter', () => {
  test('copies a snapshot while the VM writes on, then what has changed, page by page', async () => {
    await using world = await ImporterWorld.start();
    const { vm } = world;
    const disk = vm.disks[1]!.disk;
    const first = vm.takeSnapshot('one');
    const then = Buffer.from(disk.read(0, disk.sizeBytes));
    disk.write(0, Buffer.alloc(100, 67));
    const full = await world.import(world.request({ snapshot: first }));
    expect([full.code, JSON.parse(full.message)]).toEqual([
      0,
      expect.objectContaining({ vddkInfo: { Version: '8.0.3', Host: 'esx1.example' } }),
    ]);
    expect(Buffer.compare(readFileSync(world.image), then)).toBe(0);

    const previous = world.changeIdAt(first);
    vm.removeSnapshot(first);
    for (const at of [1, 2, 3, 4, 5, 6]) disk.write(at * mebibyte + 300, Buffer.alloc(70_000, 70 + at));
    disk.write(7 * mebibyte, new Uint8Array(3_000));
    const second = vm.takeSnapshot('two');
    const now = Buffer.from(disk.read(0, disk.sizeBytes));
    disk.write(2 * mebibyte, Buffer.alloc(100, 1));
    const delta = await world.import(world.request({ snapshot: second }), previous);
    expect([delta.code, Buffer.compare(readFileSync(world.image), now)]).toEqual([0, 0]);
  });

  test('copies the disk of a VM that is off', async () => {
    await using world = await ImporterWorld.start();
    world.vm.powerOff();
    const { code } = await world.import(world.request());
    const disk = world.vm.disks[1]!.disk;
    expect([code, Buffer.compare(readFileSync(world.image), disk.read(0, disk.sizeBytes))]).toEqual([0, 0]);
  });

  test.each<[string, (world: ImporterWorld, snapshot: string) => Partial<VddkRequest>]>([
    ['a wrong password', () => ({ password: 'x' })],
    ['a VM that is not there', () => ({ uuid: 'none' })],
    ['an instance uuid', ({ vm }) => ({ uuid: vm.instanceUuid })],
    ['a file that is not there', () => ({ backingFile: '[x] y.vmdk' })],
    ['a snapshot that is not there', () => ({ snapshot: 'snapshot-9' })],
    ['a wrong thumbprint', () => ({ thumbprint: 'AA:BB' })],
    ['a port at which nobody listens', () => ({ url: `https://${address}:444/sdk` })],
  ])('says of %s what the sandbox’s importer says', async (_name, changes) => {
    await using world = await ImporterWorld.start();
    const snapshot = world.vm.takeSnapshot('one');
    const request = world.request({ snapshot, ...changes(world, snapshot) });
    const { code, message } = await world.import(request);
    expect(code).toBe(1);
    expect(message.trimEnd()).toBe(world.simulated(request));
  });

  test('says of a delta that cannot be told what the sandbox’s importer says', async () => {
    await using world = await ImporterWorld.start();
    const request = world.request({ snapshot: world.vm.takeSnapshot('one') });
    await world.import(request);
    const begin = 'Unable to process data: Unable to transfer source data to target file: ';
    for (const previous of [never, 'snapshot-77']) {
      const { code, message } = await world.import(request, previous);
      expect([code, message]).toEqual([1, `${begin}${world.simulated(request, previous)}`]);
    }
  });
});
