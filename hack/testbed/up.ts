// npm run testbed: brings a testbed up and keeps it until Ctrl-C.
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import { explained } from '../../src/cli/explained.ts';
import { interruptedExitCode, untilSignalled } from '../../src/cli/until-signalled.ts';
import { parsePlainKubeConfig, textOf } from '../../src/kube/plain-kubeconfig.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { writeKubeconfig } from '../../src/sandbox/serve/kubeconfig-file.ts';
import type { CellReport } from './cell/cell-messages.ts';
import { enterCell } from './cell/enter-cell.ts';
import { frontDoorSocket, startRelay } from './cell/relay.ts';
import { RunFolder } from './cell/run-folder.ts';
import { kubeconfigPath } from './cluster/keys.ts';
import type { TestbedParts } from './cluster/parts.ts';

interface UpArguments {
  readonly kubeconfig?: string;
  readonly keep: boolean;
  readonly without: readonly string[];
}

/** Resolves to the exit code. */
async function up(given: UpArguments, signal: AbortSignal): Promise<number> {
  const clock = new SystemClock();
  await using folder = await RunFolder.create(tmpdir(), clock);
  if (given.keep) await folder.keep();
  await using door = await startRelay({ host: '127.0.0.1', port: 0 }, { path: frontDoorSocket(folder.path) });
  using files = new DisposableStack();
  const without = (part: string): boolean => given.without.includes(part);
  const parts: TestbedParts = {
    cdi: without('cdi') ? 'absent' : 'programs',
    kubevirt: without('kubevirt') ? 'absent' : 'programs',
    node: !without('node'),
  };
  const onReady = async (runs: readonly string[]): Promise<void> => {
    const path = resolve(given.kubeconfig ?? join(folder.path, 'kubeconfig'));
    const access = await adminAccess(folder.path);
    files.use(writeKubeconfig(path, { ...access, url: `https://127.0.0.1:${door.port}` }, 'testbed'));
    process.stdout.write(
      `\nA testbed runs: ${runs.join(', ')}.\n` +
        `  its API server     kubectl --kubeconfig ${path} get crds\n` +
        `  logs and volumes   ${folder.path}${given.keep ? ' (stays in the end)' : ''}\n` +
        `  end it             Ctrl-C\n`,
    );
  };
  const failed = new AbortController();
  const onReport = (report: CellReport): void => {
    if (report.what === 'ready') onReady(report.runs).catch((error: unknown) => failed.abort(error));
  };
  const path = fileURLToPath(new URL('cluster/up-inside.ts', import.meta.url));
  const either = AbortSignal.any([signal, failed.signal]);
  const code = await enterCell(
    { path, args: [JSON.stringify(parts)], folder: folder.path, clock, onReport },
    either,
  );
  failed.signal.throwIfAborted();
  if (given.keep) process.stdout.write(`\nkept: ${folder.path}\n`);
  return code;
}

/** What the administrator of the testbed in this folder proves himself with. */
async function adminAccess(folder: string): Promise<{ readonly caPem: string; readonly token: string }> {
  const path = kubeconfigPath(folder, 'admin');
  const config = await parsePlainKubeConfig(await readFile(path, 'utf8'), path);
  return { caPem: (await textOf(config?.ca)) ?? '', token: (await textOf(config?.user.token)) ?? '' };
}

const program = new Command('npm run testbed --')
  .description(
    'Runs etcd, kube-apiserver, CDI and KubeVirt as they are, in namespaces of their own, until Ctrl-C.',
  )
  .option('--kubeconfig <file>', 'file to write, and to remove in the end')
  .option('--keep', 'leave logs and volumes behind', false)
  .addOption(
    new Option('--without <part...>', 'parts to do without')
      .choices(['cdi', 'kubevirt', 'node'])
      .default([], 'none'),
  )
  .action(async (given: UpArguments) => {
    const signal = untilSignalled();
    try {
      process.exitCode = await up(given, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
      process.exitCode = interruptedExitCode;
    }
  });

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`testbed: ${explained(error)}\n`);
  process.exitCode = 1;
}
process.exit();
