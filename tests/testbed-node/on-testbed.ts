import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import process from 'node:process';
import { namespaces } from '../../src/api/kinds.ts';
import type { KubeObject, ResourceKind, Stored } from '../../src/api/meta.ts';
import { loadKubeConfig } from '../../src/kube/auth.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { createKubeClient } from '../../src/kube/rest-client.ts';
import { createUndiciTransport } from '../../src/kube/undici-transport.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { seededRandom } from '../../src/sandbox/random.ts';
import { workerAddress } from '../../hack/testbed/addresses.ts';
import { openTestbed } from '../../hack/testbed/control/client.ts';
import type { Testbed } from '../../hack/testbed/control/testbed.ts';
import { testbedVariable } from '../../hack/testbed/control/testbed.ts';

const clock = new SystemClock();
/** Where this test process serves what pods fetch. */
export const ownAddress = workerAddress(Number(process.env['JEST_WORKER_ID'] ?? '1'));

/** The testbed that this process runs in, with a namespace of its own. */
export class OnTestbed implements AsyncDisposable {
  static async open(namespace: string): Promise<OnTestbed> {
    const folder = process.env[testbedVariable];
    if (folder === undefined) throw new Error(`${testbedVariable} is not set: not in a testbed`);
    const testbed = await openTestbed(folder);
    const access = await loadKubeConfig({ path: testbed.kubeconfig('admin'), env: {}, clock });
    const transport = createUndiciTransport({ ...access, clock });
    const client = createKubeClient(transport, { clock, random: seededRandom(1) });
    const opened = new OnTestbed(testbed, client, namespace, transport);
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    return opened;
  }

  readonly testbed: Testbed;
  readonly client: KubeClient;
  readonly namespace: string;
  readonly #transport: AsyncDisposable;

  private constructor(testbed: Testbed, client: KubeClient, namespace: string, transport: AsyncDisposable) {
    this.testbed = testbed;
    this.client = client;
    this.namespace = namespace;
    this.#transport = transport;
  }

  async create<T extends KubeObject>(kind: ResourceKind<T>, object: T): Promise<Stored<T>> {
    const { namespace } = this;
    return this.client.create(kind, { ...object, metadata: { ...object.metadata, namespace } });
  }

  /** What `accept` makes of the object, once it makes anything of it (undefined: it is gone). Throws after `seconds`. */
  async when<T extends KubeObject, R>(
    kind: ResourceKind<T>,
    name: string,
    accept: (object: Stored<T> | undefined) => R | undefined | false,
    seconds = 60,
  ): Promise<R> {
    const options = {
      ...(kind.namespaced && { namespace: this.namespace }),
      fieldSelector: `metadata.name=${name}`,
    };
    const { items, resourceVersion } = await this.client.list(kind, options);
    let seen: Stored<T> | undefined = items[0];
    let result = accept(seen);
    if (result !== undefined && result !== false) return result;
    const limit = new AbortController();
    using _limit = clock.setTimeout(() => {
      limit.abort(new Error(`${kind.kind} ${name} after ${seconds} s: ${JSON.stringify(seen)}`));
    }, seconds * 1000);
    for await (const event of this.client.watch(kind, { ...options, resourceVersion }, limit.signal)) {
      if (event.type === 'BOOKMARK') continue;
      seen = event.type === 'DELETED' ? undefined : event.object;
      result = accept(seen);
      if (result !== undefined && result !== false) return result;
    }
    throw new Error(`the watch of ${kind.kind} ${name} ended`);
  }

  /** Leaves nothing that the next test would meet; what is in the namespace ends by itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.delete(namespaces, { name: this.namespace });
    await this.#transport[Symbol.asyncDispose]();
  }
}

export interface FileServer extends AsyncDisposable {
  readonly url: string;
}

/** Serves one file to importers, which ask for parts of it (fact: testbed 8). `bytesPerSecond`: no faster than that. */
export async function serveFile(file: string, bytesPerSecond = Infinity): Promise<FileServer> {
  const { size } = await stat(file);
  const server = createServer((request, response) => {
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const start = Number(range?.[1] ?? 0);
    const end = Math.min(Number(range?.[2] === '' ? size : (range?.[2] ?? size)), size - 1);
    response.writeHead(range === null ? 200 : 206, {
      'accept-ranges': 'bytes',
      'content-length': end - start + 1,
      ...(range !== null && { 'content-range': `bytes ${start}-${end}/${size}` }),
    });
    if (request.method === 'HEAD') response.end();
    else void send(file, start, end, bytesPerSecond, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, ownAddress, resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://${ownAddress}:${port}/${encodeURIComponent(file.slice(file.lastIndexOf('/') + 1))}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function send(
  file: string,
  start: number,
  end: number,
  bytesPerSecond: number,
  response: NodeJS.WritableStream,
): Promise<void> {
  for await (const piece of createReadStream(file, { start, end, highWaterMark: 1 << 18 })) {
    const { length } = piece as Buffer;
    if (!response.write(piece as Buffer)) await new Promise((resolve) => response.once('drain', resolve));
    if (bytesPerSecond !== Infinity) await clock.sleep((1000 * length) / bytesPerSecond);
  }
  response.end();
}
