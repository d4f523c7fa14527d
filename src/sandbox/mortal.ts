import { TransportError, type Transport } from '../kube/transport.ts';
import { SourceError } from '../model/fault.ts';
import type { HttpEndpoint } from '../sources/source.ts';

/** Whether a process is still there. One that was killed sends nothing and hears nothing, whatever it was in the middle of. */
export interface Life {
  readonly isDead: boolean;
}

/** The way of such a process to its API server. */
export function mortalTransport(transport: Transport, life: Life): Transport {
  const check = (): void => {
    if (life.isDead) throw new TransportError('ConnectFailed', 'the process was killed');
  };
  return {
    async request(request, signal) {
      check();
      const answer = await transport.request(request, signal);
      check();
      return answer;
    },
    async stream(request, signal) {
      check();
      return transport.stream(request, signal);
    },
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
}

/** Its way to a source. */
export function mortalEndpoint(endpoint: HttpEndpoint, life: Life): HttpEndpoint {
  return {
    async call(request, signal) {
      if (life.isDead)
        throw new SourceError({ code: 'Killed', kind: 'transient', message: 'the process was killed' });
      return endpoint.call(request, signal);
    },
    peerThumbprint: (signal) => endpoint.peerThumbprint(signal),
    [Symbol.asyncDispose]: () => endpoint[Symbol.asyncDispose](),
  };
}
