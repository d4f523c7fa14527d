import process from 'node:process';

/** Exit code of a process that was ended by Ctrl-C before it was done. */
export const interruptedExitCode = 130;

/** Aborts at the first Ctrl-C, SIGTERM or SIGHUP (the terminal was closed); the second ends the process at once. */
export function untilSignalled(): AbortSignal {
  const end = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (end.signal.aborted) process.exit(interruptedExitCode);
      end.abort(new Error(`stopped by ${name}`));
    });
  }
  return end.signal;
}
