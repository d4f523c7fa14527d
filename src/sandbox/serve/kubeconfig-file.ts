import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { kubeconfig } from '../api/kubeconfig.ts';
import { DemoError } from '../demo/demo-error.ts';

/**
 * A kubeconfig that only the user can read, removed when it is disposed of or when the process exits. One that an earlier sandbox (or
 * whatever has that `name`) left behind is replaced; any other file is the user's, and is not touched: DemoError `KubeconfigExists`.
 */
export function writeKubeconfig(
  path: string,
  server: { readonly url: string; readonly caPem: string; readonly token: string },
  name = 'sandbox',
): Disposable {
  if (isOf(name, path)) rmSync(path);
  const text = kubeconfig(server, name);
  try {
    writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') {
      throw new DemoError(
        'KubeconfigExists',
        `${path} exists and is not a ${name}'s: name another file, or remove it.`,
        { cause: error },
      );
    }
    throw new DemoError('KubeconfigNotWritable', `${path} cannot be written (${message}).`, { cause: error });
  }
  const remove = (): void => {
    if (textOf(path) === text) rmSync(path, { force: true });
  };
  process.once('exit', remove);
  return {
    [Symbol.dispose]: () => {
      process.removeListener('exit', remove);
      remove();
    },
  };
}

function isOf(name: string, path: string): boolean {
  try {
    const config = JSON.parse(textOf(path) ?? '') as {
      readonly 'current-context'?: unknown;
      readonly clusters?: readonly { readonly cluster?: { readonly server?: unknown } }[];
    };
    const [only, second] = config.clusters ?? [];
    const server = only?.cluster?.server;
    const isLocal = typeof server === 'string' && server.startsWith('https://127.0.0.1:');
    return config['current-context'] === name && second === undefined && isLocal;
  } catch {
    return false;
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
