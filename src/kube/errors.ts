/** What an API server refused, or that it could not be reached, in one class with one closed list of codes. */
export const kubeErrorCodes = [
  'BadRequest',
  'Unauthorized',
  'Forbidden',
  'NotFound',
  'AlreadyExists',
  'Conflict',
  'Gone',
  'Invalid',
  'TooManyRequests',
  'UnsupportedMediaType',
  'ServerError',
  'Unreachable',
] as const;
export type KubeErrorCode = (typeof kubeErrorCodes)[number];

export class KubeError extends Error {
  readonly code: KubeErrorCode;
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  /** `reason` of the Status object, where the server sent one. */
  readonly reason: string | undefined;
  /** The server's own words, without what was attempted. */
  readonly detail: string;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    fields: {
      readonly code: KubeErrorCode;
      readonly status: number;
      readonly reason?: string | undefined;
      readonly detail: string;
      /** What was attempted and on what: "create pods ns/name". */
      readonly attempted: string;
      readonly retryAfterSeconds?: number | undefined;
    },
    options?: ErrorOptions,
  ) {
    super(`${fields.attempted}: ${fields.detail}`, options);
    this.name = 'KubeError';
    this.code = fields.code;
    this.status = fields.status;
    this.reason = fields.reason;
    this.detail = fields.detail;
    this.retryAfterSeconds = fields.retryAfterSeconds;
  }
}

export function isKubeError(error: unknown, ...codes: readonly KubeErrorCode[]): error is KubeError {
  return error instanceof KubeError && (codes.length === 0 || codes.includes(error.code));
}

/** Worth the same call again later: the server or the way to it was in trouble, the request itself was not refused. */
export function isTransientKubeError(error: unknown): boolean {
  return isKubeError(error, 'ServerError', 'Unreachable', 'TooManyRequests');
}
