import { RegexError, type RegexNode } from './regex-syntax.ts';

/**
 * A regular expression that takes time in proportion to its text, whatever it says: the threads of all ways through it step side by side.
 * JavaScript's own engine tries one way after the other, and a user's expression could then hold up the whole controller.
 */
type Instruction =
  | { readonly op: 'one'; readonly test: (letter: string) => boolean }
  | { readonly op: 'split'; readonly first: number; readonly second: number }
  | { readonly op: 'jump'; readonly to: number }
  | { readonly op: 'save'; readonly slot: number }
  | {
      readonly op: 'assert';
      readonly holds: (before: string | undefined, after: string | undefined) => boolean;
    }
  | { readonly op: 'match' };
export type RegexProgram = readonly Instruction[];

const longestProgram = 5000;

/** Throws RegexError for an expression that unfolds into too much. */
export function compileRegex(root: RegexNode): RegexProgram {
  const program: Instruction[] = [];
  emit({ kind: 'group', node: root, index: 0 }, program);
  program.push({ op: 'match' });
  return program;
}

function emit(node: RegexNode, program: Instruction[]): void {
  if (program.length > longestProgram) throw new RegexError('unfolds into too much');
  switch (node.kind) {
    case 'one':
      program.push({ op: 'one', test: node.test });
      return;
    case 'assert':
      program.push({ op: 'assert', holds: node.holds });
      return;
    case 'sequence':
      for (const part of node.parts) emit(part, program);
      return;
    case 'either':
      emitEither(node.parts, program);
      return;
    case 'group':
      program.push({ op: 'save', slot: 2 * node.index });
      emit(node.node, program);
      program.push({ op: 'save', slot: 2 * node.index + 1 });
      return;
    case 'repeat':
      emitRepeat(node, program);
  }
}

function emitEither(parts: readonly RegexNode[], program: Instruction[]): void {
  const exits: number[] = [];
  parts.forEach((part, index) => {
    const split = program.length;
    const last = index === parts.length - 1;
    if (!last) program.push({ op: 'jump', to: 0 });
    emit(part, program);
    if (last) return;
    exits.push(program.length);
    program.push({ op: 'jump', to: 0 });
    program[split] = { op: 'split', first: split + 1, second: program.length };
  });
  for (const exit of exits) program[exit] = { op: 'jump', to: program.length };
}

function emitRepeat(node: RegexNode & { readonly kind: 'repeat' }, program: Instruction[]): void {
  for (let copy = 0; copy < node.min; copy += 1) emit(node.node, program);
  if (node.max === Infinity) {
    const split = emitOptional(node, program);
    program.push({ op: 'jump', to: split });
    patch(split, node.lazy, program);
    return;
  }
  const splits: number[] = [];
  for (let copy = node.min; copy < node.max; copy += 1) splits.push(emitOptional(node, program));
  for (const split of splits) patch(split, node.lazy, program);
}

function emitOptional(node: RegexNode & { readonly kind: 'repeat' }, program: Instruction[]): number {
  const split = program.length;
  program.push({ op: 'jump', to: 0 });
  emit(node.node, program);
  return split;
}

/** The way past the repetition leads to the end of the program as it is now. */
function patch(split: number, lazy: boolean, program: Instruction[]): void {
  const [into, past] = [split + 1, program.length];
  program[split] = { op: 'split', first: lazy ? past : into, second: lazy ? into : past };
}

/** Begin and end of the match and of each group; undefined where a group took no part. */
export type RegexMatch = readonly (number | undefined)[];

interface Thread {
  readonly at: number;
  readonly slots: RegexMatch;
}

/** Steps that may still be made. */
export interface Budget {
  steps: number;
}

/**
 * The leftmost match that begins at `start` or later, and of those the one that the expression prefers. Throws RegexError when the budget
 * is used up.
 */
export function matchRegex(
  program: RegexProgram,
  letters: readonly string[],
  start: number,
  budget: Budget,
): RegexMatch | undefined {
  let threads: Thread[] = [];
  let matched: RegexMatch | undefined;
  for (let position = start; position <= letters.length; position += 1) {
    const step = new Step(program, letters, position);
    for (const thread of threads) step.add(thread.at, thread.slots);
    if (matched === undefined) step.add(0, []);
    budget.steps -= step.cost;
    if (budget.steps < 0) throw new RegexError('takes too many steps');
    const letter = letters[position];
    threads = [];
    for (const { at, slots } of step.threads) {
      const instruction = program[at];
      if (instruction?.op === 'match') {
        // Threads behind this one are less preferred.
        matched = slots;
        break;
      }
      if (letter !== undefined && instruction?.op === 'one' && instruction.test(letter)) {
        threads.push({ at: at + 1, slots });
      }
    }
    if (matched !== undefined && threads.length === 0) break;
  }
  return matched;
}

/** The threads at one position, most preferred first, each instruction at most once. */
class Step {
  readonly threads: Thread[] = [];
  readonly #seen = new Set<number>();
  get cost(): number {
    return this.#seen.size;
  }
  readonly #program: RegexProgram;
  readonly #letters: readonly string[];
  readonly #position: number;

  constructor(program: RegexProgram, letters: readonly string[], position: number) {
    this.#program = program;
    this.#letters = letters;
    this.#position = position;
  }

  add(begin: number, slots: RegexMatch): void {
    const pending: Thread[] = [{ at: begin, slots }];
    for (let thread = pending.pop(); thread !== undefined; thread = pending.pop()) {
      if (this.#seen.has(thread.at)) continue;
      this.#seen.add(thread.at);
      const instruction = this.#program[thread.at];
      switch (instruction?.op) {
        case 'jump':
          pending.push({ at: instruction.to, slots: thread.slots });
          break;
        case 'split':
          pending.push(
            { at: instruction.second, slots: thread.slots },
            { at: instruction.first, slots: thread.slots },
          );
          break;
        case 'save': {
          const saved = [...thread.slots];
          saved[instruction.slot] = this.#position;
          pending.push({ at: thread.at + 1, slots: saved });
          break;
        }
        case 'assert':
          if (instruction.holds(this.#letters[this.#position - 1], this.#letters[this.#position])) {
            pending.push({ at: thread.at + 1, slots: thread.slots });
          }
          break;
        default:
          this.threads.push(thread);
      }
    }
  }
}
