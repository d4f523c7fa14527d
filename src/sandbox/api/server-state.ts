import type { ResourceKind } from '../../api/meta.ts';
import { resourceName } from '../../api/meta.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Admission, AdmissionRequest, Faults } from '../world.ts';
import type { FieldError } from './field-error.ts';
import { invalidValue } from './field-error.ts';
import type { KindTable } from './kind-table.ts';
import { internalError, invalid, Refusal } from './refusal.ts';
import type { ServedKind } from './served-kind.ts';
import type { Store } from './store.ts';
import type { StoredObject } from './stored-object.ts';

/** What the verbs work on. */
export interface ServerState {
  readonly store: Store;
  readonly kinds: KindTable;
  readonly clock: Clock;
  /** In [0, 1), seeded. */
  readonly random: () => number;
  readonly faults: Faults;
  readonly admissions: ReadonlyMap<string, readonly Admission[]>;
}

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
  /** Filled with what goes into Warning headers. */
  readonly warnings: string[];
  /** Of the body, where the request came over a wire: what stands for the size of the object. */
  readonly bytes?: number;
}

/** fact: etcd takes no request above 1.5 MiB. Throws Refusal 500 without a reason, as its error is passed on. */
export function checkSize({ bytes = 0 }: WriteOptions): void {
  if (bytes > 1.5 * 1024 * 1024) throw new Refusal(500, '', 'etcdserver: request is too large');
}

/** For writes that the server makes by itself. */
export const internalWrite = (): WriteOptions => ({ dryRun: false, fieldValidation: 'Ignore', warnings: [] });

/** Runs the admissions of a kind in order. `verb plural` is the subject of the fault. */
export function admit(
  state: ServerState,
  served: ServedKind,
  request: Pick<AdmissionRequest, 'operation' | 'dryRun'> & {
    readonly object: StoredObject;
    readonly oldObject?: StoredObject;
  },
): StoredObject {
  const admissions = state.admissions.get(resourceName(served.kind)) ?? [];
  if (admissions.length === 0) return request.object;
  const subject = `${request.operation.toLowerCase()} ${served.kind.plural}`;
  if (state.faults.strikes('webhook-timeout', subject)) {
    throw internalError(
      `failed calling webhook "${served.kind.plural}": failed to call webhook: context deadline exceeded`,
    );
  }
  let { object } = request;
  for (const admission of admissions) {
    const answer = admission({ ...request, ...readers(state), object });
    if ('denied' in answer) throw denial(answer);
    object = answer as StoredObject;
  }
  return object;
}

interface Denial {
  readonly denied: string;
  readonly webhook: string;
  readonly code?: number;
}

/** fact: cdi 2.5: the refusal of a webhook carries its own code and reason, and this head. */
function denial({ denied, webhook, code = 422 }: Denial): Refusal {
  const reason = code === 422 ? 'Invalid' : code === 403 ? 'Forbidden' : 'BadRequest';
  return new Refusal(code, reason, `admission webhook "${webhook}" denied the request: ${denied}`);
}

function readers({ store }: ServerState): Pick<AdmissionRequest, 'read' | 'list'> {
  return {
    read: (kind, namespace, name) => store.get(kind, namespace ?? '', name) as never,
    list: (kind, namespace) => store.list(kind, namespace) as never,
  };
}

/** What `dryRun` of a query or of a body may be. */
export function dryRunErrors(dryRun: unknown): readonly FieldError[] {
  const asked = Array.isArray(dryRun) ? dryRun : dryRun === undefined || dryRun === '' ? [] : [dryRun];
  return asked.every((one) => one === 'All')
    ? []
    : [{ type: 'FieldValueNotSupported', field: 'dryRun', value: asked, detail: 'supported values: "All"' }];
}

export function refuseErrors(
  kind: Pick<ResourceKind, 'group' | 'kind'>,
  name: string,
  errors: readonly FieldError[],
): void {
  if (errors.length > 0) throw invalid(kind, name, errors);
}

/**
 * What to do about fields that nobody knows: an error or a warning, by what the request asks for. Kinds of other people's CRDs are
 * strict always, so that a typo fails here and not on a cluster (design: sandbox.md).
 */
export function judgeUnknownFields(
  served: ServedKind,
  unknown: readonly string[],
  options: WriteOptions,
  refuse: (text: string) => Refusal,
): void {
  if (unknown.length === 0) return;
  const texts = [...unknown].sort().map((field) => `unknown field ${JSON.stringify(field)}`);
  if (served.unknownFields === 'reject' || options.fieldValidation === 'Strict') {
    throw refuse(`strict decoding error: ${texts.join(', ')}`);
  }
  if (options.fieldValidation === 'Warn') options.warnings.push(...texts);
}

/** A patch whose result has unknown fields is Invalid, where a created object is a BadRequest (fact: handlers/patch.go). */
export function invalidPatch(result: unknown): (text: string) => Refusal {
  return (text) =>
    invalid({ group: '', kind: '' }, '', [invalidValue('patch', JSON.stringify(result), text)]);
}
