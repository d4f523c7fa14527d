/** The messages down to the first error that has a code, for the last line of a command: that one tells what is behind those above it. */
export function explained(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const messages = [error.message];
  let last: Error & { readonly code?: unknown } = error;
  while (last.code === undefined && last.cause instanceof Error) {
    last = last.cause;
    messages.push(last.message);
  }
  const prefix = typeof last.code === 'string' ? `${last.code}: ` : '';
  return prefix + messages.join(': ');
}
