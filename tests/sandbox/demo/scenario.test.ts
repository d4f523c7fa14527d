import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { crc32 } from 'node:zlib';
import { migrations, plans, providers, secrets } from '../../../src/api/kinds.ts';
import type { Secret } from '../../../src/api/external/core.ts';
import type { Plan } from '../../../src/api/plan.ts';
import type { Provider } from '../../../src/api/provider.ts';
import { RecordingLogger } from '../../../src/runtime/recording-logger.ts';
import { compareDisks } from '../../../src/sandbox/demo/compare-disks.ts';
import { fillDisk } from '../../../src/sandbox/demo/disk-content.ts';
import {
  fillIn,
  parseSamples,
  readSamples,
  splitOffMigration,
  warmSamplesFolder,
} from '../../../src/sandbox/demo/samples.ts';
import { copyRate, generatedVms, sampleVms, spaceNeeded } from '../../../src/sandbox/demo/scenario.ts';
import { createMemoryDiskStore } from '../../../src/sandbox/disk-memory.ts';
import { TestFolder } from './temp.ts';

const mebibyte = 1_048_576;
const never = new AbortController().signal;

describe('the scenario', () => {
  test('has the VMs that manifests/samples name, as the issue describes them', async () => {
    const { plan } = splitOffMigration(await readSamples());
    const vms = sampleVms();
    expect(vms.map(({ vm }) => vm.name)).toEqual(plan.spec.vms.map(({ name }) => name));
    const [web, windows, router, archive] = vms.map(({ vm }) => vm);
    expect(web?.disks.map(({ sizeBytes }) => sizeBytes / mebibyte)).toEqual([1024]);
    expect(windows).toMatchObject({ firmware: 'efi', secureBoot: true, tpm: true });
    expect(windows?.disks.map(({ sizeBytes }) => sizeBytes / mebibyte)).toEqual([256, 256]);
    expect(router?.nics?.map(({ network }) => network)).toEqual(['VM Network', 'DMZ', 'Storage Net']);
    expect(archive?.power).toBe('off');
  });

  test('moves warm what manifests/samples/warm names, VMs that are on and whose changes are tracked', async () => {
    const { plan } = splitOffMigration(await readSamples(warmSamplesFolder));
    const warm = sampleVms().filter(({ strategy }) => strategy === 'warm');
    expect(warm.map(({ vm }) => vm.name)).toEqual(plan.spec.vms.map(({ name }) => name));
    expect(warm.length).toBeGreaterThanOrEqual(2);
    for (const { vm } of warm) expect(vm).toMatchObject({ power: 'on', changeTracking: true });
    expect(plan.spec).toMatchObject({ type: 'warm', warm: true });
  });

  test('can be any number of small VMs with names of their own', () => {
    const vms = generatedVms(500);
    expect(new Set(vms.map(({ vm }) => vm.name)).size).toBe(500);
    expect(spaceNeeded(vms)).toBeLessThan(1024 * mebibyte);
    expect(copyRate(vms)).toBe(8 * mebibyte);
  });
});

describe('the manifests', () => {
  test('get the values of the world, and stay as they are otherwise', async () => {
    const before = await readSamples();
    const values = { url: 'https://vc/sdk', user: 'u', password: 'p', caPem: 'PEM', vmNames: ['a', 'b'] };
    const after = fillIn(before, values);
    const of = <T>(kind: unknown): T | undefined => after.find((each) => each.kind === kind)?.object as T;
    expect(of<Secret>(secrets)?.stringData).toMatchObject({ user: 'u', password: 'p', 'ca.crt': 'PEM' });
    expect(of<Provider>(providers)?.spec).toMatchObject({
      url: 'https://vc/sdk',
      settings: { sdkEndpoint: 'vcenter' },
    });
    expect(of<Plan>(plans)?.spec.vms).toEqual([{ name: 'a' }, { name: 'b' }]);
    expect(fillIn(before, { ...values, vmNames: undefined }).find(({ kind }) => kind === plans)).toEqual(
      before.find(({ kind }) => kind === plans),
    );
    expect(splitOffMigration(before).before.some(({ kind }) => kind === migrations)).toBe(false);
  });

  test('a manifest that is none is named', () => {
    expect(() => parseSamples('kind: Nothing\napiVersion: v1\n', '09-x.yaml')).toThrow(
      /09-x\.yaml.*v1 Nothing/,
    );
    expect(() => parseSamples('a: [', '09-x.yaml')).toThrow(/09-x\.yaml/);
  });
});

describe('the content of a disk', () => {
  test('is the same for the same seed, and has holes', async () => {
    const store = createMemoryDiskStore();
    const content = { table: 'gpt', files: 'windows', dataBytes: 6 * mebibyte } as const;
    const [a, b, c] = ['a', 'b', 'c'].map((id) => store.create(id, 32 * mebibyte));
    await fillDisk(a!, content, { seed: 1, label: 'vm' }, never);
    await fillDisk(b!, content, { seed: 1, label: 'vm' }, never);
    await fillDisk(c!, content, { seed: 2, label: 'vm' }, never);
    expect(await b!.sha256()).toBe(await a!.sha256());
    expect(await c!.sha256()).not.toBe(await a!.sha256());
    const data = a!.extents().reduce((sum, { length }) => sum + length, 0);
    expect(data).toBeGreaterThan(5 * mebibyte);
    expect(data).toBeLessThan(8 * mebibyte);
  });

  test('a GPT is whole: both headers, both tables, all sums', async () => {
    const disk = createMemoryDiskStore().create('a', 32 * mebibyte);
    const content = { table: 'gpt', files: 'windows', dataBytes: mebibyte } as const;
    await fillDisk(disk, content, { seed: 1, label: 'vm' }, never);
    const sectors = disk.sizeBytes / 512;
    for (const [own, other, table] of [
      [1, sectors - 1, 2],
      [sectors - 1, 1, sectors - 33],
    ] as const) {
      const header = Buffer.from(disk.read(own * 512, 92));
      expect(header.toString('latin1', 0, 8)).toBe('EFI PART');
      expect([header.readBigUInt64LE(24), header.readBigUInt64LE(32), header.readBigUInt64LE(72)]).toEqual(
        [own, other, table].map(BigInt),
      );
      expect(crc32(disk.read(table * 512, 128 * 128))).toBe(header.readUInt32LE(88));
      const sum = header.readUInt32LE(16);
      header.writeUInt32LE(0, 16);
      expect(crc32(header)).toBe(sum);
    }
  });

  test('without mke2fs, or with one that fails, the disk gets bytes without a file system', async () => {
    using folder = new TestFolder();
    const log = new RecordingLogger();
    const disk = createMemoryDiskStore().create('a', 8 * mebibyte);
    const content = { table: 'mbr', files: 'linux', dataBytes: mebibyte } as const;
    const bin = `${folder.path}/bin`;
    mkdirSync(bin);
    writeFileSync(`${bin}/mke2fs`, '#!/bin/sh\necho too old >&2\nexit 1\n', { mode: 0o755 });
    const ext4 = { folder: folder.path, path: bin, log };
    await fillDisk(disk, content, { seed: 1, label: 'vm', ext4 }, never);
    expect(disk.extents().reduce((sum, { length }) => sum + length, 0)).toBeGreaterThan(mebibyte / 2);
    expect(log.lines.map(({ message }) => message)).toEqual(['mke2fs failed, the disk gets no file system']);
  });

  const hasMke2fs = (() => {
    try {
      execFileSync('mke2fs', ['-V'], { stdio: 'ignore', env: { PATH: '/usr/sbin:/sbin:/usr/bin:/bin' } });
      return true;
    } catch {
      return false;
    }
  })();
  (hasMke2fs ? test : test.skip)('with mke2fs a partition is an ext4 file system', async () => {
    using folder = new TestFolder();
    const disk = createMemoryDiskStore().create('a', 16 * mebibyte);
    const ext4 = { folder: folder.path, path: '', log: new RecordingLogger() };
    const content = { table: 'mbr', files: 'linux', dataBytes: 2 * mebibyte } as const;
    await fillDisk(disk, content, { seed: 1, label: 'vm', ext4 }, never);
    // fact: the magic number of ext4's superblock stands at 0x438 of the file system.
    expect(Buffer.from(disk.read(mebibyte + 0x438, 2)).readUInt16LE()).toBe(0xef53);
    expect(Buffer.from(disk.read(510, 2)).readUInt16LE()).toBe(0xaa55);
  });
});

describe('comparing', () => {
  test('finds one byte, a target that is too small, and data behind the end', async () => {
    const store = createMemoryDiskStore();
    const source = store.create('source', 3 * mebibyte);
    const target = store.create('target', 4 * mebibyte);
    for (const disk of [source, target]) disk.write(mebibyte, Buffer.from('some data'));
    const equal = await compareDisks(source, target, never);
    expect(equal.difference).toBeUndefined();
    expect(equal.sha256Target).toBe(equal.sha256Source);
    expect(equal.sha256Source).toBe(await source.sha256());

    target.write(4 * mebibyte - 1, Buffer.from([1]));
    expect((await compareDisks(source, target, never)).difference).toMatch(/behind the 3145728 bytes/);
    target.write(2_000_000, Buffer.from([7]));
    const differs = await compareDisks(source, target, never);
    expect(differs.difference).toBe('byte 2000000 is 7 in place of 0');
    expect(differs.sha256Target).not.toBe(differs.sha256Source);
    const small = store.create('small', mebibyte);
    expect((await compareDisks(source, small, never)).difference).toBe('the target ends after 1048576 bytes');
  });
});
