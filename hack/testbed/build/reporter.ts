import { clipText, printable } from '../../../src/cli/text-width.ts';
import { LiveBlock, type TextOutput } from '../../../src/cli/screen.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import type { Product } from './products.ts';
import { doneLine, runningLine, type Standing } from './progress.ts';

const intervalMs = { terminal: 1_000, file: 30_000 };

/**
 * Tells on standard error how a build goes: on a terminal by one line that is drawn again each second, elsewhere by a line now and
 * then. Finished products stay as a line each.
 */
export class Reporter implements Disposable {
  readonly #output: TextOutput;
  readonly #clock: Clock;
  readonly #block: LiveBlock | undefined;
  #standing: Standing = { build: [], done: [], elapsed: 0, compiled: 0 };
  #beganMs = 0;
  #lastPackage = '';
  #timer: Disposable | undefined;

  constructor(output: TextOutput, clock: Clock) {
    this.#output = output;
    this.#clock = clock;
    this.#block = output.isTTY === true ? new LiveBlock(output, { withColours: false }) : undefined;
  }

  /** A line that stays. */
  say(text: string): void {
    const lines = text.split('\n').map((line) => ({ text: printable(line) }));
    if (this.#block !== undefined) this.#block.print(lines);
    else this.#output.write(lines.map((line) => `${line.text}\n`).join(''));
  }

  begin(build: readonly Product[]): void {
    this.#standing = { build, done: [], elapsed: 0, compiled: 0 };
  }

  /** The next product is at work. */
  started(): void {
    this.#beganMs = this.#clock.monotonicMs();
    this.#lastPackage = '';
    this.#show();
    this.#again();
  }

  /** Go says the name of each package that it compiles. */
  compiling(name: string): void {
    this.#lastPackage = name;
    this.#standing = { ...this.#standing, compiled: this.#standing.compiled + 1 };
  }

  /** The one at work is done; `size` in words. */
  finished(size: string): void {
    this.#stop();
    const { build, done } = this.#standing;
    this.#standing = { build, done: [...done, this.#elapsed()], elapsed: 0, compiled: 0 };
    this.say(doneLine(this.#standing, size));
  }

  /** Gives the terminal back. */
  [Symbol.dispose](): void {
    this.#stop();
    this.#block?.close();
  }

  #again(): void {
    const interval = this.#block === undefined ? intervalMs.file : intervalMs.terminal;
    this.#timer = this.#clock.setTimeout(() => {
      this.#show();
      this.#again();
    }, interval);
  }

  #show(): void {
    const line = runningLine({ ...this.#standing, elapsed: this.#elapsed() });
    if (this.#block === undefined) {
      this.#output.write(`${line}\n`);
      return;
    }
    const columns = this.#output.columns ?? 80;
    const text = this.#lastPackage === '' ? line : `${line}  ${this.#lastPackage}`;
    this.#block.draw([{ text: clipText(printable(text), columns - 1) }]);
  }

  #stop(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  #elapsed(): number {
    return (this.#clock.monotonicMs() - this.#beganMs) / 1000;
  }
}
