import { Environment } from '@marcbachmann/cel-js';
import type { Json } from './json.ts';
import { isList, isObject } from './json.ts';
import type { SchemaNode } from './schema-node.ts';

const environment = new Environment({ homogeneousAggregateLiterals: false })
  .registerVariable('self', 'dyn')
  .registerVariable('oldSelf', 'dyn');

/** One entry of `x-kubernetes-validations`; the expression is parsed at its first use, since most kinds are never written to. */
export class CelRule {
  readonly rule: string;
  readonly message: string;
  /** A rule that names oldSelf is a transition rule: it is judged only where there was a value before. */
  readonly isTransition: boolean;
  readonly fieldPath: string | undefined;
  #program: ((variables: Readonly<Record<string, unknown>>) => unknown) | undefined;

  constructor(source: { readonly rule: string; readonly message?: string; readonly fieldPath?: string }) {
    this.rule = source.rule;
    this.message = source.message ?? `failed rule: ${source.rule}`;
    this.isTransition = /\boldSelf\b/.test(source.rule);
    this.fieldPath = source.fieldPath;
  }

  /** Undefined when the rule holds; else the text of the error. */
  judge(values: CelValues): string | undefined {
    if (this.isTransition && values.old === undefined) return undefined;
    // Most rules of ours are this one, and most writes share the unchanged part with what is stored.
    if (this.rule === 'self == oldSelf' && values.value === values.old) return undefined;
    this.#program ??= environment.parse(this.rule);
    try {
      return this.#program(values.variables) === true ? undefined : this.message;
    } catch (error) {
      const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
      return `${why.toLowerCase()} evaluating rule: ${this.message}`;
    }
  }
}

/** A value and the one before it, as the rules of its node see them; translated once for all of them, and only if one needs it. */
export class CelValues {
  readonly value: Json;
  /** Undefined where there was no value before. */
  readonly old: Json | undefined;
  readonly #node: SchemaNode;
  #variables: Readonly<Record<string, unknown>> | undefined;

  constructor(node: SchemaNode, value: Json, old: Json | undefined) {
    this.#node = node;
    this.value = value;
    this.old = old;
  }

  get variables(): Readonly<Record<string, unknown>> {
    this.#variables ??= {
      self: toCel(this.#node, this.value),
      oldSelf: this.old === undefined ? null : toCel(this.#node, this.old),
    };
    return this.#variables;
  }
}

/** CEL tells whole numbers from others by the schema, JavaScript does not tell them apart at all. */
function toCel(node: SchemaNode | undefined, value: Json): unknown {
  if (typeof value === 'number') {
    return node?.type !== 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;
  }
  if (isList(value)) return value.map((item) => toCel(node?.items, item));
  if (!isObject(value)) return value;
  const result: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    if (member !== undefined) result[name] = toCel(node?.properties?.get(name) ?? node?.additional, member);
  }
  return result;
}
