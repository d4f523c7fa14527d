import { readFile } from 'node:fs/promises';
import { Agent, request } from 'undici';
import { apiServerUrl } from '../addresses.ts';
import { authorityPath, kubeconfigPath } from '../cluster/keys.ts';
import { TestbedError, type TestbedErrorCode } from '../cluster/testbed-error.ts';
import { controlSocket } from './server.ts';
import type { DaemonName, Testbed, TestbedVolume } from './testbed.ts';

/** The testbed that runs in `folder`. Its calls reject with TestbedError. */
export async function openTestbed(folder: string): Promise<Testbed> {
  const caPem = await readFile(authorityPath(folder), 'utf8');
  const call = (...words: readonly string[]): Promise<unknown> => ask(folder, words, {});
  const command = (verb: string) => async (daemon: DaemonName) => {
    await call(verb, daemon);
  };
  return {
    folder,
    url: apiServerUrl,
    caPem,
    kubeconfig: (user) => kubeconfigPath(folder, user),
    stop: command('stop'),
    start: command('start'),
    pause: command('pause'),
    resume: command('resume'),
    killContainer: async ({ namespace, name }) => (await call('kill', namespace, name)) === true,
    volume: async (claimUid) => ((await call('volume', claimUid)) ?? undefined) as TestbedVolume | undefined,
    log: async (daemon, lines) => String(await ask(folder, ['log', daemon], { lines: String(lines) })),
  };
}

interface Answer {
  readonly result?: unknown;
  readonly error?: { readonly code?: TestbedErrorCode; readonly message: string };
}

async function ask(
  folder: string,
  words: readonly string[],
  query: Readonly<Record<string, string>>,
): Promise<unknown> {
  // No time limit: a daemon may take a minute until it is ready. No connection is left behind for a test runner to wait for.
  const agent = new Agent({
    connect: { socketPath: controlSocket(folder) },
    headersTimeout: 0,
    pipelining: 0,
  });
  try {
    const { body } = await request(`http://testbed/${words.map(encodeURIComponent).join('/')}`, {
      method: 'POST',
      query,
      dispatcher: agent,
    });
    const { result, error } = (await body.json()) as Answer;
    if (error !== undefined) throw new TestbedError(error.code ?? 'ControlFailed', error.message);
    return result;
  } catch (error) {
    if (error instanceof TestbedError) throw error;
    const attempted = `${words.join(' ')}: the testbed in ${folder} does not answer`;
    throw new TestbedError('ControlFailed', `${attempted}; is it still running?`, { cause: error });
  } finally {
    await agent.destroy();
  }
}
