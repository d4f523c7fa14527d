/** An error as JSON: an Error itself becomes {}, since its fields are not enumerable. */
export interface ErrorFields {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: ErrorFields | string;
  /** Of an AggregateError. */
  readonly errors?: readonly (ErrorFields | string)[];
}

/** Causes deeper than this say nothing new; a chain may even lead back to its start. */
const deepestCause = 5;

/** The fields of an error of any realm; undefined when `value` is none. */
export function errorFields(value: unknown, depth = 0): ErrorFields | undefined {
  if (!isError(value)) return undefined;
  const { name, message, stack, cause } = value;
  const { code, errors } = value as { readonly code?: unknown; readonly errors?: unknown };
  const isDeepest = depth >= deepestCause;
  const inner = (one: unknown): ErrorFields | string => errorFields(one, depth + 1) ?? String(one);
  return {
    name,
    message,
    ...((typeof code === 'string' || typeof code === 'number') && { code: String(code) }),
    // The stack of a cause repeats most of its effect's.
    ...(depth === 0 && stack !== undefined && { stack }),
    ...(cause !== undefined && !isDeepest && { cause: inner(cause) }),
    ...(Array.isArray(errors) && !isDeepest && { errors: errors.map(inner) }),
  };
}

function isError(value: unknown): value is Error {
  if (value instanceof Error) return true;
  return Object.prototype.toString.call(value) === '[object Error]';
}
