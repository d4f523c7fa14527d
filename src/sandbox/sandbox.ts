import type { KubeClient } from '../kube/client.ts';
import { createKubeClient } from '../kube/rest-client.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import { EmbeddedApiServer } from './api/api-server.ts';
import { registerCdiAdmission } from './cdi/admission.ts';
import { startCdi } from './cdi/cdi.ts';
import type { CdiSettings } from './cdi/settings.ts';
import { startConversionNode } from './conversion/conversion-node.ts';
import type { ConversionWrite } from './conversion/converter.ts';
import { defaultConversionSettings, type ConversionSettings } from './conversion/settings.ts';
import type { DiskStore } from './disk-store.ts';
import { SwitchedFaults } from './faults.ts';
import { registerKubeVirtAdmission } from './kubevirt/admission.ts';
import { startKubeVirt } from './kubevirt/kubevirt.ts';
import type { KubeVirtSettings } from './kubevirt/settings.ts';
import { seededRandom } from './random.ts';
import type { RunningStandIn } from './stand-in.ts';
import { startStorage, type StorageSettings } from './storage/storage.ts';
import { RecordedTrace } from './trace.ts';
import { SimulatedVCenter } from './vcenter/simulated-vcenter.ts';
import type { VCenterOptions } from './vcenter/vcenter-parts.ts';
import type { World } from './world.ts';

export interface SandboxOptions {
  readonly clock: Clock;
  readonly seed: number;
  readonly disks: DiskStore;
  readonly log: Logger;
  /** Divides all simulated latencies; default 1. */
  readonly speed?: number;
  readonly cdi?: Partial<CdiSettings>;
  readonly conversion?: Partial<ConversionSettings>;
  readonly kubevirt?: Partial<KubeVirtSettings>;
  readonly storage?: Partial<StorageSettings>;
  readonly vcenter?: Pick<VCenterOptions, 'credentials' | 'latencies' | 'host' | 'maxChangedAreas'>;
  readonly traceRequests?: boolean;
}

/** The embedded world, whole and running: what is behind `gantry sandbox`, the demo and most tests. */
export class Sandbox implements World {
  readonly clock: Clock;
  readonly random: () => number;
  readonly disks: DiskStore;
  readonly trace: RecordedTrace;
  readonly faults: SwitchedFaults;
  readonly api: EmbeddedApiServer;
  readonly vcenter: SimulatedVCenter;
  /** What converters have written, in order. */
  readonly conversions: ConversionWrite[] = [];
  readonly ready: Promise<void>;
  readonly #log: Logger;
  readonly #end = new AbortController();
  readonly #standIns: readonly RunningStandIn[];

  constructor(options: SandboxOptions) {
    const { clock, disks, log, speed = 1 } = options;
    this.clock = clock;
    this.disks = disks;
    this.#log = log;
    this.random = seededRandom(options.seed);
    this.trace = new RecordedTrace(clock);
    this.faults = new SwitchedFaults(this.trace);
    const parts = { clock, random: this.random, faults: this.faults, trace: this.trace };
    this.api = new EmbeddedApiServer({ ...parts, traceRequests: options.traceRequests ?? false });
    this.vcenter = new SimulatedVCenter({ ...parts, disks, speed, ...options.vcenter });
    registerCdiAdmission(this.api);
    registerKubeVirtAdmission(this.api, { random: this.random });

    const { signal } = this.#end;
    const standIn = { clock, random: this.random, log, disks };
    const { vcenter, faults } = this;
    this.#standIns = [
      startStorage(this.client('storage'), { ...standIn, settings: { speed, ...options.storage } }, signal),
      startCdi(
        this.client('cdi'),
        { ...standIn, vcenter, faults, settings: { speed, ...options.cdi } },
        signal,
      ),
      startConversionNode(
        this.client('conversion-node'),
        {
          ...standIn,
          faults,
          settings: { ...defaultConversionSettings, speed, ...options.conversion },
          written: (write) => this.conversions.push(write),
          answerForPods: (responder) => this.api.answerForPods(responder),
        },
        signal,
      ),
      startKubeVirt(
        this.client('kubevirt'),
        { ...standIn, settings: { speed, ...options.kubevirt } },
        signal,
      ),
    ];
    this.ready = Promise.all(this.#standIns.map((running) => running.ready)).then(() => undefined);
  }

  /** A client of the API server in this process; `user` names it in the trace. */
  client(user: string): KubeClient {
    return createKubeClient(this.api.transport(user), { clock: this.clock, random: this.random });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort(new Error('the sandbox ends'));
    await Promise.all(this.#standIns.map((running) => running.stopped));
    await this.vcenter[Symbol.asyncDispose]();
    await this.api[Symbol.asyncDispose]();
    this.disks[Symbol.dispose]();
    this.#log.debug('sandbox ended');
  }
}
