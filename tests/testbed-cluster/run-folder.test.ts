import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { removeDeadFolders, RunFolder } from '../../hack/testbed/cell/run-folder.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { TestFolder } from '../sandbox/demo/temp.ts';

const clock = new SystemClock();

/** A folder as a process leaves it that was killed: the socket is there and nobody answers. */
function leaveDead(parent: string, name: string): string {
  const path = join(parent, name);
  const script = `
    require('node:fs').mkdirSync(${JSON.stringify(path)});
    require('node:net').createServer().listen(${JSON.stringify(join(path, 'alive.sock'))}, () => process.kill(process.pid, 'SIGKILL'));`;
  expect(spawnSync(process.execPath, ['-e', script]).signal).toBe('SIGKILL');
  writeFileSync(join(path, 'etcd.log'), 'left');
  return path;
}

describe('the folder of a run', () => {
  test('is for its user alone, and goes in the end with all that is in it', async () => {
    using parent = new TestFolder();
    const folder = await RunFolder.create(parent.path, clock);
    expect(statSync(folder.path).mode & 0o777).toBe(0o700);
    mkdirSync(join(folder.path, 'logs'));
    writeFileSync(join(folder.path, 'logs', 'etcd.log'), 'text');
    await folder[Symbol.asyncDispose]();
    expect(readdirSync(parent.path)).toEqual([]);
  });

  test('that a killed process left is removed by the next start, and that of a living one is not', async () => {
    using parent = new TestFolder();
    await using living = await RunFolder.create(parent.path, clock);
    const dead = leaveDead(parent.path, 'gantry-testbed-dead');
    await using next = await RunFolder.create(parent.path, clock);
    expect(existsSync(dead)).toBe(false);
    expect(existsSync(living.path)).toBe(true);
    expect(next.path).not.toBe(living.path);
  });

  test('that is to be kept outlives its process and every start after it', async () => {
    using parent = new TestFolder();
    const folder = await RunFolder.create(parent.path, clock);
    await folder.keep();
    await folder[Symbol.asyncDispose]();
    expect(await removeDeadFolders(parent.path, clock)).toEqual([]);
    expect(existsSync(folder.path)).toBe(true);
  });

  test('that is only just being made is left alone, and one that never was finished is not', async () => {
    using parent = new TestFolder();
    const young = join(parent.path, 'gantry-testbed-young');
    const old = join(parent.path, 'gantry-testbed-old');
    for (const path of [young, old]) mkdirSync(path);
    const twoMinutesAgo = (clock.now() - 120_000) / 1000;
    utimesSync(old, twoMinutesAgo, twoMinutesAgo);
    expect(await removeDeadFolders(parent.path, clock)).toEqual([old]);
    expect(readdirSync(parent.path)).toEqual(['gantry-testbed-young']);
  });

  test("of another name is nobody's affair", async () => {
    using parent = new TestFolder();
    const other = leaveDead(parent.path, 'somebody-elses');
    expect(await removeDeadFolders(parent.path, clock)).toEqual([]);
    expect(existsSync(other)).toBe(true);
  });

  test('is refused where its path leaves no room for a socket', async () => {
    using parent = new TestFolder();
    const deep = join(parent.path, 'x'.repeat(80));
    mkdirSync(deep);
    await expect(RunFolder.create(deep, clock)).rejects.toMatchObject({ code: 'FolderPathTooLong' });
    expect(readdirSync(deep)).toEqual([]);
  });
});
