import type { Fail } from './phase.ts';

/** A failure that no further try would change. */
export function terminal(code: string, message: string, hint?: string): Fail {
  return {
    kind: 'fail',
    class: 'terminal',
    code,
    message,
    ...(hint !== undefined && { hint }),
  };
}
