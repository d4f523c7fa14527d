import { labelKeyErrors, labelValueErrors } from './object-meta.ts';
import { badRequest } from './refusal.ts';

type Labels = Readonly<Record<string, string>>;
export type Requirement = (labels: Labels) => boolean;

interface Token {
  readonly text: string;
  readonly isWord: boolean;
}

const end: Token = { text: '', isWord: false };
const symbols = /^(==|!=|[=!<>(),])/;

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let rest = text.trimStart();
  while (rest !== '') {
    const symbol = symbols.exec(rest)?.[0];
    const found = symbol ?? /^[^\s=!<>(),]+/.exec(rest)?.[0] ?? '';
    tokens.push({ text: found, isWord: symbol === undefined });
    rest = rest.slice(found.length).trimStart();
  }
  return tokens;
}

/** A label selector in its grammar, with the complaints of the original (fact: apimachinery pkg/labels/selector.go). Throws Refusal 400. */
export function parseLabelSelector(text: string): readonly Requirement[] {
  return new Parser(tokensOf(text)).all();
}

class Parser {
  readonly #tokens: readonly Token[];
  #place = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  all(): readonly Requirement[] {
    const requirements: Requirement[] = [];
    for (;;) {
      const token = this.#peek();
      if (token === end) return requirements;
      if (!token.isWord && token.text !== '!') {
        throw badRequest(`found '${token.text}', expected: !, identifier, or 'end of string'`);
      }
      requirements.push(this.#requirement());
      const next = this.#take();
      if (next === end) return requirements;
      if (next.text !== ',') throw badRequest(`found '${next.text}', expected: ',' or 'end of string'`);
      const after = this.#peek();
      if (!after.isWord && after.text !== '!')
        throw badRequest(`found '${after.text}', expected: identifier after ','`);
    }
  }

  #requirement(): Requirement {
    const first = this.#take();
    const isNegated = first.text === '!' && !first.isWord;
    const key = isNegated ? this.#take() : first;
    if (!key.isWord) throw unable(`found '${key.text}', expected: identifier`);
    const [wrong] = labelKeyErrors(key.text);
    if (wrong !== undefined) throw unable(`<nil>: Invalid value: "${key.text}": ${wrong}`);
    const name = key.text;
    if (isNegated) return (labels) => !(name in labels);
    const next = this.#peek();
    if (next === end || next.text === ',') return (labels) => name in labels;
    return this.#compared(name);
  }

  #compared(key: string): Requirement {
    const operator = this.#take();
    switch (operator.text) {
      case 'in':
      case 'notin': {
        const values = this.#values(key);
        return operator.text === 'in'
          ? (labels) => key in labels && values.has(labels[key] ?? '')
          : (labels) => !(key in labels) || !values.has(labels[key] ?? '');
      }
      case '=':
      case '==': {
        const value = this.#value(key);
        return (labels) => labels[key] === value;
      }
      case '!=': {
        const value = this.#value(key);
        // An absent label is unequal to every value.
        return (labels) => labels[key] !== value;
      }
      case '>':
      case '<': {
        const value = this.#value(key);
        if (!/^[+-]?\d+$/.test(value)) {
          throw unable(
            `values[0]: Invalid value: "${value}": for 'Gt', 'Lt' operators, the value must be an integer`,
          );
        }
        const sign = operator.text === '>' ? 1 : -1;
        return (labels) =>
          /^-?\d+$/.test(labels[key] ?? '') && sign * (Number(labels[key]) - Number(value)) > 0;
      }
      default:
        throw unable(`found '${operator.text}', expected: in, notin, =, ==, !=, gt, lt`);
    }
  }

  #values(key: string): ReadonlySet<string> {
    const open = this.#take();
    if (open.text !== '(') throw unable(`found '${open.text}' expected: '('`);
    const values = new Set<string>();
    for (;;) {
      const token = this.#take();
      if (token.isWord) values.add(checked(key, token.text));
      else if (token.text === ')' || token.text === ',') values.add('');
      else throw unable(`found '${token.text}', expected: ',', ')' or identifier`);
      if (token.text === ')') return values;
      if (token.text === ',' && !token.isWord) continue;
      const next = this.#take();
      if (next.text === ')') return values;
      if (next.text !== ',') throw unable(`found '${next.text}', expected: ',' or ')'`);
    }
  }

  #value(key: string): string {
    const token = this.#peek();
    if (token === end || token.text === ',') return '';
    if (!token.isWord) throw unable(`found '${token.text}', expected: identifier`);
    this.#place += 1;
    return checked(key, token.text);
  }

  #peek(): Token {
    return this.#tokens[this.#place] ?? end;
  }

  #take(): Token {
    const token = this.#peek();
    this.#place += 1;
    return token;
  }
}

function checked(key: string, value: string): string {
  const [wrong] = labelValueErrors(value);
  if (wrong !== undefined) throw unable(`values[0][${key}]: Invalid value: "${value}": ${wrong}`);
  return value;
}

function unable(why: string): Error {
  return badRequest(`unable to parse requirement: ${why}`);
}
