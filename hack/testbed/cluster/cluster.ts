import type { KubeClient } from '../../../src/kube/client.ts';
import { staticAuth } from '../../../src/kube/credentials.ts';
import { createKubeClient } from '../../../src/kube/rest-client.ts';
import type { Transport } from '../../../src/kube/transport.ts';
import { createUndiciTransport } from '../../../src/kube/undici-transport.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import type { Logger } from '../../../src/runtime/log.ts';
import { apiServerUrl } from '../addresses.ts';
import type { BinaryName } from '../build/binaries.ts';
import type { Environment } from '../build/cache.ts';
import { binaryPath } from '../build/locate.ts';
import type { Network } from '../cell/network.ts';
import type { IdentityName } from './identities.ts';
import type { Keys } from './keys.ts';
import type { Supervisor } from './supervisor.ts';

export interface ClusterDeps {
  /** Of this run. */
  readonly folder: string;
  readonly network: Network;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: Logger;
  readonly env: Environment;
}

/** What the parts of a testbed are brought up with. */
export class Cluster implements AsyncDisposable {
  readonly deps: ClusterDeps;
  readonly keys: Keys;
  readonly supervisor: Supervisor;
  readonly #transports = new Map<IdentityName, Transport>();

  constructor(deps: ClusterDeps, keys: Keys, supervisor: Supervisor) {
    this.deps = deps;
    this.keys = keys;
    this.supervisor = supervisor;
  }

  /** Path of a program. Throws BinaryMissingError. */
  program(name: BinaryName): string {
    return binaryPath(name, this.deps.env);
  }

  /** A client of the API server as this identity. Good as long as the cluster. */
  client(name: IdentityName): KubeClient {
    const { clock, random } = this.deps;
    return createKubeClient(this.#transport(name), { clock, random });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#transports.values()].map((transport) => transport[Symbol.asyncDispose]()));
  }

  #transport(name: IdentityName): Transport {
    const known = this.#transports.get(name);
    if (known !== undefined) return known;
    const transport = createUndiciTransport({
      server: apiServerUrl,
      ca: this.keys.caPem,
      auth: staticAuth({ headers: { authorization: `Bearer ${this.keys.token(name)}` } }),
      clock: this.deps.clock,
      userAgent: 'gantry-testbed',
      // Manifests are many small requests to a server that is near.
      connections: 32,
    });
    this.#transports.set(name, transport);
    return transport;
  }
}
