interface Waiting {
  readonly resolve: (result: IteratorResult<unknown>) => void;
  readonly reject: (error: unknown) => void;
}

/** The lines of one stream: one writer that never waits, one reader. */
export class LineQueue implements AsyncIterable<unknown>, AsyncIterator<unknown> {
  readonly #onReturn: () => void;
  #lines: unknown[] = [];
  #next = 0;
  #waiting: Waiting | undefined;
  #end: { readonly error?: unknown } | undefined;

  /** `onReturn`: the reader has left before the end. */
  constructor(onReturn: () => void) {
    this.#onReturn = onReturn;
  }

  get isEnded(): boolean {
    return this.#end !== undefined;
  }

  push(line: unknown): void {
    if (this.#end !== undefined) return;
    if (this.#waiting === undefined) {
      this.#lines.push(line);
      return;
    }
    this.#waiting.resolve({ value: line, done: false });
    this.#waiting = undefined;
  }

  end(): void {
    this.#close({});
  }

  /** Lines that were written before are still read, as from a socket; then the error. */
  fail(error: unknown): void {
    this.#close({ error });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<unknown>> {
    if (this.#next < this.#lines.length) {
      const value = this.#lines[this.#next];
      this.#next += 1;
      if (this.#next === this.#lines.length) {
        this.#lines = [];
        this.#next = 0;
      }
      return Promise.resolve({ value, done: false });
    }
    if (this.#end === undefined) {
      return new Promise((resolve, reject) => (this.#waiting = { resolve, reject }));
    }
    const end = this.#end;
    this.#end = {};
    return 'error' in end ? rejected(end.error) : Promise.resolve({ value: undefined, done: true });
  }

  return(): Promise<IteratorResult<unknown>> {
    this.#lines = [];
    this.#next = 0;
    this.#close({});
    this.#onReturn();
    return Promise.resolve({ value: undefined, done: true });
  }

  #close(end: { readonly error?: unknown }): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) return;
    this.#end = {};
    if ('error' in end) waiting.reject(end.error);
    else waiting.resolve({ value: undefined, done: true });
  }
}

async function rejected(error: unknown): Promise<never> {
  await Promise.resolve();
  throw error;
}
