import { textWidth } from './text-width.ts';

/** Where text goes; a tty.WriteStream is one. */
export interface TextOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

const escape = '\u001b[';
const hideCursor = `${escape}?25l`;
export const showCursor = `${escape}?25h`;
const clearToLineEnd = `${escape}K`;
const clearBelow = `${escape}J`;
/** Terminals that know it show all that comes between as one picture; the others ignore it. */
const beginPicture = `${escape}?2026h`;
const endPicture = `${escape}?2026l`;

/** Looks of a line; on a screen without colours they are the text itself. */
export type Tone = 'plain' | 'strong' | 'faint' | 'good' | 'bad' | 'busy';
const codes: Readonly<Record<Tone, string>> = {
  plain: '',
  strong: '1',
  faint: '2',
  good: '32',
  bad: '31',
  busy: '',
};

export interface Line {
  readonly text: string;
  readonly tone?: Tone;
}

export function painted({ text, tone = 'plain' }: Line, withColours: boolean): string {
  const code = codes[tone];
  return withColours && code !== '' ? `${escape}${code}m${text}${escape}0m` : text;
}

/**
 * A block of lines at the bottom of a terminal that is drawn again in place: each line is overwritten and then cleared to its end, in one
 * write, so nothing flickers. What is printed by `print` goes above it and stays.
 */
export class LiveBlock {
  readonly #output: TextOutput;
  readonly #withColours: boolean;
  /** Widths in cells of the lines on the screen. */
  #shown: readonly number[] = [];
  #last = '';
  #isOpen = false;

  constructor(output: TextOutput, options: { readonly withColours: boolean }) {
    this.#output = output;
    this.#withColours = options.withColours;
  }

  /** Lines must be no wider than the terminal. Draws nothing when nothing has changed. */
  draw(lines: readonly Line[]): void {
    const body = lines.map((line) => `${painted(line, this.#withColours)}${clearToLineEnd}\n`).join('');
    const columns = this.#output.columns ?? 80;
    const picture = `${columns}:${body}`;
    if (picture === this.#last) return;
    this.#last = picture;
    const cursor = this.#isOpen ? '' : hideCursor;
    this.#isOpen = true;
    this.#output.write(`${beginPicture}${cursor}${this.#home()}${body}${clearBelow}${endPicture}`);
    this.#shown = lines.map(({ text }) => textWidth(text));
  }

  /** Lines that stay, above the block. */
  print(lines: readonly Line[]): void {
    const body = lines.map((line) => `${painted(line, this.#withColours)}${clearToLineEnd}\n`).join('');
    this.#output.write(`${this.#home()}${body}${this.#isOpen ? clearBelow : ''}`);
    this.#shown = [];
    this.#last = '';
  }

  /** What is drawn stays; the next block begins below it. */
  leave(): void {
    this.#shown = [];
    this.#last = '';
  }

  /** Leaves what is drawn and gives the cursor back. */
  close(): void {
    if (this.#isOpen) this.#output.write(showCursor);
    this.#isOpen = false;
    this.leave();
  }

  /** To the first line of the block. A terminal made narrower has wrapped long lines into several. */
  #home(): string {
    const columns = this.#output.columns ?? 80;
    const height = this.#shown.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
    return height === 0 ? '' : `${escape}${height}A\r`;
  }
}
