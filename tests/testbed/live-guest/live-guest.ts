import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { sourceVendor, WrittenFiles } from '../../../hack/testbed/guest/writing.ts';
import type { Disk } from '../../../src/sandbox/disk-store.ts';
import { NbdDisk } from './nbd-disk.ts';

/** From its start until it writes, and from its shutdown until it is off: without KVM, on a busy machine. */
const patienceMs = 120_000;

/** The guest of a VM of the simulated vCenter, in QEMU: a Linux that writes to the VM's disk until it is shut down. */
export class LiveGuest implements AsyncDisposable {
  readonly #written = new WrittenFiles();
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #ended: Promise<unknown>;
  readonly #stack: AsyncDisposableStack;
  readonly #begun: Promise<unknown>;
  #told = '';

  private constructor(socket: string, stack: AsyncDisposableStack) {
    this.#stack = stack;
    const child = spawn('qemu-system-x86_64', machineArguments(socket), { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    this.#ended = once(child, 'close');
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#told += text));
    const begun = Promise.withResolvers<unknown>();
    this.#begun = begun.promise;
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#told += `${line}\n`;
      this.#written.read(line);
      if (this.#written.hasBegun) begun.resolve(undefined);
    });
    void this.#ended.then(() => begun.reject(this.#failure('it has ended before it wrote')), begun.reject);
  }

  /** Resolves when it writes. `folder` takes a socket. Rejects with the end of its console. */
  static async start(disk: Disk, folder: string): Promise<LiveGuest> {
    await using unlessDone = new AsyncDisposableStack();
    const socket = join(folder, 'disk.sock');
    unlessDone.use(await NbdDisk.serve(disk, socket));
    const guest = new LiveGuest(socket, unlessDone.move());
    try {
      await guest.#inTime(guest.#begun);
    } catch (error) {
      await guest[Symbol.asyncDispose]();
      throw error;
    }
    return guest;
  }

  /** Files that it has written so far, those that it has removed again among them. */
  get total(): number {
    return this.#written.total;
  }
  /** What is on its disk by its own account: SHA-256 by path. */
  get files(): Readonly<Record<string, string>> {
    return this.#written.files;
  }

  /** As its tools would do it; resolves when it is off. */
  async shutDown(): Promise<void> {
    this.#child.stdin.write('off\n');
    await this.#inTime(this.#ended);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
    await this.#stack.disposeAsync();
  }

  async #inTime(what: Promise<unknown>): Promise<void> {
    const limit = AbortSignal.timeout(patienceMs);
    const late = once(limit, 'abort').then(() => Promise.reject(this.#failure('it takes too long')));
    await Promise.race([what, late]);
  }

  #failure(why: string): Error {
    return new Error(`the guest at the source: ${why}; the end of what it said:\n${this.#told.slice(-3000)}`);
  }
}

function machineArguments(socket: string): readonly string[] {
  return [
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-device', 'VGA'],
    ...['-chardev', 'stdio,id=serial0', '-device', 'isa-serial,chardev=serial0'],
    ...['-machine', 'q35,accel=tcg', '-cpu', 'max', '-m', '512M'],
    ...['-smbios', `type=1,manufacturer=${sourceVendor}`],
    ...['-blockdev', `driver=nbd,node-name=disk0,server.type=unix,server.path=${socket},export=disk`],
    ...['-device', 'ide-hd,bus=ide.0,drive=disk0'],
  ];
}
