import { execFile } from 'node:child_process';
import { CellError } from './cell-error.ts';

/** What a program prints may be long (all CRDs of a product are 3 MiB). */
const longestOutputBytes = 64 * 2 ** 20;

/** What the program printed. Rejects with CellError `CommandFailed` that has its words, and with the signal's reason. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: { readonly input?: string } = {},
  signal?: AbortSignal,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      [...args],
      { maxBuffer: longestOutputBytes, ...(signal && { signal }) },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else if (signal?.aborted === true) reject(signal.reason as Error);
        else reject(failure(command, args, error, stderr));
      },
    );
    if (options.input !== undefined) {
      // A program that ends before it has read everything tells why by its exit code.
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(options.input);
    }
  });
}

function failure(command: string, args: readonly string[], error: Error, stderr: string): CellError {
  const line = [command, ...args].join(' ');
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') {
    return new CellError(
      'ToolMissing',
      `${command} is not installed: npm run testbed:build names what is needed`,
      {
        cause: error,
      },
    );
  }
  const why = stderr.trim() === '' ? `it ended with ${String(code)}` : stderr.trim();
  return new CellError('CommandFailed', `${line}: ${why}`, { cause: error });
}
