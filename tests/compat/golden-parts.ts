/**
 * Words for writing down the fields of a CRD, and the parts that several of Forklift's kinds share. Data of its own on purpose: it
 * shares nothing with the schemas in src/api that it is held against.
 */

/** One field. `fields` of an object, `items` of a list, `values` of a map. */
export interface Field {
  readonly type: 'string' | 'boolean' | 'integer' | 'object' | 'array';
  readonly required?: boolean;
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly mapType?: 'atomic';
  readonly listType?: 'atomic';
  readonly fields?: Fields;
  readonly items?: Field;
  readonly values?: Field;
}
export type Fields = Readonly<Record<string, Field>>;

export const string: Field = { type: 'string' };
export const boolean: Field = { type: 'boolean' };
export const integer: Field = { type: 'integer' };
export const int32: Field = { type: 'integer', format: 'int32' };
export const int64: Field = { type: 'integer', format: 'int64' };
export const time: Field = { type: 'string', format: 'date-time' };
export const strings: Field = { type: 'array', items: string };
export const stringMap: Field = { type: 'object', values: string };
export const on: Field = { type: 'boolean', default: true };
export const off: Field = { type: 'boolean', default: false };
export const oneOf = (...words: string[]): Field => ({ type: 'string', enum: words });
export const object = (fields: Fields): Field => ({ type: 'object', fields });
export const listOf = (items: Field): Field => ({ type: 'array', items });
export const required = (field: Field): Field => ({ ...field, required: true });
export const atomic = (field: Field): Field => ({ ...field, mapType: 'atomic' });
export const atomicList = (items: Field): Field => ({ type: 'array', listType: 'atomic', items });

export const reference = atomic(
  object({
    apiVersion: string,
    fieldPath: string,
    kind: string,
    name: string,
    namespace: string,
    resourceVersion: string,
    uid: string,
  }),
);
export const inventoryRef: Fields = { id: string, name: string, namespace: string, type: string };
export const pair = (field: Field): Field =>
  object({ source: required(field), destination: required(field) });
export const conditions = listOf(
  object({
    type: required(string),
    status: required(string),
    category: required(string),
    lastTransitionTime: required(time),
    reason: string,
    message: string,
    suggestion: string,
    durable: boolean,
    items: strings,
  }),
);
export const status = (fields: Fields = {}): Field =>
  object({ conditions, observedGeneration: int64, ...fields });

// ---- affinity (core/v1) ---------------------------------------------------------------------------------------------------------

export const requirements = atomicList(
  object({ key: required(string), operator: required(string), values: atomicList(string) }),
);
export const labelSelector = atomic(object({ matchExpressions: requirements, matchLabels: stringMap }));
export const nodeSelectorTerm = atomic(object({ matchExpressions: requirements, matchFields: requirements }));
export const podTerm = object({
  labelSelector,
  matchLabelKeys: atomicList(string),
  mismatchLabelKeys: atomicList(string),
  namespaceSelector: labelSelector,
  namespaces: atomicList(string),
  topologyKey: required(string),
});
export const podAffinity = object({
  preferredDuringSchedulingIgnoredDuringExecution: atomicList(
    object({ podAffinityTerm: required(podTerm), weight: required(int32) }),
  ),
  requiredDuringSchedulingIgnoredDuringExecution: atomicList(podTerm),
});
export const affinity = atomic(
  object({
    nodeAffinity: object({
      preferredDuringSchedulingIgnoredDuringExecution: atomicList(
        object({ preference: required(nodeSelectorTerm), weight: required(int32) }),
      ),
      requiredDuringSchedulingIgnoredDuringExecution: atomic(
        object({ nodeSelectorTerms: required(atomicList(nodeSelectorTerm)) }),
      ),
    }),
    podAffinity,
    podAntiAffinity: podAffinity,
  }),
);
