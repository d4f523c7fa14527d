import { join } from 'node:path';
import type { Clock } from '../../../src/runtime/clock.ts';
import type { Logger } from '../../../src/runtime/log.ts';
import type { DaemonName } from '../control/testbed.ts';
import { Daemon, type DaemonSpec } from './daemon.ts';
import { TestbedError } from './testbed-error.ts';

/** The daemons of a testbed: started as they are asked for, ended in reverse. */
export class Supervisor implements AsyncDisposable {
  /** Aborts with a TestbedError when one of those has ended that a testbed cannot be without. */
  readonly lost: AbortSignal;
  readonly #lost = new AbortController();
  readonly #daemons = new Map<DaemonName, Daemon>();
  readonly #logFolder: string;
  readonly #clock: Clock;
  readonly #log: Logger;

  /** The folder must exist. */
  constructor(logFolder: string, deps: { readonly clock: Clock; readonly log: Logger }) {
    this.lost = this.#lost.signal;
    this.#logFolder = logFolder;
    this.#clock = deps.clock;
    this.#log = deps.log;
  }

  /** Resolves when it is ready. Rejects with TestbedError that has the end of its log. */
  async start(spec: DaemonSpec, signal: AbortSignal): Promise<void> {
    const daemon = new Daemon(spec, {
      clock: this.#clock,
      log: this.#log,
      logPath: join(this.#logFolder, `${spec.name}.log`),
      onEnd: (error) => this.#lost.abort(error),
    });
    this.#daemons.set(spec.name, daemon);
    await daemon.start(signal);
  }

  /** Throws TestbedError `DaemonUnknown` for one that this testbed runs without. */
  daemon(name: DaemonName): Daemon {
    const daemon = this.#daemons.get(name);
    if (daemon !== undefined) return daemon;
    const known = [...this.#daemons.keys()].join(', ');
    throw new TestbedError('DaemonUnknown', `this testbed runs no ${name}; it runs: ${known}`);
  }

  get names(): readonly DaemonName[] {
    return [...this.#daemons.keys()];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const daemons = [...this.#daemons.values()].reverse();
    // Controllers first and at once, then what they stand on.
    await Promise.all(daemons.filter(({ spec }) => spec.isRestarted).map((daemon) => daemon.stop()));
    for (const daemon of daemons) await daemon.stop();
  }
}
