/** The tree of a regular expression in the part of RE2's syntax that names need. */
export type RegexNode =
  | { readonly kind: 'one'; readonly test: (letter: string) => boolean }
  | { readonly kind: 'sequence' | 'either'; readonly parts: readonly RegexNode[] }
  | {
      readonly kind: 'repeat';
      readonly node: RegexNode;
      readonly min: number;
      readonly max: number;
      readonly lazy: boolean;
    }
  | { readonly kind: 'group'; readonly node: RegexNode; readonly index: number }
  | {
      readonly kind: 'assert';
      readonly holds: (before: string | undefined, after: string | undefined) => boolean;
    };

export interface Regex {
  readonly root: RegexNode;
  readonly groups: number;
  readonly names: ReadonlyMap<string, number>;
}

export class RegexError extends Error {}

const mostRepeats = 1000;
const deepest = 50;

const isWord = (letter: string) => /[0-9A-Za-z_]/.test(letter);
const classes: Readonly<Record<string, (letter: string) => boolean>> = {
  d: (letter) => /[0-9]/.test(letter),
  w: isWord,
  s: (letter) => /[\t\n\f\r ]/.test(letter),
};
const posixClasses: Readonly<Record<string, RegExp>> = {
  alnum: /[0-9A-Za-z]/,
  alpha: /[A-Za-z]/,
  digit: /[0-9]/,
  lower: /[a-z]/,
  upper: /[A-Z]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[\t\n\v\f\r ]/,
  word: /[0-9A-Za-z_]/,
  xdigit: /[0-9A-Fa-f]/,
};
const controls: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', f: '\f', v: '\v' };

/** Throws RegexError. */
export function parseRegex(source: string): Regex {
  const ignoresCase = source.startsWith('(?i)');
  return new RegexParser(Array.from(ignoresCase ? source.slice(4) : source), ignoresCase).parse();
}

class RegexParser {
  readonly #letters: readonly string[];
  readonly #ignoresCase: boolean;
  readonly #names = new Map<string, number>();
  #groups = 0;
  #depth = 0;
  #at = 0;

  constructor(letters: readonly string[], ignoresCase: boolean) {
    this.#letters = letters;
    this.#ignoresCase = ignoresCase;
  }

  parse(): Regex {
    const root = this.#either();
    if (this.#at < this.#letters.length) throw new RegexError('")" without "("');
    return { root, groups: this.#groups, names: this.#names };
  }

  #either(): RegexNode {
    const parts = [this.#sequence()];
    while (this.#accept('|')) parts.push(this.#sequence());
    return { kind: 'either', parts };
  }

  #sequence(): RegexNode {
    const parts: RegexNode[] = [];
    while (
      this.#at < this.#letters.length &&
      this.#letters[this.#at] !== '|' &&
      this.#letters[this.#at] !== ')'
    ) {
      parts.push(this.#repeated(this.#atom()));
    }
    return { kind: 'sequence', parts };
  }

  #repeated(node: RegexNode): RegexNode {
    const range = this.#range();
    if (range === undefined) return node;
    const lazy = this.#accept('?');
    if (this.#range() !== undefined) throw new RegexError('a repetition of a repetition');
    return { kind: 'repeat', node, ...range, lazy };
  }

  #range(): { readonly min: number; readonly max: number } | undefined {
    if (this.#accept('*')) return { min: 0, max: Infinity };
    if (this.#accept('+')) return { min: 1, max: Infinity };
    if (this.#accept('?')) return { min: 0, max: 1 };
    const counted = /^\{(\d+)(,(\d*))?\}/.exec(this.#letters.slice(this.#at, this.#at + 12).join(''));
    if (counted === null) return undefined;
    this.#at += counted[0].length;
    const min = Number(counted[1]);
    const max = counted[2] === undefined ? min : counted[3] === '' ? Infinity : Number(counted[3]);
    if (min > mostRepeats || (max !== Infinity && max > mostRepeats) || max < min) {
      throw new RegexError(`${counted[0]} is no range of at most ${mostRepeats}`);
    }
    return { min, max };
  }

  #atom(): RegexNode {
    const letter = this.#take();
    switch (letter) {
      case '(':
        return this.#group();
      case '[':
        return this.#one(this.#set());
      case '.':
        return { kind: 'one', test: (candidate) => candidate !== '\n' };
      case '^':
        return { kind: 'assert', holds: (before) => before === undefined };
      case '$':
        return { kind: 'assert', holds: (_, after) => after === undefined };
      case '\\':
        return this.#escape();
      case '*':
      case '+':
      case '?':
        throw new RegexError(`"${letter}" repeats nothing`);
      default:
        return this.#one((candidate) => candidate === letter);
    }
  }

  #group(): RegexNode {
    this.#depth += 1;
    if (this.#depth > deepest) throw new RegexError('groups are nested too deep');
    const open = /^\?(:|P?<([A-Za-z_]\w*)>)/.exec(this.#letters.slice(this.#at, this.#at + 64).join(''));
    if (this.#letters[this.#at] === '?' && open === null)
      throw new RegexError('"(?" with a flag or a look-around is not offered');
    this.#at += open?.[0].length ?? 0;
    const captures = open?.[1] !== ':';
    if (captures) this.#groups += 1;
    const index = this.#groups;
    if (open?.[2] !== undefined) this.#names.set(open[2], index);
    const node = this.#either();
    if (!this.#accept(')')) throw new RegexError('expected ")"');
    this.#depth -= 1;
    return captures ? { kind: 'group', node, index } : node;
  }

  #escape(): RegexNode {
    const letter = this.#take();
    if (letter === 'b' || letter === 'B') {
      const wanted = letter === 'b';
      const inWord = (side: string | undefined) => side !== undefined && isWord(side);
      return { kind: 'assert', holds: (before, after) => (inWord(before) !== inWord(after)) === wanted };
    }
    if (letter === 'A') return { kind: 'assert', holds: (before) => before === undefined };
    if (letter === 'z') return { kind: 'assert', holds: (_, after) => after === undefined };
    return this.#one(this.#escaped(letter));
  }

  #escaped(letter: string): (candidate: string) => boolean {
    const known = classes[letter.toLowerCase()];
    if (known !== undefined)
      return letter === letter.toLowerCase() ? known : (candidate) => !known(candidate);
    const plain = controls[letter] ?? letter;
    if (plain === letter && isWord(letter)) throw new RegexError(`"\\${letter}" is not offered`);
    return (candidate) => candidate === plain;
  }

  /** Behind "[". */
  #set(): (candidate: string) => boolean {
    const negated = this.#accept('^');
    const tests: ((candidate: string) => boolean)[] = [];
    for (let first = true; first || this.#letters[this.#at] !== ']'; first = false)
      tests.push(this.#member());
    this.#at += 1;
    return (candidate) => tests.some((test) => test(candidate)) !== negated;
  }

  #member(): (candidate: string) => boolean {
    const posix = /^\[:(\^?)(\w+):\]/.exec(this.#letters.slice(this.#at, this.#at + 16).join(''));
    if (posix !== null) {
      const members = posixClasses[posix[2] ?? ''];
      if (members === undefined) throw new RegexError(`there is no class ${posix[0]}`);
      this.#at += posix[0].length;
      return (candidate) => members.test(candidate) === (posix[1] === '');
    }
    const from = this.#take();
    if (from === '\\') {
      const escape = this.#take();
      if (controls[escape] === undefined && isWord(escape)) return this.#escaped(escape);
      return this.#span(controls[escape] ?? escape);
    }
    return this.#span(from);
  }

  #span(from: string): (candidate: string) => boolean {
    if (this.#letters[this.#at] !== '-' || this.#letters[this.#at + 1] === ']')
      return (candidate) => candidate === from;
    this.#at += 1;
    const to = this.#take();
    const end = to === '\\' ? this.#take() : to;
    const [low, high] = [codeOf(from), codeOf(end)];
    if (low > high) throw new RegexError(`"${from}-${end}" is no range`);
    return (candidate) => codeOf(candidate) >= low && codeOf(candidate) <= high;
  }

  #one(test: (letter: string) => boolean): RegexNode {
    if (!this.#ignoresCase) return { kind: 'one', test };
    return { kind: 'one', test: (letter) => test(letter.toLowerCase()) || test(letter.toUpperCase()) };
  }

  #accept(letter: string): boolean {
    if (this.#letters[this.#at] !== letter) return false;
    this.#at += 1;
    return true;
  }

  #take(): string {
    const letter = this.#letters[this.#at];
    if (letter === undefined) throw new RegexError('ends too early');
    this.#at += 1;
    return letter;
  }
}

function codeOf(letter: string): number {
  return letter.codePointAt(0) ?? 0;
}
