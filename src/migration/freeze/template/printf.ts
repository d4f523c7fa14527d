import type { TemplateError } from './template-error.ts';
import { toText, typeName, type Value } from './value.ts';

const widest = 256;

/** Go's Sprintf for the verbs that a name can need: %s %v %d %x %X %q %t %f and %%, with flags -, 0, + and a width. */
export function format(
  pattern: string,
  values: readonly Value[],
  fail: (message: string) => TemplateError,
): string {
  let next = 0;
  const text = pattern.replace(
    /%([-+0]*)(\d+)?(?:\.(\d+))?(.?)/g,
    (whole, flags: string, width: string | undefined, precision: string | undefined, verb: string) => {
      if (verb === '%') return '%';
      if (next >= values.length) throw fail(`there is no value for "${whole}"`);
      const value = values[next];
      next += 1;
      const shown = show(verb, value, precision === undefined ? undefined : Number(precision), fail);
      return pad(
        flags.includes('+') && Number(value) >= 0 ? `+${shown}` : shown,
        flags,
        Number(width ?? 0),
        fail,
      );
    },
  );
  if (next < values.length) throw fail(`${values.length} values for ${next} verbs`);
  return text;
}

function show(
  verb: string,
  value: Value,
  precision: number | undefined,
  fail: (message: string) => TemplateError,
): string {
  const wrong = (expected: string) => fail(`"%${verb}" takes ${expected}, got ${typeName(value)}`);
  switch (verb) {
    case 'v':
      return toText(value);
    case 's':
      if (typeof value !== 'string') throw wrong('a string');
      return precision === undefined ? value : value.slice(0, precision);
    case 'q':
      if (typeof value !== 'string') throw wrong('a string');
      return JSON.stringify(value);
    case 'd':
      if (typeof value !== 'number' || !Number.isInteger(value)) throw wrong('an int');
      return String(value);
    case 'x':
    case 'X':
      if (typeof value !== 'number' || !Number.isInteger(value)) throw wrong('an int');
      return verb === 'x' ? value.toString(16) : value.toString(16).toUpperCase();
    case 'f':
      if (typeof value !== 'number') throw wrong('a number');
      return value.toFixed(Math.min(precision ?? 6, 20));
    case 't':
      if (typeof value !== 'boolean') throw wrong('a bool');
      return String(value);
    default:
      throw fail(`unknown verb "%${verb}"; there are %s %v %d %x %X %q %t %f`);
  }
}

function pad(text: string, flags: string, width: number, fail: (message: string) => TemplateError): string {
  if (width > widest) throw fail(`a width of ${width} is too much`);
  if (flags.includes('-')) return text.padEnd(width);
  if (!flags.includes('0')) return text.padStart(width);
  const sign = /^[+-]/.exec(text)?.[0] ?? '';
  return `${sign}${text.slice(sign.length).padStart(width - sign.length, '0')}`;
}
