import { existsSync, writeFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { DemoError } from '../../../src/sandbox/demo/demo-error.ts';
import { checkMachine, thisMachine, type Machine } from '../../../src/sandbox/demo/machine.ts';
import { TempFolder } from '../../../src/sandbox/demo/temp-folder.ts';
import { TestFolder } from './temp.ts';

const gibibyte = 1024 ** 3;
const good: Machine = {
  platform: 'linux',
  nodeVersion: '24.1.0',
  tempFolder: '/tmp',
  freeTempBytes: 10 * gibibyte,
  freeMemoryBytes: 4 * gibibyte,
};
const needs = { tempBytes: 2 * gibibyte, memoryBytes: gibibyte };

describe('what is missing on the machine', () => {
  test.each<[string, Partial<Machine>, RegExp]>([
    ['NodeTooOld', { nodeVersion: '22.19.0' }, /Node 22\.19\.0 is too old, 24 or newer/],
    ['UnsupportedSystem', { platform: 'win32' }, /win32.*WSL/],
    ['NotEnoughSpace', { freeTempBytes: gibibyte }, /2\.0 GiB in \/tmp, where 1\.0 GiB are free.*TMPDIR/],
    ['NotEnoughMemory', { freeMemoryBytes: 1000 }, /1\.0 GiB of memory/],
  ])('%s is said in one line', (code, lacks, words) => {
    const check = () => checkMachine({ ...good, ...lacks }, needs);
    expect(check).toThrow(words);
    try {
      check();
    } catch (error) {
      expect(error).toBeInstanceOf(DemoError);
      expect((error as DemoError).code).toBe(code);
      expect((error as DemoError).message).not.toContain('\n');
    }
  });

  test('a machine that has all of it is taken, and this one can be asked', async () => {
    expect(() => checkMachine(good, needs)).not.toThrow();
    const machine = await thisMachine();
    expect(machine.freeTempBytes).toBeGreaterThan(0);
    expect(machine.freeMemoryBytes).toBeGreaterThan(0);
  });
});

describe('the temporary folder', () => {
  test('goes with all that is in it', () => {
    using parent = new TestFolder();
    const folder = new TempFolder(parent.path, 'demo-');
    writeFileSync(folder.file('disk.img'), 'x');
    folder[Symbol.dispose]();
    expect(existsSync(folder.path)).toBe(false);
  });

  test('leaves nothing but what is to be kept', () => {
    using parent = new TestFolder();
    const folder = new TempFolder(parent.path, 'demo-');
    writeFileSync(folder.file('disk.img'), 'x');
    writeFileSync(folder.file('controller.log'), 'x');
    folder.keep('controller.log');
    folder[Symbol.dispose]();
    expect(readdirSync(folder.path)).toEqual(['controller.log']);
  });
});
