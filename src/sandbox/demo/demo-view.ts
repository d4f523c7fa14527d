import { formatElapsed } from '../../cli/format.ts';
import type { VmProgress } from '../../cli/import-progress.ts';
import { progressTable, runSummary } from '../../cli/progress-table.ts';
import { LiveBlock, painted, type Line, type TextOutput } from '../../cli/screen.ts';
import { clipText, printable } from '../../cli/text-width.ts';
import { Transitions } from '../../cli/transitions.ts';

/** What a demo tells while it goes on. */
export interface DemoView {
  /** Said once, and stays. */
  say(...lines: readonly Line[]): void;
  /** What is being done now; makes room for whatever comes next. `isMore`: it goes on, which only a screen has room to tell. */
  doing(text: string, isMore?: boolean): void;
  progress(vms: readonly VmProgress[], times: { readonly now: number; readonly elapsedMs: number }): void;
  /** The picture stays as it is; what comes next stands below it. */
  leave(): void;
  /** The cursor comes back. */
  close(): void;
  /** Cells. */
  readonly width: number;
}

/** For `--json`: standard output belongs to the document. */
export const silentView: DemoView = {
  say: () => undefined,
  doing: () => undefined,
  progress: () => undefined,
  leave: () => undefined,
  close: () => undefined,
  width: 120,
};

export function demoView(
  output: TextOutput,
  env: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
): DemoView {
  const isScreen = output.isTTY === true && env['TERM'] !== 'dumb';
  const withColours = (env['NO_COLOR'] ?? '') === '';
  return isScreen ? new ScreenView(output, withColours) : new PlainView(output, names);
}

class ScreenView implements DemoView {
  readonly #output: TextOutput;
  readonly #block: LiveBlock;

  constructor(output: TextOutput, withColours: boolean) {
    this.#output = output;
    this.#block = new LiveBlock(output, { withColours });
  }

  get width(): number {
    return this.#output.columns ?? 80;
  }

  say(...lines: readonly Line[]): void {
    this.#block.print(lines);
  }

  doing(text: string): void {
    this.#block.draw([{ text: clipText(printable(text), this.width), tone: 'faint' }]);
  }

  progress(vms: readonly VmProgress[], { now, elapsedMs }: { now: number; elapsedMs: number }): void {
    const height = Math.max(3, (this.#output.rows ?? 24) - 5);
    const head = `${runSummary(vms)}, ${formatElapsed(elapsedMs)}`;
    this.#block.draw([
      { text: clipText(head, this.width) },
      { text: '' },
      ...progressTable(vms, { now, width: this.width, height }),
    ]);
  }

  leave(): void {
    this.#block.leave();
  }

  close(): void {
    this.#block.close();
  }
}

/** Lines and nothing but lines: for files, pipes and CI. */
class PlainView implements DemoView {
  readonly width = 120;
  readonly #output: TextOutput;
  readonly #transitions: Transitions;

  constructor(output: TextOutput, names: readonly string[]) {
    this.#output = output;
    this.#transitions = new Transitions(names);
  }

  say(...lines: readonly Line[]): void {
    for (const line of lines) this.#output.write(`${painted(line, false)}\n`);
  }

  doing(text: string, isMore = false): void {
    if (!isMore) this.#output.write(`${printable(text)}\n`);
  }

  progress(vms: readonly VmProgress[], { elapsedMs }: { elapsedMs: number }): void {
    for (const line of this.#transitions.next(vms, elapsedMs)) this.#output.write(`${line}\n`);
  }

  leave(): void {
    // What is printed stays anyway.
  }

  close(): void {
    // Nothing was opened.
  }
}
