import { readFile } from 'node:fs/promises';
import { LinkedAbort, unlessAborted } from '../../../src/kube/linked-abort.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import type { Logger } from '../../../src/runtime/log.ts';
import type { DaemonName } from '../control/testbed.ts';
import { ProgramRun } from './program-run.ts';
import { TestbedError } from './testbed-error.ts';

export interface DaemonSpec {
  readonly name: DaemonName;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Asked again and again: true when it does its work. May throw, which means not yet. */
  readonly isReady: (signal: AbortSignal) => Promise<boolean>;
  /**
   * Whether it is started again when it ends by itself, as a Deployment would have it (controllers end when they lose their lease); what a
   * cluster stands on is not, and its end is the testbed's.
   */
  readonly isRestarted: boolean;
  /** Runs before every start but the first. */
  readonly beforeRestart?: (signal: AbortSignal) => Promise<void>;
  /** Milliseconds between SIGTERM and SIGKILL; 0: killed at once. */
  readonly graceMs: number;
}

export interface DaemonDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly logPath: string;
  /** Told once, when it has ended for good though nobody stopped it. */
  readonly onEnd: (error: TestbedError) => void;
}

const probeEveryMs = 25;
const readyWithinMs = 60_000;
/** As a kubelet waits, in shorter steps: a person or a test waits for it. */
const restartAfterMs = { first: 200, most: 10_000 };
/** One that ran so long was no failure, even if it ended. */
const healthyMs = 10_000;
const tailLines = 15;

/** One program that is kept running from `start` to `stop`. */
export class Daemon implements AsyncDisposable {
  readonly spec: DaemonSpec;
  readonly #deps: DaemonDeps;
  #run: ProgramRun | undefined;
  /** From start to stop. */
  #life: AbortController | undefined;
  #keeping: Promise<void> = Promise.resolve();
  #hasRun = false;
  #restarts = 0;

  constructor(spec: DaemonSpec, deps: DaemonDeps) {
    this.spec = spec;
    this.#deps = deps;
  }

  /** How often it was started again after it had ended by itself. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Of the running program; undefined: none runs. */
  get pid(): number | undefined {
    return this.#run?.pid;
  }

  /** Resolves when it is ready, at once where it runs already. Rejects with TestbedError that ends with what it wrote last. */
  async start(signal: AbortSignal): Promise<void> {
    if (this.#life !== undefined) return;
    const life = new AbortController();
    this.#life = life;
    try {
      const run = await this.#bringUp(signal);
      this.#keeping = this.#keep(run, life.signal);
    } catch (error) {
      this.#life = undefined;
      throw error;
    }
  }

  /** SIGTERM, and SIGKILL when that is not heeded in time; resolves when it has ended. */
  async stop(): Promise<void> {
    this.#life?.abort(new Error(`${this.spec.name} is stopped`));
    this.#life = undefined;
    await this.#run?.end(this.spec.graceMs, this.#deps.clock);
    await this.#keeping;
  }

  pause(): void {
    this.#run?.send('SIGSTOP');
  }

  resume(): void {
    this.#run?.send('SIGCONT');
  }

  /** The last lines of its log. */
  async log(lines: number): Promise<string> {
    const text = await readFile(this.#deps.logPath, 'utf8').catch(() => '');
    return text.trimEnd().split('\n').slice(-lines).join('\n');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Starts the program and waits until it is ready; where it is not it has been ended again. */
  async #bringUp(signal: AbortSignal): Promise<ProgramRun> {
    const { clock, logPath } = this.#deps;
    if (this.#hasRun) await this.spec.beforeRestart?.(signal);
    signal.throwIfAborted();
    this.#hasRun = true;
    const run = new ProgramRun(this.spec, logPath);
    this.#run = run;
    using limit = new LinkedAbort(signal);
    using _timer = clock.setTimeout(
      () => limit.abort(this.#error('DaemonNotReady', `is not ready after ${readyWithinMs / 1000} s`)),
      readyWithinMs,
    );
    void run.ended.then((how) => limit.abort(this.#error('DaemonEnded', `ended ${how} before it was ready`)));
    try {
      while (!(await this.#isReady(limit.signal))) await clock.sleep(probeEveryMs, limit.signal);
      return run;
    } catch (error) {
      await run.end(0, clock);
      throw error instanceof TestbedError ? await this.#withLog(error) : error;
    }
  }

  async #isReady(signal: AbortSignal): Promise<boolean> {
    const isReady = await unlessAborted(this.spec.isReady(signal), signal).catch(() => false);
    signal.throwIfAborted();
    return isReady;
  }

  /** Until the daemon is stopped. Never rejects. */
  async #keep(first: ProgramRun, life: AbortSignal): Promise<void> {
    const { clock, log, onEnd } = this.#deps;
    let run: ProgramRun | undefined = first;
    let waitMs = restartAfterMs.first;
    let begunMs = clock.monotonicMs();
    const isOver = (): boolean => life.aborted;
    while (!isOver()) {
      if (run === undefined) {
        log.warn(`${this.spec.name} did not come up: another try`, { waitMs });
      } else {
        const how = await run.ended;
        if (isOver()) return;
        const error = this.#error('DaemonEnded', `ended by itself ${how}`);
        if (!this.spec.isRestarted) {
          onEnd(await this.#withLog(error));
          return;
        }
        if (clock.monotonicMs() - begunMs >= healthyMs) waitMs = restartAfterMs.first;
        log.warn(`${error.message}: it is started again`, { waitMs });
      }
      this.#restarts += 1;
      await clock.sleep(waitMs, life).catch(() => undefined);
      waitMs = Math.min(waitMs * 2, restartAfterMs.most);
      begunMs = clock.monotonicMs();
      run = isOver() ? undefined : await this.#bringUp(life).catch(() => undefined);
    }
  }

  #error(code: TestbedError['code'], what: string): TestbedError {
    return new TestbedError(code, `${this.spec.name} ${what}`);
  }

  async #withLog(error: TestbedError): Promise<TestbedError> {
    const tail = await this.log(tailLines);
    return new TestbedError(error.code, `${error.message}; the end of ${this.#deps.logPath}:\n${tail}`);
  }
}
