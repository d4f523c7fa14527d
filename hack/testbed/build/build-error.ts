/** What ends a build early. `code` is stable; the message says what was attempted, on what, and what to do. */
export class BuildError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BuildError';
    this.code = code;
  }
}
