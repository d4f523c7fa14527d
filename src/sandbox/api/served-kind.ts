import type { CustomResourceDefinition, PrinterColumn } from '../../api/external/core.ts';
import type { ResourceKind } from '../../api/meta.ts';
import type { FieldError } from './field-error.ts';
import type { Json } from './json.ts';
import type { NameRule } from './object-meta.ts';
import type { SchemaNode } from './schema-node.ts';
import type { StoredObject } from './stored-object.ts';

/** One kind as this server serves it: names, schema, columns, and what its own strategy does besides the rules of all kinds. */
export interface ServedKind {
  readonly kind: ResourceKind;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  /** Defined by a CRD: validated by its schema, generation counted, no unconditional update. */
  readonly custom: boolean;
  /** `keep`: built-in kinds, of which only the fields in use are known here. `reject`: unknown fields fail, so that a typo does. */
  readonly unknownFields: 'prune' | 'reject' | 'keep';
  /** Of spec, status and whatever else stands at the top; absent for built-in kinds. */
  readonly schema: SchemaNode | undefined;
  /** JSON of the same schema, for /openapi/v3. */
  readonly openApi: object | undefined;
  /** Of a custom kind: its CustomResourceDefinition, which is there to be read. */
  readonly definition: CustomResourceDefinition | undefined;
  /** Of a built-in kind, whose schema is not here: the members of its objects, beside apiVersion, kind and metadata. */
  readonly members: readonly string[] | undefined;
  /** The same of its spec; undefined: unknown. */
  readonly specMembers: readonly string[] | undefined;
  readonly nameRule: NameRule;
  readonly selectableFields: readonly string[];
  /** What is said of a field that cannot be selected by. */
  readonly unknownFieldText: (field: string) => string;
  readonly columns: readonly Column[];
  /** DELETE answers with the object rather than with a Status (fact: registry strategies, ReturnDeletedObject). */
  readonly returnsDeleted: boolean;
  /** What DELETE does with dependents when nothing is said (fact: batch/v1 Jobs leave their pods). */
  readonly orphansByDefault: boolean;
  readonly strategy: Strategy;
}

export interface Column extends Pick<PrinterColumn, 'name' | 'type' | 'format' | 'description' | 'priority'> {
  /** `nowMs`: for ages. */
  readonly cell: (object: StoredObject, nowMs: number) => Json;
}

/** What a built-in kind does of its own at a write; a custom resource does nothing. */
export interface Strategy {
  /** The new object as it is to be stored: first status, fields that the server fills. */
  readonly prepareCreate?: (object: StoredObject) => StoredObject;
  readonly prepareUpdate?: (object: StoredObject, old: StoredObject) => StoredObject;
  readonly validateCreate?: (object: StoredObject) => readonly FieldError[];
  readonly validateUpdate?: (object: StoredObject, old: StoredObject) => readonly FieldError[];
  /** True: generation counts changes of spec, though there is no CRD. */
  readonly countsGenerations?: boolean;
}
