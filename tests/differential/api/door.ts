import { Agent, request } from 'undici';
import type { ClusterAccess } from '../../../src/kube/auth.ts';
import type { Transport } from '../../../src/kube/transport.ts';
import { createUndiciTransport } from '../../../src/kube/undici-transport.ts';
import { SystemClock } from '../../../src/runtime/clock.ts';

/** One way into a server, the same for both worlds. */
export interface Door extends AsyncDisposable {
  readonly transport: Transport;
  /** Sends a body as it stands, which a transport never does. */
  sendText(message: TextMessage): Promise<TextAnswer>;
}

export interface TextMessage {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}
export interface TextAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export function openDoor({ server, ca, auth }: ClusterAccess): Door {
  const transport = createUndiciTransport({
    server,
    auth,
    clock: new SystemClock(),
    ...(ca !== undefined && { ca }),
  });
  const sendText = async (message: TextMessage): Promise<TextAnswer> => {
    const { headers, cert, key } = await auth.current(AbortSignal.timeout(10_000));
    await using agent = disposable(
      new Agent({
        connect: {
          ...(ca !== undefined && { ca }),
          ...(cert !== undefined && { cert }),
          ...(key !== undefined && { key }),
        },
      }),
    );
    const answer = await request(`${server}${message.path}`, {
      method: message.method,
      query: message.query,
      headers: { accept: 'application/json', ...message.headers, ...headers },
      body: message.text,
      dispatcher: agent.agent,
    });
    const body = await answer.body.text();
    const plain = Object.entries(answer.headers).map(([name, value]) => [name, String(value)]);
    const isJson = String(answer.headers['content-type']).startsWith('application/json');
    return {
      status: answer.statusCode,
      headers: Object.fromEntries(plain) as Record<string, string>,
      body: isJson ? JSON.parse(body) : body,
    };
  };
  return { transport, sendText, [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose]() };
}

function disposable(agent: Agent): AsyncDisposable & { readonly agent: Agent } {
  return { agent, [Symbol.asyncDispose]: () => agent.close() };
}
