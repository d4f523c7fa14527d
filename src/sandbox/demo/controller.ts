import { createControllers } from '../../controllers/controllers.ts';
import { createKubeClient } from '../../kube/rest-client.ts';
import { defaultSettings, type EngineSettings } from '../../migration/settings.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/log.ts';
import { createSourceRegistry } from '../../sources/registry.ts';
import { mortalEndpoint, mortalTransport } from '../mortal.ts';
import { seededRandom } from '../random.ts';
import type { Sandbox } from '../sandbox.ts';
import type { ImportTimes, InstanceTimes } from './downtime.ts';

/** Seconds from the end of one copy to the next round, before they are divided by the speed. */
const precopySeconds = 20;

/** Everything as in a cluster, except that a demo has no hour between two rounds. */
export function demoSettings(speed: number): EngineSettings {
  return { ...defaultSettings, precopySeconds: precopySeconds / speed, precopyFloorSeconds: 0 };
}

export interface ControllerOptions {
  readonly sandbox: Sandbox;
  readonly clock: Clock;
  readonly seed: number;
  readonly log: Logger;
  readonly settings: EngineSettings;
  readonly times: ImportTimes;
  readonly version: string;
}

/**
 * The controller as it runs in a pod, but in this process: it speaks to the API server and to the vCenter without a socket. It can be
 * killed, and another one be started in its place.
 */
export class DemoController implements AsyncDisposable {
  /** Rejects when a controller ends by itself. */
  readonly ended: Promise<never>;
  readonly #options: ControllerOptions;
  readonly #ended = Promise.withResolvers<never>();
  #instance: Instance | undefined;
  #started = 0;

  /** Starts the first one. */
  constructor(options: ControllerOptions) {
    this.#options = options;
    this.ended = this.#ended.promise;
    this.ended.catch(() => undefined);
    this.start();
  }

  /** Once the one before was killed. */
  start(): void {
    this.#started += 1;
    const instance = startInstance(this.#options, this.#options.seed + this.#started);
    this.#instance = instance;
    instance.run.then(
      () => this.#endedByItself(instance),
      (error: unknown) => this.#endedByItself(instance, error),
    );
  }

  /** The one that is there now has come to reconcile an import. */
  get hasWorked(): boolean {
    return this.#instance?.times.hasWorked === true;
  }

  /** Ends at once, without a farewell: nothing it does from here on has an effect. */
  kill(): void {
    this.#instance?.end('killed');
    this.#options.times.noController();
  }

  /** Ends in good order. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#instance?.end('stopped');
    await this.#instance?.run.catch(() => undefined);
  }

  #endedByItself(instance: Instance, error?: unknown): void {
    if (instance.isEnding) return;
    this.#ended.reject(error ?? new Error('it was not asked to'));
  }
}

interface Instance {
  readonly run: Promise<void>;
  readonly isEnding: boolean;
  readonly times: InstanceTimes;
  end(how: 'killed' | 'stopped'): void;
}

function startInstance(options: ControllerOptions, seed: number): Instance {
  const { sandbox, clock, log, settings, version } = options;
  const random = seededRandom(seed);
  const sources = createSourceRegistry();
  const life = { isDead: false };
  const end = new AbortController();
  const times: InstanceTimes = options.times.instance();
  const { manager } = createControllers({
    client: createKubeClient(mortalTransport(sandbox.api.transport('gantry'), life), { clock, random }),
    clock,
    random,
    log,
    settings,
    platformOf: (type) => sources.platform(type),
    connect: (url, trust) => times.endpoint(mortalEndpoint(sandbox.vcenter.connect(url, trust), life)),
    version,
    metrics: times,
    observer: times,
  });
  return {
    run: manager.run(end.signal),
    times,
    get isEnding() {
      return end.signal.aborted;
    },
    end(how) {
      life.isDead = how === 'killed';
      if (life.isDead) times.end();
      end.abort(new Error(`the controller is ${how}`));
    },
  };
}
