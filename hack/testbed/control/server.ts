import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Supervisor } from '../cluster/supervisor.ts';
import { TestbedError } from '../cluster/testbed-error.ts';
import { daemonNames, type DaemonName, type TestbedVolume } from './testbed.ts';

/** What the pod runner and the provisioner do for whoever holds the control socket. */
export interface NodeControl {
  /** Sends SIGKILL to the program of the pod's container. False: none runs. */
  killContainer(pod: { readonly namespace: string; readonly name: string }): Promise<boolean>;
  /** What is behind a bound claim; undefined: nothing. */
  volume(claimUid: string): Promise<TestbedVolume | undefined>;
}

export interface ControlParts {
  readonly supervisor: Supervisor;
  readonly node: NodeControl;
}

export function controlSocket(folder: string): string {
  return join(folder, 'control.sock');
}

/** Serves the control socket of the testbed in `folder` until it is disposed of; `signal` ends what is under way. */
export async function serveControl(
  folder: string,
  parts: ControlParts,
  signal: AbortSignal,
): Promise<AsyncDisposable> {
  const server = createServer((request, response) => {
    void answer(request, response, parts, signal);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(controlSocket(folder), () => resolve());
  });
  return {
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  parts: ControlParts,
  signal: AbortSignal,
): Promise<void> {
  try {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://testbed');
    const words = pathname.split('/').slice(1).map(decodeURIComponent);
    const result = await act(words, Number(searchParams.get('lines') ?? 100), parts, signal);
    send(response, 200, { result });
  } catch (error) {
    const code = error instanceof TestbedError ? error.code : undefined;
    send(response, code === undefined ? 500 : 400, {
      error: { code, message: error instanceof Error ? error.message : String(error) },
    });
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  response.end(JSON.stringify(body));
}

async function act(
  [noun = '', first = '', second = '']: readonly string[],
  lines: number,
  { supervisor, node }: ControlParts,
  signal: AbortSignal,
): Promise<unknown> {
  if (noun === 'kill') return node.killContainer({ namespace: first, name: second });
  if (noun === 'volume') return (await node.volume(first)) ?? null;
  const daemon = supervisor.daemon(daemonName(first));
  switch (noun) {
    case 'stop':
      return daemon.stop();
    case 'start':
      return daemon.start(signal);
    case 'pause':
      daemon.pause();
      return null;
    case 'resume':
      daemon.resume();
      return null;
    case 'log':
      return daemon.log(lines);
    default:
      throw new TestbedError('RequestUnknown', `the control socket does not know "${noun}"`);
  }
}

function daemonName(text: string): DaemonName {
  const found = daemonNames.find((name) => name === text);
  if (found === undefined) throw new TestbedError('DaemonUnknown', `there is no daemon "${text}"`);
  return found;
}
