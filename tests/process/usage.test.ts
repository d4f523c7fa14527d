import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '../../src/runtime/clock.ts';
import { kubeconfig } from '../../src/sandbox/api/kubeconfig.ts';
import { createMemoryDiskStore } from '../../src/sandbox/disk-memory.ts';
import { RecordingLogger } from '../../src/runtime/recording-logger.ts';
import { Sandbox } from '../../src/sandbox/sandbox.ts';
import { SilentServer } from '../support/silent-server.ts';
import { GantryProcess } from './gantry-process.ts';
import { testPatienceMs } from './patience.ts';

jest.setTimeout(testPatienceMs);
const clock = new SystemClock();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gantry-usage-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** Runs to its end. */
async function gantry(...args: readonly string[]) {
  await using run = new GantryProcess(args, { clock });
  const { code } = await run.ends();
  return { code, stdout: run.stdout, stderr: run.stderr };
}

async function kubeconfigFile(server: Parameters<typeof kubeconfig>[0]): Promise<string> {
  const file = join(folder, `config-${new URL(server.url).port}`);
  await writeFile(file, kubeconfig(server));
  return file;
}

describe('the command line', () => {
  test('tells what there is', async () => {
    const { code, stdout, stderr } = await gantry('--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const word of ['controller', 'demo', 'sandbox']) expect(stdout).toContain(word);
    expect(await gantry('controller', '--help')).toMatchObject({ code: 0, stderr: '' });
  });

  test.each([
    ['an unknown command', ['contoller'], "unknown command 'contoller'", 'Did you mean controller?'],
    [
      'an unknown option',
      ['controller', '--kubconfig', 'x'],
      "unknown option '--kubconfig'",
      '--kubeconfig?',
    ],
    ['an unknown setting', ['controller', '--set', 'nonsense=1'], 'no setting "nonsense"', 'maxVmInflight'],
    ['a setting of a wrong form', ['controller', '--set', 'maxVmInflight=x'], 'maxVmInflight=x', 'number'],
    ['an address of a wrong form', ['controller', '--bind', 'here'], "argument 'here'", 'host:port'],
    ['a wrong duration', ['controller', '--lease-duration', '0'], "argument '0'", 'above 0'],
    ['an unknown fault', ['demo', '--fault', 'x@copy'], 'no fault "x"', 'vcenter-down'],
    ['one argument too many', ['controller', 'now'], 'too many arguments', 'gantry help'],
  ])('refuses %s with 2, and says what would be right', async (_what, args, wrong, right) => {
    const { code, stdout, stderr } = await gantry(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(wrong);
    expect(stderr).toContain(right);
    expect(stderr).toContain('"gantry help');
  });
});

describe('a controller that cannot begin ends with 1 and one line that says', () => {
  test('which kubeconfig is missing', async () => {
    const file = join(folder, 'missing');
    const { code, stderr } = await gantry('controller', '--kubeconfig', file);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `gantry: KubeConfigInvalid: kubeconfig ${file}: there is no such file; give a good one with --kubeconfig or KUBECONFIG\n`,
    });
  });

  test('which contexts there are', async () => {
    const file = await kubeconfigFile({ url: 'https://127.0.0.1:1', caPem: 'CA', token: 't' });
    const { code, stderr } = await gantry('controller', '--kubeconfig', file, '--context', 'other');
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'gantry: KubeConfigInvalid: kubeconfig has no context "other"; it has: sandbox\n',
    });
  });

  test('that the API server does not answer', async () => {
    const silent = await SilentServer.start();
    await silent[Symbol.asyncDispose]();
    const url = `https://${silent.address}`;
    const file = await kubeconfigFile({ url, caPem: '', token: 't' });
    const { code, stderr } = await gantry('controller', '--kubeconfig', file, '--bind', 'none');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^gantry: Unreachable: the cluster at https:.*ECONNREFUSED.*\. See whether .*\.\n$/,
    );
  });

  test('that the API server hangs up on it, after several tries', async () => {
    let tries = 0;
    const server = createServer((socket) => {
      tries += 1;
      socket.on('error', () => undefined).destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const file = await kubeconfigFile({ url: `https://127.0.0.1:${port}`, caPem: '', token: 't' });
    const { code, stderr } = await gantry('controller', '--kubeconfig', file, '--bind', 'none');
    server.close();
    expect(code).toBe(1);
    expect(stderr).toMatch(/^gantry: Unreachable: the cluster at https:.*\. See whether .*\.\n$/);
    expect(tries).toBeGreaterThan(1);
  });
});

describe('with an API server', () => {
  let sandbox: Sandbox;
  let server: Awaited<ReturnType<Sandbox['api']['listen']>>;

  beforeAll(async () => {
    sandbox = new Sandbox({ clock, seed: 1, disks: createMemoryDiskStore(), log: new RecordingLogger() });
    await sandbox.ready;
    server = await sandbox.api.listen();
  });
  afterAll(() => sandbox[Symbol.asyncDispose]());

  test('a controller whose credentials are not taken says so, and what to do', async () => {
    const file = await kubeconfigFile({ ...server, token: 'wrong' });
    const { code, stderr } = await gantry('controller', '--kubeconfig', file, '--bind', 'none');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^gantry: Unauthorized: the cluster at https:.*log in anew.*\n$/);
    expect(stderr).not.toContain('wrong');
  });

  test('a controller that does not trust the server says so, and what to do', async () => {
    const { caPem } = sandbox.vcenter;
    const file = await kubeconfigFile({ ...server, caPem });
    const { code, stderr } = await gantry('controller', '--kubeconfig', file, '--bind', 'none');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^gantry: Unreachable: the cluster at https:.*certificate.*certificate authority\.\n$/,
    );
  });

  test('a controller whose address for probes is taken ends with 1 and names it', async () => {
    await using other = await SilentServer.start();
    const file = await kubeconfigFile(server);
    const { code, stderr } = await gantry('controller', '--kubeconfig', file, '--bind', other.address);
    expect(code).toBe(1);
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(
      new RegExp(`^gantry: EADDRINUSE: health failed: .*${other.address}`),
    );
  });
});

describe('a controller that is told to stop before it has begun', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('by %s ends with 0', async (signal) => {
    await using silent = await SilentServer.start();
    const file = await kubeconfigFile({ url: `https://${silent.address}`, caPem: '', token: 't' });
    await using run = new GantryProcess(['controller', '--kubeconfig', file, '--bind', 'none'], { clock });
    await silent.connected;
    run.signal(signal);
    expect(await run.ends()).toEqual({ code: 0, signal: null });
  });
});
