import type { KubeErrorCode } from './errors.ts';
import { KubeError } from './errors.ts';
import type { ApiResponse } from './transport.ts';

/** What of a metav1.Status is read; everything may be missing, since a proxy on the way answers as it likes. */
interface StatusFields {
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly retryAfterSeconds?: number;
}

/** The longest foreign text that goes into an error: a proxy's error page says no more in its tenth line than in its first. */
const longestDetail = 2000;

/** The refusal in an answer whose status is not 2xx. */
export function responseToError(attempted: string, response: ApiResponse): KubeError {
  const status = statusFields(response.body);
  const retryAfterSeconds = wholeSeconds(response.headers['retry-after']) ?? status.retryAfterSeconds;
  return makeError(attempted, response.status, status, retryAfterSeconds, response.body);
}

/** The refusal in the ERROR event of a watch, whose object is a Status. */
export function errorEventToError(attempted: string, object: unknown): KubeError {
  const status = statusFields(object);
  const expired = status.reason === 'Expired' || status.reason === 'Gone';
  const httpStatus = status.code ?? (expired ? 410 : 500);
  return makeError(attempted, httpStatus, status, status.retryAfterSeconds, object);
}

/** True for the API server's own Status object, as against the answer of a pod behind its proxy. */
export function isStatusObject(body: unknown): boolean {
  return isRecord(body) && body['kind'] === 'Status' && body['apiVersion'] === 'v1';
}

function codeOf(httpStatus: number, reason: string | undefined): KubeErrorCode {
  switch (httpStatus) {
    case 401:
      return 'Unauthorized';
    case 403:
      return 'Forbidden';
    case 404:
      return 'NotFound';
    case 409:
      return reason === 'AlreadyExists' ? 'AlreadyExists' : 'Conflict';
    case 410:
      return 'Gone';
    case 415:
      return 'UnsupportedMediaType';
    case 422:
      return 'Invalid';
    case 429:
      return 'TooManyRequests';
    default:
      return httpStatus >= 400 && httpStatus < 500 ? 'BadRequest' : 'ServerError';
  }
}

function makeError(
  attempted: string,
  httpStatus: number,
  status: StatusFields,
  retryAfterSeconds: number | undefined,
  body: unknown,
): KubeError {
  return new KubeError({
    code: codeOf(httpStatus, status.reason),
    status: httpStatus,
    reason: status.reason,
    detail: (status.message ?? plainText(body) ?? `HTTP status ${httpStatus}`).slice(0, longestDetail),
    attempted,
    retryAfterSeconds,
  });
}

function plainText(body: unknown): string | undefined {
  return typeof body === 'string' && body.trim() !== '' ? body.trim() : undefined;
}

function statusFields(body: unknown): StatusFields {
  if (!isRecord(body)) return {};
  const { code, reason, message, details } = body;
  const seconds = isRecord(details) ? details['retryAfterSeconds'] : undefined;
  return {
    ...(typeof code === 'number' && { code }),
    ...(typeof reason === 'string' && reason !== '' && { reason }),
    ...(typeof message === 'string' && message !== '' && { message }),
    ...(typeof seconds === 'number' && seconds > 0 && { retryAfterSeconds: seconds }),
  };
}

/** API servers send Retry-After in seconds; the form with a date is a proxy's and is not worth trusting a foreign clock for. */
function wholeSeconds(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,9}$/.test(header) ? Number(header) : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
