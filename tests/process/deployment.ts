import type { Door } from './door.ts';
import type { Exit, GantryProcess } from './gantry-process.ts';

/** How one of its processes has ended, and what it said on standard error. */
export interface Ended extends Exit {
  readonly stderr: string;
}

/**
 * A controller as a Deployment runs it: whenever its process ends, the next one is started. On a busy machine a process may lose its Lease
 * without anybody's doing, or find that nobody answers; that it then ends and is replaced is how it is meant to be. Any other end by itself
 * is a failure.
 */
export class Deployment implements AsyncDisposable {
  /** The way in of all its processes. */
  readonly door: Door;
  /** Those before the present one. */
  readonly ended: Ended[] = [];
  /** Resolves when one of them was killed. */
  readonly killed: Promise<true>;
  readonly #start: () => Promise<GantryProcess>;
  readonly #killed = Promise.withResolvers<true>();
  readonly #over: Promise<void>;
  #current: GantryProcess | undefined;
  #isToBeKilled = false;
  #isOver = false;
  #failure: Error | undefined;

  /** `start` starts one process. */
  constructor(door: Door, start: () => Promise<GantryProcess>) {
    this.door = door;
    this.#start = start;
    this.killed = this.#killed.promise;
    this.#over = this.#run().catch((error: unknown) => {
      this.#failure = new Error('no controller was started', { cause: error });
    });
  }

  /** One of its processes has ended in a way that no Deployment should see. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** The process of now is one that says so, or has said so. */
  has(message: string): boolean {
    return this.#current?.exit === undefined && this.#current?.has(message) === true;
  }

  /** SIGKILL to the process of now, or, between two, to the next one. Only the first time: it kills once. */
  kill(): void {
    if (this.#isToBeKilled) return;
    this.#isToBeKilled = true;
    this.#current?.signal('SIGKILL');
  }

  /** Ends the process of now at once; no other is started. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    this.#current?.signal('SIGKILL');
    await this.#over;
  }

  async #run(): Promise<void> {
    for (let ended = await this.#one(); ended !== undefined; ended = await this.#one()) {
      this.ended.push(ended);
      if (ended.signal === 'SIGKILL') this.#killed.resolve(true);
      else if (!isToBeStartedAnew(ended)) {
        this.#failure = new Error(`a controller ended by itself, with ${ended.code}:\n${ended.stderr}`);
        return;
      }
    }
  }

  /** From its start to its end. Undefined when it is all over. */
  async #one(): Promise<Ended | undefined> {
    const current = await this.#start();
    this.#current = current;
    if (this.#isOver || (this.#isToBeKilled && !this.#wasKilled())) current.signal('SIGKILL');
    const exit = await current.exited;
    return this.#isOver ? undefined : { ...exit, stderr: current.stderr };
  }

  #wasKilled(): boolean {
    return this.ended.some(({ signal }) => signal === 'SIGKILL');
  }
}

function isToBeStartedAnew({ code, stderr }: Ended): boolean {
  return code === 1 && /^gantry: (LeadershipLost|Unreachable): /m.test(stderr);
}
