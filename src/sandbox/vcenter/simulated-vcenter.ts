import type { HttpEndpoint, Trust } from '../../sources/source.ts';
import type { Faults, VCenter, VddkDisk, VddkRequest } from '../world.ts';
import { seededRandom } from '../random.ts';
import type { Account } from './account.ts';
import { seededCertificate, type ServerCertificate } from './certificate.ts';
import { HttpsListener } from './https-listener.ts';
import { InProcessEndpoint } from './in-process-endpoint.ts';
import { openNfcDisk, type NfcDisk, type NfcParts, type NfcRequest } from './nfc.ts';
import type { Privileges } from './privileges.ts';
import { SoapService, type SoapAnswer, type SoapRequest } from './soap-service.ts';
import { createParts, type Parts, type VCenterOptions } from './vcenter-parts.ts';
import { openVddkDisk } from './vddk.ts';
import { invalidLogin, notAuthenticated } from './vim-fault.ts';
import { MoRef } from './vim-value.ts';
import { vmHandle, type VmHandle } from './vm-handle.ts';
import type { VmInput } from './vm-spec.ts';
import type { SimulatedVm } from './vm-store.ts';

const loopback = '127.0.0.1';

/** A vCenter with real bytes in one process (design: sandbox.md "Stand-ins"). */
export class SimulatedVCenter implements VCenter {
  readonly account: Account;
  readonly privileges: Privileges;
  readonly #random: () => number;
  readonly #faults: Faults;
  readonly #parts: Parts;
  readonly #service: SoapService;
  readonly #host: string;
  readonly #watches = new DisposableStack();
  /** An address that the certificate names beside the loopback's. */
  #address: string = loopback;
  #certificate: ServerCertificate | undefined;
  #listener: HttpsListener | undefined;
  #bytesRead = 0;

  constructor(options: VCenterOptions) {
    const { random, faults } = options;
    // A stream of its own, so that what others draw does not depend on when the certificate is first looked at.
    this.#random = seededRandom(Math.floor(random() * 2 ** 32));
    this.#faults = faults;
    this.#host = options.host ?? 'vcenter.example';
    this.#parts = createParts(options, this.#random);
    this.account = this.#parts.account;
    this.privileges = this.#parts.privileges;
    this.#service = new SoapService(this.#parts, (session) =>
      faults.strikes('vcenter-session-lost', session.userName),
    );
    this.#watches.use(faults.onStart('vcenter-down', () => this.dropConnections()));
    this.#watches.use(faults.onStart('vcenter-session-lost', () => this.#wakeSessions()));
  }

  /** Of the server that listens, else of the way in process. Both ways in answer at both. */
  get url(): string {
    if (this.#listener === undefined) return `https://${this.#host}/sdk`;
    const { host, port } = this.#listener;
    return port === 443 ? `https://${host}/sdk` : `https://${host}:${port}/sdk`;
  }
  get caPem(): string {
    return this.#current().certificatePem;
  }
  get thumbprint(): string {
    return this.#current().thumbprint;
  }
  /** Logins that have neither logged out nor expired. */
  get liveSessions(): number {
    return this.#parts.sessions.live.length;
  }
  /** Of disks, by importers so far, whichever way they came. */
  get bytesRead(): number {
    return this.#bytesRead;
  }
  get vms(): readonly VmHandle[] {
    return this.#parts.vms.all.map((vm) => this.#handle(vm));
  }

  addVm(input: VmInput): VmHandle {
    return this.#handle(this.#parts.vms.add(input));
  }

  /** Throws when there is no such VM, or more than one. */
  vm(name: string): VmHandle {
    return this.#handle(this.#parts.vms.named(name));
  }

  /** The password changed at the vCenter. Live sessions stay alive. */
  setAccount(password: string): void {
    this.account.setPassword(password);
  }

  /** All sessions end now, as after a restart of the vCenter; who waits is told so. */
  loseSessions(): void {
    this.#parts.sessions.endAll(
      notAuthenticated(new MoRef('SessionManager', 'SessionManager'), 'System.View'),
    );
  }

  /** Whatever is open breaks off. Sessions stay. */
  dropConnections(): void {
    this.#listener?.dropConnections();
    for (const session of this.#parts.sessions.live) {
      for (const collector of session.collectors.values()) collector.interrupt();
    }
  }

  /** A new certificate, for both ways in. */
  renewCertificate(): void {
    this.#certificate = this.#newCertificate();
    this.#listener?.renew(this.#certificate);
  }

  /** A task that the vCenter forgot before its time (fact: vs 1.5). */
  forgetTask(id: string): void {
    this.#parts.tasks.forget(new MoRef('Task', id));
  }

  /** Things made under our names that are still there (design: review.md F7). */
  marked(prefix: string): readonly { readonly vm: string; readonly id: string; readonly name: string }[] {
    return this.#parts.vms.all.flatMap((vm) =>
      this.#parts.snapshots
        .of(vm)
        .filter(({ name }) => name.startsWith(prefix))
        .map(({ id, name }) => ({ vm: vm.object.text('name'), id, name })),
    );
  }

  connect(url: string, trust: Trust): HttpEndpoint {
    const server = {
      certificate: () => this.#current(),
      answersAt: (asked: string) => this.#answersAt(asked),
      handle: (request: SoapRequest, signal: AbortSignal) => this.#service.handle(request, signal),
    };
    return new InProcessEndpoint(server, url, trust);
  }

  openDisk(request: VddkRequest): VddkDisk {
    return openVddkDisk(request, {
      ...this.#parts,
      ...this.#nfc(),
      answersAt: (url) => this.#answersAt(url),
    });
  }

  /**
   * What VDDK does after an importer has started it: a login of its own, then the file of a VM known by its moref. Throws Error in VDDK's
   * words, never with the password in them.
   */
  openNfc(request: NfcLogin & NfcRequest): NfcDisk {
    const { account, vms } = this.#parts;
    if (!this.#isUp()) throw new Error('VixDiskLib_ConnectEx: Cannot connect to the host');
    if (!account.accepts(request.user, request.password, `vddk ${request.user}`)) {
      throw new Error(`VixDiskLib_ConnectEx: ${invalidLogin().message}`);
    }
    const vm = vms.byId(request.vm);
    if (vm === undefined) {
      throw new Error('VixDiskLib_ConnectEx: The object or item referred to could not be found');
    }
    return openNfcDisk(request, vm, this.#nfc());
  }

  /** Once. Rejects when the address is not this machine's, or taken. */
  async listen(
    options: { readonly port?: number; readonly host?: string } = {},
  ): Promise<{ readonly url: string }> {
    const handler = {
      handle: (request: SoapRequest, signal: AbortSignal): Promise<SoapAnswer> =>
        this.#service.handle(request, signal),
      isUp: () => this.#isUp(),
    };
    const { host = loopback, port = 0 } = options;
    // A name in the certificate for where it is served: a new one, unless it has that name already.
    if (host !== this.#address) {
      this.#address = host;
      this.#certificate = undefined;
    }
    this.#listener ??= await HttpsListener.start(handler, this.#current(), { host, port });
    return { url: this.url };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watches.dispose();
    this.#parts.timers[Symbol.dispose]();
    this.loseSessions();
    await this.#listener?.[Symbol.asyncDispose]();
    this.#listener = undefined;
  }

  /** Made when first looked at: most tests never do. */
  #current(): ServerCertificate {
    this.#certificate ??= this.#newCertificate();
    return this.#certificate;
  }

  #newCertificate(): ServerCertificate {
    return seededCertificate(this.#random, {
      commonName: this.#host,
      dns: [this.#host, 'localhost'],
      ips: [...new Set([loopback, this.#address])],
    });
  }

  #isUp(): boolean {
    return !this.#faults.strikes('vcenter-down', 'vcenter');
  }

  #answersAt(url: string): boolean {
    const host = URL.canParse(url) ? new URL(url).host : undefined;
    const ours = host === this.#host || host === new URL(this.url).host;
    return ours && this.#isUp();
  }

  /** A wait that hangs notices the loss only when it is woken. */
  #wakeSessions(): void {
    for (const session of this.#parts.sessions.live) {
      if (this.#faults.strikes('vcenter-session-lost', session.userName)) {
        this.#parts.sessions.end(
          session,
          notAuthenticated(new MoRef('PropertyCollector', 'propertyCollector'), 'System.View'),
        );
      }
    }
  }

  #nfc(): NfcParts {
    const { privileges, snapshots, inventory, trace } = this.#parts;
    return {
      privileges,
      snapshots,
      trace,
      faults: this.#faults,
      certificate: () => this.#current(),
      isUp: () => this.#isUp(),
      onRead: (length) => {
        this.#bytesRead += length;
      },
      hostOf: (vm) => inventory.hostNameOf(vm.object),
    };
  }

  #handle(vm: SimulatedVm): VmHandle {
    return vmHandle(vm, this.#parts);
  }
}

/** VDDK's own login, and which VM, by moref. */
export interface NfcLogin {
  readonly user: string;
  readonly password: string;
  readonly vm: string;
}
