import { tokenize, type Token } from './lexer.ts';
import { TemplateError } from './template-error.ts';

/** The tree of a template. */
export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'output'; readonly pipeline: Pipeline }
  | {
      readonly kind: 'if' | 'with';
      readonly pipeline: Pipeline;
      readonly then: readonly Node[];
      readonly otherwise: readonly Node[];
    };

export interface Pipeline {
  readonly at: number;
  /** "$x := ..." makes a variable, "$x = ..." changes one; neither prints. */
  readonly assign?: { readonly name: string; readonly declares: boolean };
  readonly commands: readonly Command[];
}

/** A value, or a function with its arguments. */
export interface Command {
  readonly at: number;
  readonly operands: readonly Operand[];
}

export type Operand =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | undefined; readonly at: number }
  | { readonly kind: 'field'; readonly path: readonly string[]; readonly at: number }
  | {
      readonly kind: 'variable';
      readonly name: string;
      readonly path: readonly string[];
      readonly at: number;
    }
  | { readonly kind: 'function'; readonly name: string; readonly at: number }
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline; readonly at: number };

const literals: ReadonlyMap<string, boolean | undefined> = new Map([
  ['true', true],
  ['false', false],
  ['nil', undefined],
]);
/** Of Go's language, and of no use in a name. */
const notOffered = new Set(['range', 'define', 'template', 'block', 'break', 'continue']);

/** Throws TemplateError Syntax. */
export function parseTemplate(template: string): readonly Node[] {
  const parser = new Parser(tokenize(template), template.length);
  const { nodes, stop } = parser.nodes();
  if (stop !== undefined)
    throw new TemplateError('Syntax', stop.at, `"${stop.word}" without an "if" or "with" before it`);
  return nodes;
}

interface Stop {
  readonly word: 'end' | 'else';
  readonly at: number;
}

/** Blocks and parentheses within each other: enough for people, and no danger to the stack. */
const deepest = 64;

class Parser {
  readonly #tokens: readonly Token[];
  readonly #end: number;
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], end: number) {
    this.#tokens = tokens;
    this.#end = end;
  }

  /** Up to the end, or to an "end" or "else" whose word has been read. */
  nodes(): { readonly nodes: readonly Node[]; readonly stop?: Stop } {
    const nodes: Node[] = [];
    for (let token = this.#take(); token !== undefined; token = this.#take()) {
      if (token.kind === 'text') {
        nodes.push({ kind: 'text', text: token.text });
        continue;
      }
      const head = this.#peek();
      const word = head?.kind === 'word' ? head.value : '';
      if (head !== undefined && (word === 'end' || word === 'else')) {
        this.#next += 1;
        return { nodes, stop: { word, at: head.at } };
      }
      if (notOffered.has(word))
        throw new TemplateError('Syntax', head?.at ?? token.at, `"${word}" is not offered here`);
      nodes.push(
        word === 'if' || word === 'with' ? this.#nested(token.at, () => this.#branch(word)) : this.#output(),
      );
    }
    return { nodes };
  }

  #nested<T>(at: number, work: () => T): T {
    this.#depth += 1;
    if (this.#depth > deepest) throw new TemplateError('Syntax', at, `nested more than ${deepest} deep`);
    const result = work();
    this.#depth -= 1;
    return result;
  }

  #output(): Node {
    const pipeline = this.#pipeline();
    this.#close();
    return { kind: 'output', pipeline };
  }

  /** "if PIPELINE }} ... {{ end }}"; "else if" is a branch within the else. */
  #branch(kind: 'if' | 'with'): Node {
    const begin = this.#take()?.at ?? this.#end;
    const pipeline = this.#pipeline();
    this.#close();
    const first = this.nodes();
    if (first.stop === undefined)
      throw new TemplateError('Syntax', begin, `expected {{end}} for the "${kind}" that begins here`);
    if (first.stop.word === 'end') {
      this.#close();
      return { kind, pipeline, then: first.nodes, otherwise: [] };
    }
    const head = this.#peek();
    const chained = head?.kind === 'word' ? head.value : '';
    if (head !== undefined && (chained === 'if' || chained === 'with')) {
      const otherwise = this.#nested(head.at, () => this.#branch(chained));
      return { kind, pipeline, then: first.nodes, otherwise: [otherwise] };
    }
    this.#close();
    const second = this.nodes();
    if (second.stop?.word !== 'end') {
      throw new TemplateError(
        'Syntax',
        second.stop?.at ?? begin,
        `expected {{end}} after the {{else}} of this "${kind}"`,
      );
    }
    this.#close();
    return { kind, pipeline, then: first.nodes, otherwise: second.nodes };
  }

  #pipeline(): Pipeline {
    const first = this.#peek();
    const at = first?.at ?? this.#end;
    const second = this.#tokens[this.#next + 1];
    const assigns = second?.kind === 'sign' && (second.value === ':=' || second.value === '=');
    if (first?.kind !== 'variable' || !assigns) return { at, commands: this.#commands() };
    this.#next += 2;
    return { at, assign: { name: first.name, declares: second.value === ':=' }, commands: this.#commands() };
  }

  #commands(): readonly Command[] {
    const commands = [this.#command()];
    while (this.#isSign('|')) {
      this.#next += 1;
      commands.push(this.#command());
    }
    return commands;
  }

  #command(): Command {
    const at = this.#peek()?.at ?? this.#end;
    const operands: Operand[] = [];
    for (let operand = this.#operand(); operand !== undefined; operand = this.#operand())
      operands.push(operand);
    if (operands.length === 0)
      throw new TemplateError('Syntax', at, 'expected a field, a function or a value');
    return { at, operands };
  }

  #operand(): Operand | undefined {
    const token = this.#peek();
    switch (token?.kind) {
      case 'string':
      case 'number':
        this.#next += 1;
        return { kind: 'literal', value: token.value, at: token.at };
      case 'field':
        this.#next += 1;
        return token;
      case 'variable':
        return this.#variable(token);
      case 'word':
        this.#next += 1;
        if (literals.has(token.value))
          return { kind: 'literal', value: literals.get(token.value), at: token.at };
        return { kind: 'function', name: token.value, at: token.at };
      case 'sign':
        return token.value === '(' ? this.#parenthesis(token.at) : undefined;
      default:
        return undefined;
    }
  }

  /** "$x" and, written without a space between, "$x.Field". */
  #variable(token: Token & { kind: 'variable' }): Operand {
    this.#next += 1;
    const field = this.#peek();
    const joined = field?.kind === 'field' && field.at === token.at + 1 + token.name.length;
    if (joined) this.#next += 1;
    return { kind: 'variable', name: token.name, path: joined ? field.path : [], at: token.at };
  }

  #parenthesis(at: number): Operand {
    this.#next += 1;
    const pipeline = this.#nested(at, () => this.#pipeline());
    if (!this.#isSign(')'))
      throw new TemplateError('Syntax', at, 'expected ")" for the "(" that stands here');
    this.#next += 1;
    return { kind: 'pipeline', pipeline, at };
  }

  #close(): void {
    const token = this.#take();
    if (token?.kind === 'close') return;
    throw new TemplateError('Syntax', token?.at ?? this.#end, 'expected "}}"');
  }

  #isSign(value: string): boolean {
    const token = this.#peek();
    return token?.kind === 'sign' && token.value === value;
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#next];
  }

  #take(): Token | undefined {
    const token = this.#tokens[this.#next];
    this.#next += 1;
    return token;
  }
}
