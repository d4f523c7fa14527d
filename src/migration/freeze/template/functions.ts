import { comparisons } from './comparisons.ts';
import { mathFunctions } from './math-functions.ts';
import { stringFunctions } from './string-functions.ts';
import type { TemplateError } from './template-error.ts';
import type { Value } from './value.ts';

/** `fail` makes the error for arguments that the function cannot take. */
export type TemplateFunction = (args: readonly Value[], fail: (message: string) => TemplateError) => Value;

/** Go's own, and those of sprig that Forklift offers (forklift-api.md 1.7), with `default` and `quote` beside them. */
export const functions: ReadonlyMap<string, TemplateFunction> = new Map<string, TemplateFunction>([
  ...comparisons,
  ...stringFunctions,
  ...mathFunctions,
]);
