import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { binaryPath } from '../../hack/testbed/build/locate.ts';
import { serveDisks, type DataService } from '../../hack/testbed/vddk/data-service.ts';
import { password, user, VCenterWorld } from '../sandbox/vcenter/soap-caller.ts';

const mebibyte = 1_048_576;
const folder = mkdtempSync(join(tmpdir(), 'vddk-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const passwordFile = join(folder, 'password');
writeFileSync(passwordFile, password);

interface Served {
  readonly world: VCenterWorld;
  readonly service: DataService;
}

/** Two disks with something at both ends, and nothing between. */
async function served(power: 'on' | 'off'): Promise<Served & AsyncDisposable> {
  const world = new VCenterWorld();
  const disks = [{ sizeBytes: 8 * mebibyte }, { sizeBytes: 3 * mebibyte + 512 }];
  const vm = world.vcenter.addVm({ name: 'web-1', power, disks });
  for (const [index, { disk }] of vm.disks.entries()) {
    disk.write(0, Buffer.alloc(100_000, 65 + index));
    disk.write(disk.sizeBytes - 5, Buffer.from('end!!'));
  }
  const service = await serveDisks({
    vcenter: world.vcenter,
    faults: world.faults,
    host: '127.0.0.1',
    port: 0,
  });
  return {
    world,
    service,
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

interface Wanted {
  readonly file?: string;
  readonly snapshot?: string;
  readonly thumbprint?: string;
  readonly vm?: string;
  readonly filters?: readonly string[];
  /** Called with all output so far, whenever there is more. */
  readonly onOutput?: (text: string) => void;
}

/** nbdkit with what CDI's importer gives it (fact: cdi 3.6), and a command that finds the disk at $uri. */
async function nbdkit({ world, service }: Served, wanted: Wanted, command: string): Promise<Ended> {
  const vm = world.vcenter.vm('web-1');
  const { filters = ['--filter=retry', '--filter=cacheextents'] } = wanted;
  const hasSnapshot = wanted.snapshot !== undefined;
  const child = spawn('nbdkit', [
    ...['--readonly', '--exit-with-parent', '-U', '-'],
    ...filters.filter((word) => word.startsWith('--')),
    binaryPath('libvddk-test-plugin.so'),
    'libdir=/opt/vmware-vix-disklib-distrib',
    `server=${service.host}:443`,
    `user=${user}`,
    `password=+${passwordFile}`,
    `thumbprint=${wanted.thumbprint ?? world.vcenter.thumbprint}`,
    `vm=moref=${wanted.vm ?? vm.id}`,
    ...(hasSnapshot ? [`snapshot=${wanted.snapshot ?? ''}`, 'transports=file:nbdssl:nbd'] : []),
    ...['--verbose', '-D', 'nbdkit.backend.datapath=0', '-D', 'vddk.datapath=0', '-D', 'vddk.stats=1'],
    `nfchostport=${service.port}`,
    ...filters.filter((word) => !word.startsWith('--')),
    `file=${wanted.file ?? vm.disks[0]?.file ?? ''}`,
    '--run',
    command,
  ]);
  const chunks: Buffer[] = [];
  const output = (): string => Buffer.concat(chunks).toString('utf8');
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      wanted.onOutput?.(output());
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output: output() };
}

let copies = 0;

/** What qemu-img reads of the disk, and how much room it takes. */
async function copyOf(
  from: Served,
  wanted: Wanted,
): Promise<Ended & { readonly bytes: Buffer; readonly room: number }> {
  const path = join(folder, `copy-${(copies += 1)}.img`);
  const ended = await nbdkit(from, wanted, `qemu-img convert -f raw -O raw "$uri" ${path}`);
  if (ended.code !== 0) return { ...ended, bytes: Buffer.alloc(0), room: 0 };
  return { ...ended, bytes: readFileSync(path), room: statSync(path).blocks * 512 };
}

const lineOf = (output: string, start: string): string | undefined =>
  output.split('\n').find((line) => line.startsWith(start));

describe('nbdkit with the plugin that stands for VDDK', () => {
  test('is known by the name that the importer looks for', async () => {
    const child = spawn('nbdkit', [
      '--dump-plugin',
      binaryPath('libvddk-test-plugin.so'),
      'libdir=/opt/none',
    ]);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
    const [code] = (await once(child, 'close')) as [number | null];
    expect(code).toBe(0);
    expect(output).toMatch(/^name=vddk$/m);
    expect(output).toMatch(/^max_thread_model=parallel$/m);
  });

  test('gives the disk of a VM that is off, holes as holes', async () => {
    await using from = await served('off');
    const [disk] = from.world.vcenter.vm('web-1').disks;
    const copy = await copyOf(from, {});
    expect(copy.code).toBe(0);
    expect(Buffer.compare(copy.bytes, disk!.disk.read(0, 8 * mebibyte))).toBe(0);
    expect(copy.room).toBeLessThan(mebibyte);
    const map = await nbdkit(from, {}, 'qemu-img map -f raw --output=json "$uri"');
    expect(map.output).toMatch(/"start": 131072, "length": \d+, .*"zero": true, "data": false/);
    expect(from.service.openDisks).toBe(0);
  });

  test('says version and host as an importer reads them, and never the password', async () => {
    await using from = await served('off');
    const { output } = await copyOf(from, {});
    // The importer's own patterns (fact: testbed 7.3).
    const version = lineOf(output, 'nbdkit: debug: VMware VixDiskLib');
    const host = lineOf(output, 'nbdkit: vddk[1]: debug: DISKLIB-LINK  : Opened ');
    expect(/\((.*)\).*build-(.*)/.exec(version ?? '')?.[1]).toBe('8.0.3');
    expect(/Opened '.*@(.*):.*' \(0x/.exec(host ?? '')?.[1]).toBe('esx1.example');
    expect(output).not.toContain(password);
  });

  test('gives each disk of a VM by its file, as a snapshot holds it, while the VM writes on', async () => {
    await using from = await served('on');
    const vm = from.world.vcenter.vm('web-1');
    const then = vm.disks.map(({ disk }) => Buffer.from(disk.read(0, disk.sizeBytes)));
    const files = vm.disks.map(({ file }) => file);
    const snapshot = vm.takeSnapshot('one');
    for (const { disk } of vm.disks) disk.write(0, Buffer.alloc(200_000, 90));
    const copies = await Promise.all(
      files.map((file) => copyOf(from, { file, snapshot: `moref=${snapshot}` })),
    );
    expect(copies.map(({ code }) => code)).toEqual([0, 0]);
    expect(copies.map(({ bytes }, index) => Buffer.compare(bytes, then[index] ?? bytes))).toEqual([0, 0]);
  });

  test.each<[string, 'on' | 'off', Wanted, string]>([
    ['another thumbprint', 'off', { thumbprint: 'AA:BB' }, 'thumbprints do not match'],
    ['a snapshot that is not there', 'off', { snapshot: 'snapshot-9' }, 'could not be found'],
    ['a VM that is not there', 'off', { vm: 'vm-9' }, 'could not be found'],
    ['a file that is not there', 'off', { file: '[datastore1] x/x.vmdk' }, 'cannot find the file'],
    ['the live disk of a VM that runs', 'on', {}, 'Failed to lock the file'],
  ])('refuses %s', async (_name, power, wanted, text) => {
    await using from = await served(power);
    const { code, output } = await copyOf(from, { ...wanted, filters: [] });
    expect(code).not.toBe(0);
    expect(output).toContain(text);
    expect(lineOf(output, 'nbdkit: vddk[1]: error: ')).toBeDefined();
  });

  test('refuses a wrong password, which counts against the account', async () => {
    await using from = await served('off');
    from.world.vcenter.setAccount('changed');
    const { code, output } = await copyOf(from, { filters: [] });
    expect(code).not.toBe(0);
    expect(output).toContain('incorrect user name or password');
    expect(from.world.vcenter.account.wrongTries).toBe(1);
  });

  test('reads on after an outage, thanks to nbdkit’s retry filter', async () => {
    await using from = await served('off');
    const pipe = join(folder, 'commands');
    const { promise: firstRead, resolve: hasRead } = Promise.withResolvers<undefined>();
    execFileSync('mkfifo', [pipe]);
    const command = `qemu-io -f raw -r "$uri" <${pipe}`;
    const onOutput = (text: string): void => {
      if (text.includes('512/512 bytes')) hasRead(undefined);
    };
    const filters = ['--filter=retry', 'retry-delay=1'];
    const running = nbdkit(from, { filters, onOutput }, command);
    // Opens as soon as somebody reads there.
    const commands = await open(pipe, 'w');
    await commands.write('read 0 512\n');
    await firstRead;
    // Cuts what is open, and refuses the first try to come back.
    using _down = from.world.faults.start('vcenter-down', { times: 1 });
    await commands.write('read 4096 512\n');
    await commands.close();
    const { code, output } = await running;
    expect([code, output.match(/512\/512 bytes/g)?.length]).toEqual([0, 2]);
    expect(output).toContain('Cannot connect to the host');
  });
});
