import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SystemClock } from '../../src/runtime/clock.ts';
import { planWith } from '../support/move.ts';
import { GantryProcess } from './gantry-process.ts';
import { testPatienceMs } from './patience.ts';
import { ProcessWorld } from './process-world.ts';

jest.setTimeout(testPatienceMs);
const clock = new SystemClock();
/** Far from any node_modules. */
let folder: string;
let program: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gantry-bundle-'));
  await mkdir(join(folder, 'dist'));
  const build = fileURLToPath(new URL('../../hack/build.ts', import.meta.url));
  await promisify(execFile)(process.execPath, [build, join(folder, 'dist')], { env: {} });
  program = join(folder, 'dist', 'gantry.js');
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('the bundle, where nothing else is', () => {
  test('tells what there is', async () => {
    await using gantry = new GantryProcess(['--help'], { clock, program, cwd: folder });
    expect(await gantry.ends()).toEqual({ code: 0, signal: null });
    expect(gantry.stdout).toContain('controller');
    expect(gantry.stderr).toBe('');
  });

  test('holds nothing of the sandbox, and says so to who asks for it', async () => {
    await using gantry = new GantryProcess(['demo'], { clock, program, cwd: folder });
    expect(await gantry.ends()).toEqual({ code: 1, signal: null });
    expect(gantry.stderr).toMatch(/^gantry: NotInThisBuild: .*checkout/);
    const names = await readdir(join(folder, 'dist'), { recursive: true });
    const texts = await Promise.all(
      names
        .filter((name) => name.endsWith('.js'))
        .map((name) => readFile(join(folder, 'dist', name), 'utf8')),
    );
    const whole = texts.join('');
    expect(whole).toContain('HealthServer');
    for (const word of ['SimulatedVCenter', 'EmbeddedApiServer', 'SimulatedClock', 'selfsigned'])
      expect(whole).not.toContain(word);
  });

  test('runs a controller', async () => {
    await using world = await ProcessWorld.start();
    const { gantry } = await world.startController({ program });
    await planWith(world, 'Ready');
    gantry.signal('SIGTERM');
    expect(await gantry.ends()).toEqual({ code: 0, signal: null });
  });
});
