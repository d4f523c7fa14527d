/** What ends a demo or a sandbox early. `code` is stable; the message says what was attempted, on what, and what to do. */
export class DemoError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DemoError';
    this.code = code;
  }
}

/** Code and message of whatever was thrown. */
export function describeError(error: unknown): { readonly code: string; readonly message: string } {
  const { code, message, name } = error as { code?: unknown; message?: unknown; name?: unknown };
  const words = typeof message === 'string' ? message : String(error);
  if (error instanceof DemoError) return { code: error.code, message: words };
  return {
    code: typeof code === 'string' ? code : 'Unexpected',
    message: `${String(name ?? 'Error')}: ${words}`,
  };
}
