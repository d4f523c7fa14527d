import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { binaryPath } from '../../hack/testbed/build/locate.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { createMemoryDiskStore } from '../../src/sandbox/disk-memory.ts';
import { SwitchedFaults } from '../../src/sandbox/faults.ts';
import { seededRandom } from '../../src/sandbox/random.ts';
import { RecordedTrace } from '../../src/sandbox/trace.ts';
import { SimulatedVCenter } from '../../src/sandbox/vcenter/simulated-vcenter.ts';

const mebibyte = 1_048_576;
const credentials = { user: 'administrator@vsphere.local', password: 'p&ss word' };
const folder = mkdtempSync(join(tmpdir(), 'govc-'));
const authority = join(folder, 'ca.pem');

const clock = new SystemClock();
const trace = new RecordedTrace(clock);
const faults = new SwitchedFaults(trace);
const disks = createMemoryDiskStore();
const vcenter = new SimulatedVCenter({
  clock,
  random: seededRandom(3),
  disks,
  faults,
  trace,
  credentials,
  speed: 50,
});

beforeAll(async () => {
  for (const name of ['web-1', 'web-2']) {
    vcenter.addVm({
      name,
      folder: name === 'web-2' ? 'prod/web' : '',
      power: 'on',
      changeTracking: true,
      disks: [{ sizeBytes: 8 * mebibyte }, { sizeBytes: 4 * mebibyte, datastore: 'datastore2' }],
      nics: [{ network: 'VM Network', addresses: [{ ip: '10.0.0.7', prefix: 24 }] }, { network: 'DMZ' }],
    });
  }
  await vcenter.listen({ host: '127.0.0.1' });
  writeFileSync(authority, vcenter.caPem);
});

afterAll(async () => {
  await vcenter[Symbol.asyncDispose]();
  disks[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** govc as a stranger would run it: over TLS, trusting the certificate. */
function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const environment = {
    PATH: process.env['PATH'] ?? '',
    GOVC_URL: vcenter.url,
    GOVC_USERNAME: credentials.user,
    GOVC_PASSWORD: credentials.password,
    GOVC_TLS_CA_CERTS: authority,
    GOVC_PERSIST_SESSION: 'false',
    GOVMOMI_HOME: folder,
    ...env,
  };
  return new Promise((resolve) => {
    execFile(binaryPath('govc'), args, { env: environment, timeout: 60_000 }, (error, out, err) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, out, err });
    });
  });
}

/** What it says; throws when it fails. */
async function govc(...args: readonly string[]): Promise<string> {
  const { code, out, err } = await run(args);
  if (code !== 0) throw new Error(`govc ${args.join(' ')}: ${err}`);
  return out;
}

async function json<T>(command: string, ...args: readonly string[]): Promise<T> {
  return JSON.parse(await govc(command, '-json', ...args)) as T;
}

const lines = (text: string): readonly string[] => text.trimEnd().split('\n');

interface Backing {
  readonly fileName: string;
  readonly changeId?: string;
  readonly parent?: Backing;
}
interface Device {
  readonly key: number;
  readonly type: string;
  readonly backing?: Backing;
}
interface TreeNode {
  readonly name: string;
  readonly quiesced: boolean;
  readonly childSnapshotList?: readonly TreeNode[] | null;
}

describe('govc against the simulated vCenter', () => {
  test('learns what it talks to', async () => {
    const { about } = await json<{ about: Record<string, string> }>('about');
    expect(about).toMatchObject({ apiType: 'VirtualCenter', apiVersion: '8.0.2.0', vendor: 'VMware, Inc.' });
  });

  test('names a version in its own way, and any is answered', async () => {
    for (const version of ['9.1.0.0', '7.0', '-']) {
      const { code } = await run(['about'], { GOVC_VIM_VERSION: version });
      expect([version, code]).toEqual([version, 0]);
    }
  });

  test('does not talk to a server whose certificate it cannot trust, unless by thumbprint', async () => {
    const none = { GOVC_TLS_CA_CERTS: '' };
    expect((await run(['about'], none)).err).toContain('certificate signed by unknown authority');
    const known = join(folder, 'known_hosts');
    writeFileSync(known, `${new URL(vcenter.url).host} ${vcenter.thumbprint}\n`);
    expect((await run(['about'], { ...none, GOVC_TLS_KNOWN_HOSTS: known })).code).toBe(0);
  });

  test('is refused with a wrong password', async () => {
    const { code, err } = await run(['ls'], { GOVC_PASSWORD: 'wrong' });
    expect([code, err]).toEqual([1, expect.stringContaining('incorrect user name or password')]);
  });

  test('walks the inventory by path', async () => {
    expect(lines(await govc('ls'))).toEqual(
      ['vm', 'host', 'datastore', 'network'].map((name) => `/Datacenter/${name}`),
    );
    expect(lines(await govc('ls', 'vm'))).toEqual(['/Datacenter/vm/web-1', '/Datacenter/vm/prod']);
    expect(lines(await govc('find', '/', '-type', 'm'))).toEqual([
      '/Datacenter/vm/web-1',
      '/Datacenter/vm/prod/web/web-2',
    ]);
    expect(lines(await govc('ls', '-l', 'host/Cluster'))).toContain(
      '/Datacenter/host/Cluster/esx1.example (HostSystem)',
    );
    expect(await govc('datacenter.info')).toMatch(/Virtual Machines: +2/);
  });

  test('tells a VM whole, and finds it by uuid and by path', async () => {
    const { virtualMachines } = await json<{ virtualMachines: { name: string; config: object }[] }>(
      'vm.info',
      'web-1',
    );
    expect(virtualMachines[0]).toMatchObject({ name: 'web-1', config: { changeTrackingEnabled: true } });
    const { uuid } = vcenter.vm('web-2');
    expect(await govc('vm.info', '-vm.uuid', uuid)).toMatch(/Name: +web-2/);
    expect(await govc('vm.info', '-vm.ipath', '/Datacenter/vm/prod/web/web-2')).toMatch(/Name: +web-2/);
    expect(await govc('vm.ip', 'web-1')).toBe('10.0.0.7\n');
  });

  test('tells devices, hosts and datastores', async () => {
    const { devices } = await json<{ devices: readonly Device[] }>('device.info', '-vm', 'web-1');
    expect(devices.map(({ key }) => key)).toEqual([200, 100, 1000, 2000, 2001, 4000, 4001]);
    expect(await govc('host.info', '-host', 'esx1.example')).toMatch(/State: +connected/);
    expect(await govc('datastore.info', 'datastore2')).toMatch(/Capacity: +1024\.0 GB/);
  });

  test('sees its own session, and leaves none behind', async () => {
    expect(await govc('session.ls')).toMatch(/VSPHERE\.LOCAL\\Administrator .* govc\//);
    await govc('session.logout');
    expect(vcenter.liveSessions).toBe(0);
  });

  test('switches VMs off and on, and is told why it cannot', async () => {
    await govc('vm.power', '-off', 'web-2');
    expect(vcenter.vm('web-2').power).toBe('poweredOff');
    const { code, err } = await run(['vm.power', '-off', 'web-2']);
    expect([code, err]).toEqual([1, expect.stringContaining('(Powered off)')]);
    await govc('vm.power', '-on', 'web-2');
    expect(vcenter.vm('web-2').power).toBe('poweredOn');
    expect(await govc('tasks')).toMatch(/PowerOffVM +web-2 +Administrator .*\n(.*\n)*PowerOnVM +web-2/);
    expect(await govc('tasks', '/Datacenter/vm/prod/web/web-2')).toMatch(
      /PowerOffVM .*error|PowerOffVM .*Powered off/,
    );
  });

  test('takes snapshots, shows them as a tree with their sizes, reverts and removes them', async () => {
    const vm = vcenter.vm('web-1');
    await govc('snapshot.create', '-vm', 'web-1', '-m=false', '-q=true', 'first');
    vm.disks[0]?.disk.write(0, Buffer.alloc(100_000, 1));
    await govc('snapshot.create', '-vm', 'web-1', '-m=false', '-d', 'why', 'second');
    expect(lines(await govc('snapshot.tree', '-vm', 'web-1', '-f'))).toEqual([
      'first',
      '  first/second',
      '  .',
    ]);
    expect(await govc('snapshot.tree', '-vm', 'web-1', '-s')).toMatch(/\[136\.0KB\] +second/);
    const { virtualMachines } = await json<{
      virtualMachines: readonly { snapshot: { rootSnapshotList: readonly TreeNode[] } }[];
    }>('vm.info', 'web-1');
    const first = virtualMachines[0]?.snapshot.rootSnapshotList[0];
    expect(first).toMatchObject({ name: 'first', quiesced: true });
    expect(first?.childSnapshotList?.[0]).toMatchObject({ name: 'second', quiesced: false });
    const { devices } = await json<{ devices: readonly Device[] }>(
      'device.info',
      '-vm',
      'web-1',
      'disk-1000-0',
    );
    expect(devices[0]?.backing).toMatchObject({
      fileName: '[datastore1] web-1/web-1-000002.vmdk',
      parent: {
        fileName: '[datastore1] web-1/web-1-000001.vmdk',
        parent: { fileName: '[datastore1] web-1/web-1.vmdk' },
      },
    });
    await govc('snapshot.revert', '-vm', 'web-1', '-s', 'first');
    expect(vm.disks[0]?.disk.read(0, 1)).toEqual(Uint8Array.of(0));
    await govc('snapshot.remove', '-vm', 'web-1', 'first');
    expect(vm.snapshots.map(({ name }) => name)).toEqual(['second']);
    await govc('snapshot.remove', '-vm', 'web-1', '*');
    expect(vm.snapshots).toEqual([]);
    expect(vm.disks[0]?.file).toBe('[datastore1] web-1/web-1.vmdk');
    vm.powerOn();
  });

  test('reads the frozen config of a snapshot, with the changeIds that an importer needs', async () => {
    await govc('snapshot.create', '-vm', 'web-1', '-m=false', 'marked');
    const id = vcenter.vm('web-1').snapshots[0]?.id ?? '';
    const collected = await json<unknown>(
      'object.collect',
      `VirtualMachineSnapshot:${id}`,
      'config.hardware.device',
    );
    const disk = JSON.stringify(collected);
    expect(disk).toMatch(/52( [\da-f]{2}){7}-[\da-f]{2}( [\da-f]{2}){7}\/\d+/);
    expect(disk).toContain('"diskObjectId":"101-2000"');
    await govc('snapshot.remove', '-vm', 'web-1', 'marked');
  });

  test('reconfigures: notes, options, disks, a card’s cable', async () => {
    await govc('vm.change', '-vm', 'web-2', '-e', 'owner=shop', '-annotation', 'moved');
    expect(await govc('vm.info', '-e', 'web-2')).toMatch(/owner: +shop/);
    await govc('vm.disk.change', '-vm', 'web-2', '-disk.key', '2001', '-size', '8M');
    expect(vcenter.vm('web-2').disks[1]?.disk.sizeBytes).toBe(8 * mebibyte);
    await govc('vm.disk.create', '-vm', 'web-2', '-ds', 'datastore1', '-name', 'web-2/more', '-size', '4M');
    expect(vcenter.vm('web-2').disks[2]?.file).toBe('[datastore1] web-2/more.vmdk');
    await govc('device.disconnect', '-vm', 'web-2', 'ethernet-0');
    expect(await govc('device.info', '-json', '-vm', 'web-2', 'ethernet-0')).toContain('"connected": false');
  });

  test('waits for a change of a property', async () => {
    const waiting = govc(
      'object.collect',
      '-s',
      'VirtualMachine:vm-101',
      '-runtime.powerState',
      'poweredOff',
    );
    vcenter.vm('web-1').powerOff();
    expect(await waiting).toContain('poweredOff');
  });
});
