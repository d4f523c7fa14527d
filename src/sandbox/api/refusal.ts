import type { ResourceKind } from '../../api/meta.ts';
import { resourceName } from '../../api/meta.ts';
import type { FieldError } from './field-error.ts';
import { fieldErrorBody } from './field-error.ts';

/**
 * The Status objects of an API server, in its own words: clients and people match on them (fact: apimachinery pkg/api/errors, read in
 * v0.36; the same requests are compared with a real API server on the testbed).
 */

export interface StatusCause {
  readonly reason?: string;
  readonly message: string;
  readonly field?: string;
}
export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: object;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: {
    readonly name?: string;
    readonly group?: string;
    readonly kind?: string;
    readonly uid?: string;
    readonly causes?: readonly StatusCause[];
    readonly retryAfterSeconds?: number;
  };
  readonly code?: number;
}

/** A request that is not done, with the answer that says why. */
export class Refusal extends Error {
  readonly status: Status & { readonly code: number };

  /** The message is sent as it is, in place of a Status. */
  readonly isText: boolean;

  /** An empty reason: a plain error of the server's, which has none. */
  constructor(code: number, reason: string, message: string, details?: Status['details'], isText = false) {
    super(message);
    this.name = 'Refusal';
    this.isText = isText;
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      ...(reason !== '' && { reason }),
      ...(details === undefined ? {} : { details }),
      code,
    };
  }
}

/** `{name, group, kind}` of details; despite its name, `kind` holds the plural here. */
export function detailsOf(kind: ResourceKind, name: string): NonNullable<Status['details']> {
  return { ...(name !== '' && { name }), ...(kind.group !== '' && { group: kind.group }), kind: kind.plural };
}

export function notFound(kind: ResourceKind, name: string): Refusal {
  return new Refusal(
    404,
    'NotFound',
    `${resourceName(kind)} ${quoted(name)} not found`,
    detailsOf(kind, name),
  );
}

/** A method that a kind does not have under this path; custom resources are named (fact: customresource_handler.go). */
export function notSupportedVerb(kind: ResourceKind, verb: string): Refusal {
  const { name: _, ...details } = detailsOf(kind, '');
  const text = `${verb} is not supported on resources of kind "${resourceName(kind)}"`;
  return new Refusal(405, 'MethodNotAllowed', text, details);
}

/** A path below everything that is served: the answer of the plain mux, which is no Status. */
export function pageNotFound(): Refusal {
  return new Refusal(404, 'NotFound', '404 page not found\n', undefined, true);
}

/** A schema that is not there: said by the status alone. */
export function emptyNotFound(): Refusal {
  return new Refusal(404, 'NotFound', '', undefined, true);
}

export function notAcceptable(): Refusal {
  const accepted = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';
  return new Refusal(406, 'NotAcceptable', `only the following media types are accepted: ${accepted}`);
}

/** A path that no kind is served under. */
export function unknownPath(): Refusal {
  return new Refusal(404, 'NotFound', 'the server could not find the requested resource', {});
}

/** `isGoing`: the one that has the name is being deleted, which the text says. */
export function alreadyExists(kind: ResourceKind, name: string, isGoing: boolean): Refusal {
  const head = isGoing ? 'object is being deleted: ' : '';
  return new Refusal(
    409,
    'AlreadyExists',
    `${head}${resourceName(kind)} ${quoted(name)} already exists`,
    detailsOf(kind, name),
  );
}

export function conflict(kind: ResourceKind, name: string, why: string): Refusal {
  return new Refusal(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${resourceName(kind)} ${quoted(name)}: ${why}`,
    detailsOf(kind, name),
  );
}

export function staleVersion(kind: ResourceKind, name: string): Refusal {
  return conflict(
    kind,
    name,
    'the object has been modified; please apply your changes to the latest version and try again',
  );
}

export function forbidden(
  kind: ResourceKind,
  name: string,
  why: string,
  causes?: readonly StatusCause[],
): Refusal {
  const what = name === '' ? resourceName(kind) : `${resourceName(kind)} ${quoted(name)}`;
  return new Refusal(403, 'Forbidden', `${what} is forbidden: ${why}`, {
    ...detailsOf(kind, name),
    ...(causes === undefined ? {} : { causes }),
  });
}

export function badRequest(message: string): Refusal {
  return new Refusal(400, 'BadRequest', message);
}

export function methodNotAllowed(): Refusal {
  return new Refusal(
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
    {},
  );
}

export function unsupportedMediaType(accepted: readonly string[]): Refusal {
  const known = accepted.join(', ');
  return new Refusal(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${known}`,
  );
}

export function internalError(message: string): Refusal {
  return new Refusal(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });
}

export function expired(message: string): Refusal {
  return new Refusal(410, 'Expired', message);
}

/** A body with a value that a field cannot hold. In a patch it is the patch that is Invalid (server-state.ts). */
export class DecodeRefusal extends Refusal {
  readonly why: string;

  constructor({ kind, version }: Pick<ResourceKind, 'kind' | 'version'>, why: string) {
    super(400, 'BadRequest', `${kind} in version "${version}" cannot be handled as a ${kind}: ${why}`);
    this.why = why;
  }
}

/** A patch that cannot be applied, a failed `test` among others: the reason stays on the server (fact: handlers/patch.go). */
export function patchNotApplicable(): Refusal {
  return new Refusal(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
}

/** One message for all that is wrong with an object; `details.kind` holds the kind here, not the plural. */
export function invalid(
  kind: Pick<ResourceKind, 'group' | 'kind'>,
  name: string,
  errors: readonly FieldError[],
): Refusal {
  const causes = errors.map((error) => ({
    reason: error.type,
    message: fieldErrorBody(error),
    ...(error.field === '' ? {} : { field: error.field }),
  }));
  const texts = [...new Set(errors.map((error) => `${error.field}: ${fieldErrorBody(error)}`))];
  const all = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  const what = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
  return new Refusal(422, 'Invalid', `${what} ${quoted(name)} is invalid: ${all ?? ''}`, {
    ...(name !== '' && { name }),
    ...(kind.group !== '' && { group: kind.group }),
    ...(kind.kind !== '' && { kind: kind.kind }),
    causes,
  });
}

/** As Go's %q writes it, for the texts that occur here. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}
