import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { removeDeadFolders } from '../../hack/testbed/cell/run-folder.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { TestFolder } from '../sandbox/demo/temp.ts';
import { eventually } from './eventually.ts';

/** Namespaces and loop devices need root, and a container that is given both. */
const isAllowed =
  process.getuid?.() === 0 &&
  spawnSync('unshare', ['--net', '--mount', '--pid', '--fork', 'true']).status === 0 &&
  spawnSync('losetup', ['--find']).status === 0;
const whenAllowed = isAllowed ? test : test.skip;
const needs = isAllowed ? '' : ' [skipped: needs root, namespaces and loop devices]';

const clock = new SystemClock();
const outside = fileURLToPath(new URL('cell-outside.ts', import.meta.url));

/** A cell with processes, a network, a mount and a loop device in it. */
class TestCell implements Disposable {
  readonly parent = new TestFolder();
  readonly word = `cell-${randomUUID()}`;
  readonly process: ChildProcess;
  readonly ended: Promise<number | null>;

  constructor(what = 'stay') {
    this.process = spawn(process.execPath, [outside, this.parent.path, this.word, what], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    this.ended = new Promise((resolve) => this.process.once('exit', resolve));
  }

  get folders(): readonly string[] {
    return readdirSync(this.parent.path).map((name) => join(this.parent.path, name));
  }

  async there(): Promise<void> {
    await eventually('the cell is there', () =>
      this.folders.some((folder) => existsSync(join(folder, 'there'))),
    );
  }

  read(name: string): string {
    return readFileSync(join(this.folders[0] ?? '', name), 'utf8');
  }

  /** Process ids, as the machine sees them. */
  processes(): readonly number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((id) => {
        try {
          return readFileSync(`/proc/${id}/cmdline`, 'utf8').includes(this.word);
        } catch {
          return false;
        }
      })
      .map(Number);
  }

  async nothingIsLeft(): Promise<void> {
    await eventually('all processes are gone', () => this.processes().length === 0);
    await eventually('the loop device is gone', () => !this.#devices().includes(this.parent.path));
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(this.parent.path);
    expect(existsSync(`/tmp/mark-${this.word}`)).toBe(false);
  }

  #devices(): string {
    return spawnSync('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE']).stdout.toString();
  }

  [Symbol.dispose](): void {
    this.process.kill('SIGKILL');
    this.parent[Symbol.dispose]();
  }
}

describe('a cell', () => {
  whenAllowed(`has a network of its own and reaps orphans, and two do not meet${needs}`, async () => {
    using one = new TestCell();
    using two = new TestCell();
    await Promise.all([one.there(), two.there()]);
    for (const cell of [one, two]) {
      expect(cell.read('network')).toMatch(/^tb0 +\S+ +10\.77\.0\.1\/16 /m);
      expect(cell.processes().length).toBeGreaterThan(3);
      expect(existsSync(join(cell.folders[0] ?? '', 'mistake'))).toBe(false);
    }
  });

  whenAllowed(`hands the exit code of its program through${needs}`, async () => {
    using cell = new TestCell('end');
    expect(await cell.ended).toBe(7);
    expect(cell.folders).toEqual([]);
    await cell.nothingIsLeft();
  });

  whenAllowed(`tells its program to end when it is told so itself${needs}`, async () => {
    using cell = new TestCell();
    await cell.there();
    cell.process.kill('SIGINT');
    expect(await cell.ended).toBe(3);
    expect(cell.folders).toEqual([]);
    await cell.nothingIsLeft();
  });

  whenAllowed(`leaves a folder and nothing else when the process outside is killed${needs}`, async () => {
    using cell = new TestCell();
    await cell.there();
    cell.process.kill('SIGKILL');
    expect(await cell.ended).toBeNull();
    await cell.nothingIsLeft();
    const left = cell.folders;
    expect(left).toHaveLength(1);
    expect(await removeDeadFolders(cell.parent.path, clock)).toEqual(left);
    expect(cell.folders).toEqual([]);
  });

  whenAllowed(`leaves nothing at all when its program is killed${needs}`, async () => {
    using cell = new TestCell();
    await cell.there();
    const program = cell.processes().find((id) => {
      const line = readFileSync(`/proc/${id}/cmdline`, 'utf8').split('\0');
      return line[0] === process.execPath && line[1]?.endsWith('cell-program.ts') === true;
    });
    process.kill(program!, 'SIGKILL');
    expect(await cell.ended).toBe(128 + 9);
    expect(cell.folders).toEqual([]);
    await cell.nothingIsLeft();
  });
});
