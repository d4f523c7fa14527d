import type { Faults } from '../world.ts';
import type { Watch, WatchLine, WatchSink } from './watching.ts';

/** What the client of a watch is told beside its lines. */
export interface WatchClient extends WatchSink {
  /** The connection breaks: nothing more comes, and no orderly end. */
  breakOff(): void;
}

/** One client's watch, with the faults that may strike it. */
export class OpenWatch implements Disposable, WatchSink {
  readonly #subject: string;
  readonly #faults: Faults;
  readonly #client: WatchClient;
  readonly #shown: (line: WatchLine) => WatchLine;
  readonly #onClose: () => void;
  #watch: Watch | undefined;
  #closed = false;

  constructor(
    subject: string,
    faults: Faults,
    client: WatchClient,
    shown: (line: WatchLine) => WatchLine,
    onClose: () => void,
  ) {
    this.#subject = subject;
    this.#faults = faults;
    this.#client = client;
    this.#shown = shown;
    this.#onClose = onClose;
  }

  start(open: (sink: WatchSink) => Watch): void {
    this.#watch = open(this);
    if (this.#closed) this.#watch[Symbol.dispose]();
  }

  line(line: WatchLine): void {
    if (this.#closed) return;
    if (this.#isCut()) this.#breakOff();
    else this.#client.line(this.#shown(line));
  }

  end(): void {
    if (this.#closed) return;
    this[Symbol.dispose]();
    this.#client.end();
  }

  /** A fault was switched on while the watch is open. */
  strike(): void {
    if (this.#closed) return;
    if (this.#isCut()) this.#breakOff();
    else this.expireOnFault();
  }

  expireOnFault(): void {
    if (!this.#closed && this.#faults.strikes('watch-gone', this.#subject)) this.#watch?.expire('1');
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch?.[Symbol.dispose]();
    this.#onClose();
  }

  #isCut(): boolean {
    return (
      this.#faults.strikes('watch-cut', this.#subject) || this.#faults.strikes('api-outage', this.#subject)
    );
  }

  #breakOff(): void {
    this[Symbol.dispose]();
    this.#client.breakOff();
  }
}
