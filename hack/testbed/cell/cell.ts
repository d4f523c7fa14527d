import { mkdir } from 'node:fs/promises';
import process from 'node:process';
import { testbedVariable } from '../control/testbed.ts';
import { CellError } from './cell-error.ts';
import type { CellReport } from './cell-messages.ts';
import { Network } from './network.ts';
import { runCommand } from './run-command.ts';

/** The namespaces that this process is in, made ready. */
export interface Cell {
  /** The folder of this run. */
  readonly folder: string;
  readonly network: Network;
  /** Aborts when whoever entered the cell wants it to end, or is no more. */
  readonly signal: AbortSignal;
  report(report: CellReport): void;
}

/**
 * Makes the namespaces ready that `enterCell` put this process into: own /run, loopback, bridge. To be called once, at the beginning of
 * its program. Rejects with CellError `NotInCell` anywhere else: the machine's own network is not to be changed.
 */
export async function openCell(): Promise<Cell> {
  const folder = process.env[testbedVariable];
  // Process 1 of the namespace is the shell that started us.
  if (folder === undefined || process.ppid !== 1 || process.send === undefined) {
    throw new CellError('NotInCell', 'this program runs inside a testbed: npm run testbed starts it there');
  }
  const signal = endSignal();
  const report = (message: CellReport): void => {
    if (process.connected) process.send?.(message);
  };
  report({ what: 'entered' });
  // So that what is unmounted here is unmounted for programs with mounts of their own, too, and does not live on in theirs.
  await runCommand('mount', ['--make-rshared', '/']);
  // Programs keep sockets, keys and namespaces under /run: none of it is the machine's.
  await runCommand('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', '/run']);
  await mkdir('/run/netns');
  return { folder, network: await Network.open(), signal, report };
}

function endSignal(): AbortSignal {
  const end = new AbortController();
  process.once('message', () => end.abort(new Error('told to end')));
  process.once('disconnect', () => end.abort(new Error('the process outside has gone')));
  // To be listened to, but no reason to stay.
  process.channel?.unref();
  return end.signal;
}
