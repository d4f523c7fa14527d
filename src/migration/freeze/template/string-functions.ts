import { take } from './arguments.ts';
import type { TemplateFunction } from './functions.ts';
import { replaceMatches } from './regex-replace.ts';
import { isTrue, toText } from './value.ts';

/** Nothing that a name needs is longer. */
const longestText = 4096;

/** sprig's order of arguments: the text comes last, so that it can be piped in; mustRegexReplaceAll is its one exception. */
export const stringFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ['lower', onText((text) => text.toLowerCase())],
  ['upper', onText((text) => text.toUpperCase())],
  ['trim', onText((text) => text.trim())],
  ['nospace', onText((text) => text.replace(/\s+/g, ''))],
  ['title', onText((text) => text.replace(/(^|[^\p{L}\p{N}_'])(\p{L})/gu, capitalized))],
  [
    'untitle',
    onText((text) =>
      text.replace(/(^|\s)(\p{L})/gu, (_, gap: string, first: string) => gap + first.toLowerCase()),
    ),
  ],
  ['initials', onText((text) => (text.match(/(?<=^|\s)\S/gu) ?? []).join(''))],
  ['contains', onTwo((part, text) => text.includes(part))],
  ['hasPrefix', onTwo((part, text) => text.startsWith(part))],
  ['hasSuffix', onTwo((part, text) => text.endsWith(part))],
  ['trimPrefix', onTwo((part, text) => (text.startsWith(part) ? text.slice(part.length) : text))],
  [
    'trimSuffix',
    onTwo((part, text) => (part !== '' && text.endsWith(part) ? text.slice(0, -part.length) : text)),
  ],
  ['trimAll', onTwo(trimAll)],
  [
    'replace',
    (args, fail) => {
      const [old, replacement, text] = take(args, ['string', 'string', 'string'], fail);
      return text.replaceAll(old, () => replacement);
    },
  ],
  [
    'repeat',
    (args, fail) => {
      const [times, text] = take(args, ['int', 'string'], fail);
      if (times < 0) throw fail('argument 1: expected 0 or more');
      if (times * text.length > longestText) throw fail(`gives more than ${longestText} characters`);
      return text.repeat(times);
    },
  ],
  ['trunc', truncate],
  ['substr', substring],
  ['mustRegexReplaceAll', regexReplaceAll],
  [
    'quote',
    (args) =>
      args
        .filter((value) => value !== undefined)
        .map((value) => JSON.stringify(toText(value)))
        .join(' '),
  ],
  [
    'default',
    (args, fail) => {
      const [fallback, value] = args;
      if (args.length < 1 || args.length > 2) throw fail(`expected 2 arguments, got ${args.length}`);
      return isTrue(value) ? value : fallback;
    },
  ],
];

function onText(change: (text: string) => string): TemplateFunction {
  return (args, fail) => change(take(args, ['string'], fail)[0]);
}

function onTwo(compute: (part: string, text: string) => string | boolean): TemplateFunction {
  return (args, fail) => compute(...take(args, ['string', 'string'], fail));
}

function capitalized(_: string, gap: string, first: string): string {
  return gap + first.toUpperCase();
}

function trimAll(characters: string, text: string): string {
  const set = new Set(characters);
  const letters = Array.from(text);
  const first = letters.findIndex((letter) => !set.has(letter));
  const last = letters.findLastIndex((letter) => !set.has(letter));
  return first < 0 ? '' : letters.slice(first, last + 1).join('');
}

/** A negative length counts from the end. */
function truncate(...[args, fail]: Parameters<TemplateFunction>): string {
  const [length, text] = take(args, ['int', 'string'], fail);
  if (length >= 0) return text.slice(0, length);
  return text.length + length > 0 ? text.slice(length) : text;
}

function substring(...[args, fail]: Parameters<TemplateFunction>): string {
  const [start, end, text] = take(args, ['int', 'int', 'string'], fail);
  if (start < 0) return text.slice(0, Math.max(end, 0));
  if (start > text.length) throw fail(`begins at ${start}, and the text has ${text.length} characters`);
  return end < 0 || end > text.length ? text.slice(start) : text.slice(start, Math.max(start, end));
}

function regexReplaceAll(...[args, fail]: Parameters<TemplateFunction>): string {
  const [expression, text, replacement] = take(args, ['string', 'string', 'string'], fail);
  const result = replaceMatches(expression, text, replacement);
  if (result.error !== undefined) throw fail(result.error);
  return result.text;
}
