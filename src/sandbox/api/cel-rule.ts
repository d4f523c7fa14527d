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

  /** Undefined when the rule holds; else the text of the error. `old` is undefined where there was no value before. */
  judge(node: SchemaNode, self: Json, old: Json | undefined): string | undefined {
    if (this.isTransition && old === undefined) return undefined;
    // Most rules of ours are this one, and most writes share the unchanged part with what is stored.
    if (this.rule === 'self == oldSelf' && self === old) return undefined;
    this.#program ??= environment.parse(this.rule);
    try {
      const holds = this.#program({
        self: toCel(node, self),
        oldSelf: old === undefined ? null : toCel(node, old),
      });
      return holds === true ? undefined : this.message;
    } catch (error) {
      const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
      return `${why.toLowerCase()} evaluating rule: ${this.message}`;
    }
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
