import { TemplateError } from './template-error.ts';

/** The words of Go's text/template. Every token knows its offset in the template. */
export type Token =
  | { readonly kind: 'text'; readonly text: string; readonly at: number }
  | { readonly kind: 'open' | 'close'; readonly at: number }
  | { readonly kind: 'string'; readonly value: string; readonly at: number }
  | { readonly kind: 'number'; readonly value: number; readonly at: number }
  /** A function, a keyword, true, false or nil. */
  | { readonly kind: 'word'; readonly value: string; readonly at: number }
  /** ".A.B" is ["A", "B"]; "." alone is []. */
  | { readonly kind: 'field'; readonly path: readonly string[]; readonly at: number }
  /** "$x" is "x", "$" is "". */
  | { readonly kind: 'variable'; readonly name: string; readonly at: number }
  | { readonly kind: 'sign'; readonly value: '|' | '(' | ')' | ':=' | '=' | ','; readonly at: number };

const leftTrim = /^\{\{-\s/;
const rightTrim = /^\s-\}\}/;

/** Throws TemplateError Syntax. */
export function tokenize(template: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let trimNext = false;
  while (at < template.length) {
    const found = template.indexOf('{{', at);
    const open = found < 0 ? template.length : found;
    const trims = leftTrim.test(template.slice(open, open + 4));
    let text = template.slice(at, open);
    if (trimNext) text = text.trimStart();
    if (trims) text = text.trimEnd();
    if (text !== '') tokens.push({ kind: 'text', text, at });
    if (open === template.length) break;
    const action = lexAction(template, open, trims ? open + 3 : open + 2, tokens);
    at = action.end;
    trimNext = action.trims;
  }
  return tokens;
}

/** From behind "{{" to behind "}}". */
function lexAction(
  template: string,
  open: number,
  start: number,
  tokens: Token[],
): { readonly end: number; readonly trims: boolean } {
  const comment = /^\s*\/\*[\s\S]*?\*\/(\s-)?\}\}/.exec(template.slice(start));
  if (comment !== null) return { end: start + comment[0].length, trims: comment[1] !== undefined };
  tokens.push({ kind: 'open', at: open });
  let at = start;
  for (;;) {
    const rest = template.slice(at);
    if (rest === '')
      throw new TemplateError('Syntax', open, 'expected "}}" to end the action that begins here');
    if (rightTrim.test(rest)) {
      tokens.push({ kind: 'close', at });
      return { end: at + 4, trims: true };
    }
    if (rest.startsWith('}}')) {
      tokens.push({ kind: 'close', at });
      return { end: at + 2, trims: false };
    }
    const space = /^\s+/.exec(rest);
    if (space !== null) {
      // A space before "-}}" belongs to the closing.
      at += rightTrim.test(rest.slice(space[0].length - 1)) ? space[0].length - 1 : space[0].length;
      continue;
    }
    at += lexToken(rest, at, tokens);
  }
}

/** Takes one token off the front of `rest`; returns its length. */
function lexToken(rest: string, at: number, tokens: Token[]): number {
  const sign = /^(:=|[|()=,])/.exec(rest);
  if (sign !== null) {
    tokens.push({ kind: 'sign', value: sign[0] as (Token & { kind: 'sign' })['value'], at });
    return sign[0].length;
  }
  const quoted = /^("(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)')/.exec(rest);
  if (quoted !== null) {
    tokens.push(quotedToken(quoted[0], at));
    return quoted[0].length;
  }
  const number = /^[+-]?(?:\d+\.?\d*|\.\d+)(?![\w.])/.exec(rest);
  if (number !== null) {
    tokens.push({ kind: 'number', value: Number(number[0]), at });
    return number[0].length;
  }
  const variable = /^\$(\w*)/.exec(rest);
  if (variable !== null) {
    tokens.push({ kind: 'variable', name: variable[1] ?? '', at });
    return variable[0].length;
  }
  const field = /^(?:\.[A-Za-z_]\w*)+|^\.(?![\w.])/.exec(rest);
  if (field !== null) {
    tokens.push({ kind: 'field', path: field[0].split('.').filter((part) => part !== ''), at });
    return field[0].length;
  }
  const word = /^[A-Za-z_]\w*/.exec(rest);
  if (word !== null) {
    tokens.push({ kind: 'word', value: word[0], at });
    return word[0].length;
  }
  throw new TemplateError(
    'Syntax',
    at,
    `expected a field, a function, a value or "}}", found ${quote(rest.slice(0, 1))}`,
  );
}

function quotedToken(literal: string, at: number): Token {
  const inner = literal.slice(1, -1);
  if (literal.startsWith('`')) return { kind: 'string', value: inner, at };
  const value = inner.replace(/\\(x[\da-fA-F]{2}|u[\da-fA-F]{4}|.)/g, (_, escape: string) =>
    unescape(escape, at),
  );
  if (literal.startsWith("'")) return { kind: 'number', value: value.codePointAt(0) ?? 0, at };
  return { kind: 'string', value, at };
}

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '\\': '\\',
  '"': '"',
  "'": "'",
};

function unescape(escape: string, at: number): string {
  if (/^[xu]./.test(escape)) return String.fromCharCode(Number.parseInt(escape.slice(1), 16));
  const value = escapes[escape];
  if (value === undefined)
    throw new TemplateError('Syntax', at, `unknown escape ${quote(`\\${escape}`)} in a string`);
  return value;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
