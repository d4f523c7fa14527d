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

  constructor(code: number, reason: string, message: string, details?: Status['details']) {
    super(message);
    this.name = 'Refusal';
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason,
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

/** A path that no kind is served under. */
export function unknownPath(): Refusal {
  return new Refusal(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function alreadyExists(kind: ResourceKind, name: string): Refusal {
  return new Refusal(
    409,
    'AlreadyExists',
    `${resourceName(kind)} ${quoted(name)} already exists`,
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
