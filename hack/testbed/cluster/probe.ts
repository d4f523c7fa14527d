import { Agent, request } from 'undici';

/** A question to a server of this testbed; each answer but a 2xx is a no. Rejects when it cannot be reached. */
export async function isServing(url: string, caPem: string, signal: AbortSignal): Promise<boolean> {
  // No connection is kept: the next question is to meet a server that may have been started anew.
  const agent = new Agent({ connect: { ca: caPem, timeout: 1000 }, pipelining: 0 });
  try {
    const { statusCode, body } = await request(url, { dispatcher: agent, signal });
    await body.dump();
    return statusCode >= 200 && statusCode < 300;
  } finally {
    await agent.destroy();
  }
}
