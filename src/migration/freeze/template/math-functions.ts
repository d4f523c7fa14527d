import { take, takeNumbers } from './arguments.ts';
import type { TemplateFunction } from './functions.ts';

/** sprig's: whole numbers, but for floor, ceil and round. */
export const mathFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ['add', whole((numbers) => numbers.reduce((sum, number) => sum + number, 0))],
  ['add1', (args, fail) => Math.trunc(takeNumbers(take(args, ['any'], fail), fail)[0]) + 1],
  ['sub', pair((a, b) => a - b)],
  ['mul', whole((numbers) => numbers.reduce((product, number) => product * number, 1))],
  ['div', pair((a, b) => Math.trunc(a / b), 'division by zero')],
  ['mod', pair((a, b) => a % b, 'division by zero')],
  ['max', whole((numbers) => Math.max(...numbers))],
  ['min', whole((numbers) => Math.min(...numbers))],
  ['floor', (args, fail) => Math.floor(takeNumbers(take(args, ['any'], fail), fail)[0])],
  ['ceil', (args, fail) => Math.ceil(takeNumbers(take(args, ['any'], fail), fail)[0])],
  [
    'round',
    (args, fail) => {
      const [value, digits = 0] = takeNumbers(args, fail);
      if (args.length > 2) throw fail('expected 1 or 2 arguments');
      const scale = 10 ** Math.trunc(digits);
      // Away from zero, as Go rounds.
      return (Math.sign(value) * Math.round(Math.abs(value) * scale)) / scale;
    },
  ],
];

function whole(compute: (numbers: readonly number[]) => number): TemplateFunction {
  return (args, fail) => compute(takeNumbers(args, fail).map(Math.trunc)) + 0;
}

function pair(compute: (a: number, b: number) => number, whenZero?: string): TemplateFunction {
  return (args, fail) => {
    const [a, b = 0] = takeNumbers(take(args, ['any', 'any'], fail), fail).map(Math.trunc);
    if (b === 0 && whenZero !== undefined) throw fail(whenZero);
    return compute(a ?? 0, b) + 0;
  };
}
