import { staticAuth } from '../../../src/kube/credentials.ts';
import { SystemClock } from '../../../src/runtime/clock.ts';
import { EmbeddedApiServer } from '../../../src/sandbox/api/api-server.ts';
import { SwitchedFaults } from '../../../src/sandbox/faults.ts';
import { RecordedTrace } from '../../../src/sandbox/trace.ts';
import { seeded } from '../../sandbox/api/harness.ts';
import { openDoor } from './door.ts';
import type { Doors } from './tell.ts';

/** The sandbox's API server over a socket, as a real one is reached, with no CDI or KubeVirt behind it. */
export async function openSandbox(): Promise<AsyncDisposable & { readonly doors: Doors }> {
  const clock = new SystemClock();
  const trace = new RecordedTrace(clock);
  const api = new EmbeddedApiServer({ clock, trace, random: seeded(), faults: new SwitchedFaults(trace) });
  const { url, caPem, token } = await api.listen();
  const door = openDoor({
    server: url,
    ca: caPem,
    skipTlsVerify: false,
    namespace: 'default',
    auth: staticAuth({ headers: { authorization: `Bearer ${token}` } }),
  });
  const dispose = async (): Promise<void> => {
    await door[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
  };
  return { doors: { admin: door, gantry: door }, [Symbol.asyncDispose]: dispose };
}
