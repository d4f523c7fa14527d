import { take } from './arguments.ts';
import { format } from './printf.ts';
import type { TemplateFunction } from './functions.ts';
import { isTrue, toText, typeName, type Value } from './value.ts';

/** Go's own functions, but `and` and `or`, which do not compute all their arguments. */
export const comparisons: readonly (readonly [string, TemplateFunction])[] = [
  ['not', (args, fail) => !isTrue(take(args, ['any'], fail)[0])],
  ['eq', equal],
  [
    'ne',
    (args, fail) => {
      const [a, b] = take(args, ['any', 'any'], fail);
      return a !== b;
    },
  ],
  ['lt', ordered((order) => order < 0)],
  ['le', ordered((order) => order <= 0)],
  ['gt', ordered((order) => order > 0)],
  ['ge', ordered((order) => order >= 0)],
  ['len', (args, fail) => take(args, ['string'], fail)[0].length],
  ['print', (args) => print(args)],
  ['println', (args) => `${args.map(toText).join(' ')}\n`],
  [
    'printf',
    (args, fail) => {
      const [pattern, ...values] = args;
      if (typeof pattern !== 'string') throw fail('argument 1: expected a string, the format');
      return format(pattern, values, fail);
    },
  ],
];

/** True if the first equals any of the others. */
function equal(args: Parameters<TemplateFunction>[0], fail: Parameters<TemplateFunction>[1]): boolean {
  const [first, ...others] = args;
  if (others.length === 0) throw fail('expected at least 2 arguments');
  return others.some((other) => {
    if (first !== undefined && other !== undefined && typeof first !== typeof other) {
      throw fail(`${typeName(first)} and ${typeName(other)} cannot be compared`);
    }
    return first === other;
  });
}

function ordered(holds: (order: number) => boolean): TemplateFunction {
  return (args, fail) => {
    const [a, b] = take(args, ['any', 'any'], fail);
    if (typeof a === 'number' && typeof b === 'number') return holds(a - b);
    if (typeof a === 'string' && typeof b === 'string') return holds(a < b ? -1 : a > b ? 1 : 0);
    throw fail(`${typeName(a)} and ${typeName(b)} have no order`);
  };
}

/** Go puts a space between two operands of which neither is text. */
function print(args: readonly Value[]): string {
  return args
    .map((value, index) => {
      const spaced = index > 0 && typeof value !== 'string' && typeof args[index - 1] !== 'string';
      return `${spaced ? ' ' : ''}${toText(value)}`;
    })
    .join('');
}
