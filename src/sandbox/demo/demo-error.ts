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
  if (error instanceof DemoError) return { code: error.code, message: error.message };
  if (!(error instanceof Error)) return { code: 'Unexpected', message: String(error) };
  const { code } = error as { code?: unknown };
  return {
    code: typeof code === 'string' ? code : 'Unexpected',
    message: `${error.name}: ${error.message}`,
  };
}
