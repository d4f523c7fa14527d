import type { TemplateError } from './template-error.ts';
import { typeName, type Value } from './value.ts';

type Fail = (message: string) => TemplateError;

interface ArgumentTypes {
  readonly string: string;
  readonly int: number;
  readonly number: number;
  readonly any: Value;
}
type ArgumentKind = keyof ArgumentTypes;
type ArgumentsOf<K extends readonly ArgumentKind[]> = { readonly [I in keyof K]: ArgumentTypes[K[I]] };

/** Checks count and types of the arguments of a function, and gives them back typed. Throws what `fail` makes. */
export function take<const K extends readonly ArgumentKind[]>(
  args: readonly Value[],
  kinds: K,
  fail: Fail,
): ArgumentsOf<K> {
  if (args.length !== kinds.length) throw fail(`expected ${count(kinds.length)}, got ${args.length}`);
  kinds.forEach((kind, index) => {
    const value = args[index];
    if (!fits(kind, value)) throw fail(`argument ${index + 1}: expected ${kind}, got ${typeName(value)}`);
  });
  return args as unknown as ArgumentsOf<K>;
}

/** Any number of numbers, at least one; text that reads as a number counts, as in sprig. */
export function takeNumbers(args: readonly Value[], fail: Fail): readonly [number, ...number[]] {
  const numbers = args.map((value, index) => {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof number === 'number' && Number.isFinite(number)) return number;
    throw fail(`argument ${index + 1}: expected a number, got ${typeName(value)}`);
  });
  const [first, ...rest] = numbers;
  if (first === undefined) throw fail('expected at least one argument');
  return [first, ...rest];
}

function fits(kind: ArgumentKind, value: Value): boolean {
  if (kind === 'any') return true;
  if (kind === 'string') return typeof value === 'string';
  return typeof value === 'number' && (kind === 'number' || Number.isInteger(value));
}

function count(arguments_: number): string {
  return arguments_ === 1 ? '1 argument' : `${arguments_} arguments`;
}
