/**
 * An abort of our own that also follows a longer-lived signal, and lets go of it when disposed. `AbortSignal.any` would do the first
 * half, but a process-long signal would then collect one dependant for every request ever made.
 */
export class LinkedAbort implements Disposable {
  readonly #controller = new AbortController();
  readonly #parent: AbortSignal | undefined;
  readonly #follow = (): void => this.#controller.abort(this.#parent?.reason);

  constructor(parent?: AbortSignal) {
    this.#parent = parent;
    if (parent?.aborted === true) this.#follow();
    else parent?.addEventListener('abort', this.#follow, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason?: unknown): void {
    this.#controller.abort(reason);
  }

  /** Stops following the parent; does not abort. */
  [Symbol.dispose](): void {
    this.#parent?.removeEventListener('abort', this.#follow);
  }
}
