import { functions } from './functions.ts';
import type { Command, Node, Operand, Pipeline } from './parser.ts';
import { TemplateError } from './template-error.ts';
import { isTrue, toText, type Value } from './value.ts';

/** Field by name; all that a template can read. */
export type TemplateData = Readonly<Record<string, string | number | boolean>>;

/** No name is nearly as long. It keeps every intermediate text in bounds, so that no template takes much time. */
const longestOutput = 4096;

/** Variables of one block; the block around it is looked at next. */
interface Scope {
  readonly variables: Map<string, Value>;
  readonly outer?: Scope;
  /** What "." is: undefined stands for the data as a whole. */
  readonly dot?: { readonly value: Value };
}

/** Throws TemplateError. */
export function evaluate(nodes: readonly Node[], data: TemplateData): string {
  return new Evaluation(data).nodes(nodes, { variables: new Map() });
}

class Evaluation {
  readonly #data: TemplateData;

  constructor(data: TemplateData) {
    this.#data = data;
  }

  nodes(nodes: readonly Node[], scope: Scope): string {
    let output = '';
    for (const node of nodes) {
      output += this.#node(node, scope);
      checkLength(output, 0);
    }
    return output;
  }

  #node(node: Node, scope: Scope): string {
    if (node.kind === 'text') return node.text;
    if (node.kind === 'output') {
      const value = this.#pipeline(node.pipeline, scope);
      return node.pipeline.assign === undefined ? toText(value) : '';
    }
    const block: Scope = { ...scope, variables: new Map(), outer: scope };
    const value = this.#pipeline(node.pipeline, block);
    if (!isTrue(value)) return this.nodes(node.otherwise, block);
    return this.nodes(node.then, node.kind === 'with' ? { ...block, dot: { value } } : block);
  }

  #pipeline(pipeline: Pipeline, scope: Scope): Value {
    let value: Value;
    pipeline.commands.forEach((command, position) => {
      value = this.#command(command, scope, position === 0 ? [] : [value]);
    });
    const { assign } = pipeline;
    if (assign?.declares === true) scope.variables.set(assign.name, value);
    else if (assign !== undefined) scopeOf(assign.name, scope, pipeline.at).variables.set(assign.name, value);
    return value;
  }

  /** @param piped what the command before gave: it becomes the last argument. */
  #command({ operands, at }: Command, scope: Scope, piped: readonly Value[]): Value {
    const [head, ...rest] = operands;
    if (head?.kind === 'function') return this.#call(head.name, head.at, rest, scope, piped);
    if (head === undefined || rest.length > 0 || piped.length > 0) {
      throw new TemplateError('WrongArgument', at, 'only a function takes arguments, and this is a value');
    }
    return this.#operand(head, scope);
  }

  #call(
    name: string,
    at: number,
    operands: readonly Operand[],
    scope: Scope,
    piped: readonly Value[],
  ): Value {
    if (name === 'and' || name === 'or') return this.#junction(name, at, operands, scope, piped);
    const definition = functions.get(name);
    if (definition === undefined) {
      const known = ['and', 'or', ...functions.keys()].sort().join(', ');
      throw new TemplateError('UnknownFunction', at, `there is no function "${name}"; there are ${known}`);
    }
    const values = [...operands.map((operand) => this.#operand(operand, scope)), ...piped];
    const value = definition(
      values,
      (message) => new TemplateError('WrongArgument', at, `${name}: ${message}`),
    );
    if (typeof value === 'string') checkLength(value, at);
    return value;
  }

  /** The first operand that decides, as in Go; those behind it are not computed. */
  #junction(
    name: 'and' | 'or',
    at: number,
    operands: readonly Operand[],
    scope: Scope,
    piped: readonly Value[],
  ): Value {
    if (operands.length + piped.length === 0) {
      throw new TemplateError('WrongArgument', at, `${name}: expected at least one argument`);
    }
    let value: Value;
    for (const operand of operands) {
      value = this.#operand(operand, scope);
      if (isTrue(value) === (name === 'or')) return value;
    }
    return piped.length > 0 ? piped[0] : value;
  }

  #operand(operand: Operand, scope: Scope): Value {
    switch (operand.kind) {
      case 'literal':
        return operand.value;
      case 'pipeline':
        return this.#pipeline(operand.pipeline, scope);
      case 'function':
        return this.#call(operand.name, operand.at, [], scope, []);
      case 'field':
        if (scope.dot !== undefined && operand.path.length === 0) return scope.dot.value;
        if (scope.dot !== undefined) throw noField(operand.at, operand.path[0] ?? '', 'a plain value');
        return this.#field(operand.path, operand.at);
      case 'variable': {
        if (operand.name === '') return this.#field(operand.path, operand.at);
        if (operand.path.length > 0) throw noField(operand.at, operand.path[0] ?? '', 'a plain value');
        return scopeOf(operand.name, scope, operand.at).variables.get(operand.name);
      }
    }
  }

  #field(path: readonly string[], at: number): Value {
    const [name, further] = path;
    const known = Object.keys(this.#data).map((field) => `.${field}`);
    if (name === undefined) throw new TemplateError('UnknownField', at, `name a field: ${known.join(', ')}`);
    if (!Object.hasOwn(this.#data, name)) {
      throw new TemplateError(
        'UnknownField',
        at,
        `there is no field ".${name}"; there are ${known.join(', ')}`,
      );
    }
    if (further !== undefined) throw noField(at, further, `.${name}, a plain value`);
    return this.#data[name];
  }
}

function checkLength(text: string, at: number): void {
  if (text.length > longestOutput) {
    throw new TemplateError('TooLong', at, `gives more than ${longestOutput} characters`);
  }
}

function scopeOf(name: string, scope: Scope, at: number): Scope {
  for (let candidate: Scope | undefined = scope; candidate !== undefined; candidate = candidate.outer) {
    if (candidate.variables.has(name)) return candidate;
  }
  throw new TemplateError('UnknownVariable', at, `there is no variable "$${name}"`);
}

function noField(at: number, name: string, of: string): TemplateError {
  return new TemplateError('UnknownField', at, `there is no field ".${name}" in ${of}`);
}
