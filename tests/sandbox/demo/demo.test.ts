import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { SystemClock } from '../../../src/runtime/clock.ts';
import { runDemo, type DemoOptions } from '../../../src/sandbox/demo/demo.ts';
import type { DemoDocument, VmReport } from '../../../src/sandbox/demo/report.ts';
import { byteStream } from '../../../src/sandbox/seeded-bytes.ts';
import { TestFolder } from './temp.ts';

const gibibyte = 1024 ** 3;

/** A demo of two small VMs, seconds long, and what it printed. */
async function demo(folder: TestFolder, options: Partial<DemoOptions> = {}, end = new AbortController()) {
  const written: string[] = [];
  const exitCode = await runDemo(
    {
      machine: {
        platform: 'linux',
        nodeVersion: '24.1.0',
        tempFolder: folder.path,
        freeTempBytes: 10 * gibibyte,
        freeMemoryBytes: 4 * gibibyte,
      },
      ...(options.disk === undefined && { generated: 2 }),
      seed: 1,
      speed: 100,
      json: false,
      keep: false,
      output: { write: (text) => written.push(text) },
      env: {},
      clock: new SystemClock(),
      version: 'test',
      ...options,
    },
    end.signal,
  );
  const text = written.join('');
  return { exitCode, text, written, document: () => JSON.parse(text) as DemoDocument };
}

/** The four parts of a downtime are the whole of it. */
function addsUp(vm: VmReport): void {
  const { downtimeMs, sourceMs, copyMs, conversionMs, controllerMs } = vm;
  const sum = sourceMs + copyMs + conversionMs + controllerMs;
  expect(Math.abs(sum - downtimeMs)).toBeLessThanOrEqual(downtimeMs * 0.02);
}

/** A raw image of a size that is no whole number of mebibytes. */
function ownDisk(): Disposable & { readonly path: string; readonly content: Buffer } {
  const folder = new TestFolder();
  const content = Buffer.alloc(3 * 1_048_576 + 512);
  content.set(byteStream('own')(200_000), 1_000_000);
  const path = folder.file('my disk.img', content);
  return { path, content, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

describe('a demo', () => {
  test('moves its VMs, proves it, leaves no file and ends with three lines on what to try next', async () => {
    using folder = new TestFolder();
    const { exitCode, text } = await demo(folder);
    expect(exitCode).toBe(0);
    expect(text).toMatch(/vm-001 +Completed/);
    expect(text).toMatch(/vm-002 +cold +1 +1\.0 MiB +[0-9a-f]{8} +\d/);
    expect(text).toContain(
      '✓ 2 disks, 2.0 MiB: each target equals its source as it was at power-off, byte for byte.',
    );
    expect(
      text
        .trimEnd()
        .split('\n')
        .slice(-3)
        .every((line) => line.includes('npm run demo -- --')),
    ).toBe(true);
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test('on a terminal it draws in place and gives the cursor back', async () => {
    using folder = new TestFolder();
    const written: string[] = [];
    const output = { isTTY: true, columns: 120, rows: 40, write: (text: string) => written.push(text) };
    const { exitCode } = await demo(folder, { output });
    expect(exitCode).toBe(0);
    const text = written.join('');
    expect(text.split('\u001b[?25l')).toHaveLength(text.split('\u001b[?25h').length);
    expect(text).toContain('NAME');
  });

  test('--json is one document of the shape that was promised', async () => {
    using folder = new TestFolder();
    const { exitCode, document, written } = await demo(folder, { json: true });
    expect(exitCode).toBe(0);
    expect(written).toHaveLength(1);
    const result = document();
    if (!result.ok) throw new Error('not ok');
    expect(Object.keys(result)).toEqual(['ok', 'vms']);
    expect(result.vms.map(({ name }) => name)).toEqual(['vm-001', 'vm-002']);
    for (const vm of result.vms) {
      expect(Object.keys(vm)).toEqual([
        'name',
        'strategy',
        'disks',
        'rounds',
        'copied',
        'downtimeMs',
        'sourceMs',
        'copyMs',
        'startMs',
        'conversionMs',
        'controllerMs',
      ]);
      addsUp(vm);
      expect(vm).toMatchObject({ strategy: 'cold', rounds: 1, disks: [{ bytes: 1_048_576 }] });
      expect(vm.disks[0]?.sha256Target).toBe(vm.disks[0]?.sha256Source);
      expect(vm.downtimeMs).toBeGreaterThan(0);
      expect(vm.controllerMs).toBeGreaterThan(0);
      expect(vm.controllerMs).toBeLessThanOrEqual(vm.downtimeMs);
    }
  });

  test("moves the user's own disk warm, and only reads its file, while a guest writes to what stands for it", async () => {
    using folder = new TestFolder();
    using own = ownDisk();
    const { exitCode, document } = await demo(folder, { disk: own.path, json: true, speed: 25 });
    expect(exitCode).toBe(0);
    const result = document();
    if (!result.ok) throw new Error('not ok');
    const [vm] = result.vms;
    expect(vm).toMatchObject({ name: 'my-disk', strategy: 'warm', disks: [{ bytes: own.content.length }] });
    expect(vm?.disks[0]?.sha256Source).not.toBe(createHash('sha256').update(own.content).digest('hex'));
    expect(Buffer.compare(readFileSync(own.path), own.content)).toBe(0);
    if (vm === undefined) throw new Error('no VM');
    // Three rounds while it ran, and what was left.
    expect(vm.copied.length).toBeGreaterThanOrEqual(4);
    expect(vm.copied.map(({ isFinal }) => isFinal)).toEqual(
      vm.copied.map((_, index) => index === vm.copied.length - 1),
    );
    for (const { bytes } of vm.copied) expect(bytes).toBeGreaterThan(0);
    expect(vm.rounds).toBe(vm.copied.length);
    addsUp(vm);
    expect(vm.sourceMs).toBeGreaterThan(0);
    expect(vm.copyMs).toBeGreaterThan(vm.startMs);
    expect(vm.conversionMs).toBe(0);
  });

  test('says that the cutover is asked for, and how, and what each round has copied', async () => {
    using folder = new TestFolder();
    using own = ownDisk();
    const { exitCode, text } = await demo(folder, { disk: own.path, speed: 25 });
    expect(exitCode).toBe(0);
    expect(text).toMatch(
      /kubectl patch migration demo-warm-1 -n gantry-demo --type merge -p '\{"spec":\{"cutover"/,
    );
    expect(text).toMatch(/COPIED +ROUND 1 +ROUND 2 +ROUND 3.* AT CUTOVER/);
    expect(text).toMatch(/OUT OF SERVICE +IN ALL +SOURCE +COPY \(OF IT START\) +CONVERSION +CONTROLLER/);
    expect(text).toMatch(/Guests wrote \d/);
  });

  test.each([
    ['kill-controller', 'cutover', /controller was killed, with my-disk in \w+/, /another one started/],
    ['vcenter-down', 'pause', /vCenter answered nobody/, /.+/],
    ['api-outage', 'copy', /API server answered nobody/, /.+/],
    ['importer-crash', 'copy', /importer of my-disk's disk .* crashed/, /copied .* later/],
    ['slow-consolidation', 'cutover', /snapshot of my-disk/, /in the background/],
    ['kill-controller', 1, /killed/, /another one started/],
  ] as const)(
    'with fault %s at %s all ends well, and it says what happened',
    async (name, when, happened, cured) => {
      using folder = new TestFolder();
      using own = ownDisk();
      // Slow enough that a pause between two rounds is long enough to be seen on a busy machine.
      const options = { disk: own.path, json: true, speed: 8, fault: { name, when } };
      const { exitCode, document } = await demo(folder, options);
      const result = document();
      expect(result).toMatchObject({ ok: true, fault: { name } });
      expect(exitCode).toBe(0);
      if (!result.ok) throw new Error('not ok');
      expect(result.fault?.happened).toMatch(happened);
      expect(result.fault?.cured).toMatch(cured);
      for (const { disks } of result.vms)
        for (const disk of disks) expect(disk.sha256Target).toBe(disk.sha256Source);
    },
  );

  test('a fault whose time never comes fails it, and says so', async () => {
    using folder = new TestFolder();
    const options = { json: true, fault: { name: 'vcenter-down', when: 3600 } } as const;
    const { exitCode, document } = await demo(folder, options);
    expect(exitCode).toBe(1);
    expect(document()).toMatchObject({ ok: false, error: { code: 'FaultNotStruck' } });
  });

  test('one wrong byte in a target fails it: exit 1, and disk and log are named', async () => {
    using folder = new TestFolder();
    const { exitCode, text } = await demo(folder, {
      onMoved: ({ disks }) => {
        const id = disks.ids.find((each) => each.startsWith('claim/') && each.includes('vm-002'));
        disks.get(id ?? '')?.write(700_000, Buffer.from([0xaa]));
      },
    });
    expect(exitCode).toBe(1);
    expect(text).toMatch(
      /DiskDiffers: The disk \[datastore1\] vm-002\/vm-002\.vmdk of vm-002 .* byte 700000 is 170/,
    );
    const log = /The controller's log: (\S+)/.exec(text)?.[1] ?? '';
    expect(readFileSync(log, 'utf8')).toContain('import ended');
    expect(readdirSync(folder.path)).toHaveLength(1);
  });

  test('a source that runs again, or was written after power-off, fails it', async () => {
    using folder = new TestFolder();
    const runs = await demo(folder, {
      json: true,
      onMoved: ({ sandbox }) => sandbox.vcenter.vm('vm-001').powerOn(),
    });
    expect(runs.document()).toMatchObject({ ok: false, error: { code: 'SourceNotOff' } });
    const written = await demo(folder, {
      json: true,
      onMoved: ({ sandbox }) => sandbox.vcenter.vm('vm-001').disks[0]?.disk.write(0, Buffer.from([1])),
    });
    expect(written.exitCode).toBe(1);
    expect(written.document()).toMatchObject({ ok: false, error: { code: 'SourceChanged' } });
  });

  test('what the machine lacks is said in one line before anything is made', async () => {
    using folder = new TestFolder();
    const machine = {
      platform: 'linux',
      nodeVersion: '24.1.0',
      tempFolder: folder.path,
      freeTempBytes: 1000,
      freeMemoryBytes: 4 * gibibyte,
    };
    const { exitCode, text } = await demo(folder, { machine });
    expect(exitCode).toBe(1);
    expect(text).toMatch(/^The demo failed: NotEnoughSpace: [^\n]+\n$/);
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test('interrupted it exits 130 and leaves nothing', async () => {
    using folder = new TestFolder();
    const end = new AbortController();
    const output = {
      write: (text: string) => {
        if (text.includes('is Ready')) end.abort(new Error('Ctrl-C'));
      },
    };
    const { exitCode } = await demo(folder, { output }, end);
    expect(exitCode).toBe(130);
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test('--keep serves until Ctrl-C, which then is the normal end', async () => {
    using folder = new TestFolder();
    const end = new AbortController();
    let files: readonly string[] = [];
    const output = {
      write: (text: string) => {
        if (!text.includes('It stays up')) return;
        files = readdirSync(`${folder.path}/${readdirSync(folder.path)[0] ?? ''}`);
        end.abort(new Error('Ctrl-C'));
      },
    };
    const { exitCode } = await demo(folder, { keep: true, output }, end);
    expect(exitCode).toBe(0);
    expect(files).toContain('kubeconfig');
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test('two at once do not meet', async () => {
    using folder = new TestFolder();
    const both = await Promise.all([demo(folder, { json: true }), demo(folder, { json: true, seed: 2 })]);
    expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    expect(readdirSync(folder.path)).toEqual([]);
  });
});
