import type { Clock } from '../../runtime/clock.ts';
import type { HttpEndpoint, Trust } from '../../sources/source.ts';
import type { DiskStore } from '../disk-store.ts';
import type { Faults, Trace, VCenter, VddkDisk, VddkRequest } from '../world.ts';
import { seededRandom } from '../random.ts';
import { Account } from './account.ts';
import { seededCertificate, type ServerCertificate } from './certificate.ts';
import { HttpsListener } from './https-listener.ts';
import { InProcessEndpoint } from './in-process-endpoint.ts';
import { Inventory } from './inventory.ts';
import { Registry } from './managed-object.ts';
import { PowerControl, usualLatencies, type PowerLatencies } from './power.ts';
import { Privileges } from './privileges.ts';
import { managers } from './session-methods.ts';
import { Sessions } from './sessions.ts';
import { Snapshots } from './snapshots.ts';
import { apiVersions, SoapService, type SoapAnswer, type SoapRequest } from './soap-service.ts';
import { Tasks } from './tasks.ts';
import { Timers } from './timers.ts';
import { openVddkDisk } from './vddk.ts';
import { notAuthenticated } from './vim-fault.ts';
import { vim } from './vim-schema.ts';
import { MoRef, type VimObject } from './vim-value.ts';
import { vmHandle, type VmHandle } from './vm-handle.ts';
import type { VmInput } from './vm-spec.ts';
import { VmStore, type SimulatedVm } from './vm-store.ts';

export interface VCenterOptions {
  readonly clock: Clock;
  /** Seeded, in [0, 1): certificate, session keys. */
  readonly random: () => number;
  readonly disks: DiskStore;
  readonly faults: Faults;
  readonly trace: Trace;
  /** Default administrator@vsphere.local / sandbox-password. */
  readonly credentials?: { readonly user: string; readonly password: string };
  readonly latencies?: Partial<PowerLatencies>;
  /** Divides the latencies; default 1. */
  readonly speed?: number;
  /** Host name before anybody listens; default vcenter.example. */
  readonly host?: string;
}

const defaultCredentials = { user: 'administrator@vsphere.local', password: 'sandbox-password' };

/** A vCenter with real bytes in one process (design: sandbox.md "Stand-ins"). */
export class SimulatedVCenter implements VCenter {
  readonly account: Account;
  readonly privileges: Privileges;
  readonly #random: () => number;
  readonly #faults: Faults;
  readonly #trace: Trace;
  readonly #registry = new Registry();
  readonly #inventory: Inventory;
  readonly #vms: VmStore;
  readonly #sessions: Sessions;
  readonly #tasks: Tasks;
  readonly #timers: Timers;
  readonly #power: PowerControl;
  readonly #snapshots: Snapshots;
  readonly #service: SoapService;
  readonly #host: string;
  readonly #watches = new DisposableStack();
  #certificate: ServerCertificate | undefined;
  #listener: HttpsListener | undefined;

  constructor(options: VCenterOptions) {
    const { clock, random, faults, trace, disks } = options;
    // A stream of its own, so that what others draw does not depend on when the certificate is first looked at.
    this.#random = seededRandom(Math.floor(random() * 2 ** 32));
    this.#faults = faults;
    this.#trace = trace;
    this.#host = options.host ?? 'vcenter.example';
    this.account = new Account(options.credentials ?? defaultCredentials, { clock, faults, trace });
    this.privileges = new Privileges(faults);
    this.#timers = new Timers(clock, options.speed ?? 1);
    const registry = this.#registry;
    const about = aboutInfo();
    this.#inventory = new Inventory(registry, about, this.#random);
    this.#vms = new VmStore(this.#inventory, disks, clock);
    this.#snapshots = new Snapshots(clock, disks);
    this.#sessions = new Sessions(clock, this.#random, registry);
    this.#tasks = new Tasks(registry, clock, this.#timers);
    const latencies = { ...usualLatencies, ...options.latencies };
    const { account, privileges } = this;
    const tasks = this.#tasks;
    this.#power = new PowerControl({ clock, tasks, timers: this.#timers, faults, trace, latencies });
    registerManagers(registry);
    const parts = { clock, trace, about, account, privileges, registry };
    const world = {
      inventory: this.#inventory,
      vms: this.#vms,
      sessions: this.#sessions,
      power: this.#power,
    };
    this.#service = new SoapService({ ...parts, ...world }, (session) =>
      faults.strikes('vcenter-session-lost', session.userName),
    );
    this.#watches.use(faults.onStart('vcenter-down', () => this.dropConnections()));
    this.#watches.use(faults.onStart('vcenter-session-lost', () => this.#wakeSessions()));
  }

  /** Of the server that listens, else of the way in process. Both ways in answer at both. */
  get url(): string {
    return this.#listener === undefined
      ? `https://${this.#host}/sdk`
      : `https://127.0.0.1:${this.#listener.port}/sdk`;
  }
  get caPem(): string {
    return this.#current().certificatePem;
  }
  get thumbprint(): string {
    return this.#current().thumbprint;
  }
  /** Logins that have neither logged out nor expired. */
  get liveSessions(): number {
    return this.#sessions.live.length;
  }
  get vms(): readonly VmHandle[] {
    return this.#vms.all.map((vm) => this.#handle(vm));
  }

  addVm(input: VmInput): VmHandle {
    return this.#handle(this.#vms.add(input));
  }

  /** Throws when there is no such VM, or more than one. */
  vm(name: string): VmHandle {
    return this.#handle(this.#vms.named(name));
  }

  /** The password changed at the vCenter. Live sessions stay alive. */
  setAccount(password: string): void {
    this.account.setPassword(password);
  }

  /** All sessions end now, as after a restart of the vCenter; who waits is told so. */
  loseSessions(): void {
    this.#sessions.endAll(notAuthenticated(new MoRef('SessionManager', 'SessionManager'), 'System.View'));
  }

  /** Whatever is open breaks off. Sessions stay. */
  dropConnections(): void {
    this.#listener?.dropConnections();
    for (const session of this.#sessions.live) {
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
    this.#tasks.forget(new MoRef('Task', id));
  }

  /** Things made under our names that are still there (design: review.md F7). */
  marked(prefix: string): readonly { readonly vm: string; readonly id: string; readonly name: string }[] {
    return this.#vms.all.flatMap((vm) =>
      this.#snapshots
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
      trace: this.#trace,
      account: this.account,
      privileges: this.privileges,
      vms: this.#vms,
      snapshots: this.#snapshots,
      faults: this.#faults,
      certificate: () => this.#current(),
      answersAt: (asked) => this.#answersAt(asked),
      hostOf: (vm) => this.#inventory.hostNameOf(vm.object),
    });
  }

  async listen(options: { readonly port?: number } = {}): Promise<{ readonly url: string }> {
    const handler = {
      handle: (request: SoapRequest, signal: AbortSignal): Promise<SoapAnswer> =>
        this.#service.handle(request, signal),
      isUp: () => this.#isUp(),
    };
    this.#listener ??= await HttpsListener.start(handler, this.#current(), options.port ?? 0);
    return { url: this.url };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watches.dispose();
    this.#timers[Symbol.dispose]();
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
      ips: ['127.0.0.1'],
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
    for (const session of this.#sessions.live) {
      if (this.#faults.strikes('vcenter-session-lost', session.userName)) {
        this.#sessions.end(
          session,
          notAuthenticated(new MoRef('PropertyCollector', 'propertyCollector'), 'System.View'),
        );
      }
    }
  }

  #handle(vm: SimulatedVm): VmHandle {
    const [power, snapshots, inventory, vms] = [this.#power, this.#snapshots, this.#inventory, this.#vms];
    return vmHandle(vm, { power, snapshots, inventory, vms });
  }
}

/** What this vCenter says of itself; apiType tells it from an ESXi host (fact: vs 1.1). */
function aboutInfo(): VimObject {
  return vim('AboutInfo', {
    name: 'VMware vCenter Server',
    fullName: 'VMware vCenter Server 8.0.2 build-22617221',
    vendor: 'VMware, Inc.',
    version: '8.0.2',
    build: '22617221',
    osType: 'linux-x64',
    productLineId: 'vpx',
    apiType: 'VirtualCenter',
    apiVersion: apiVersions[0],
    instanceUuid: '5a3bd7f2-2f9b-4b5d-9d0c-1c1f6c0e8a11',
    licenseProductName: 'VMware VirtualCenter Server',
    licenseProductVersion: '8.0',
  });
}

function registerManagers(registry: Registry): void {
  registry.add('ServiceInstance', 'ServiceInstance');
  for (const { type, id } of Object.values(managers)) registry.add(type, id);
}
