import { hostname } from 'node:os';
import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { Command, InvalidArgumentError, Option } from 'commander';
import { explained } from './cli/explained.ts';
import { untilSignalled } from './cli/until-signalled.ts';
import { engineSettings } from './controllers/engine-settings.ts';
import { SystemClock } from './runtime/clock.ts';
import { createLogger, logLevels, type LogLevel } from './runtime/winston.ts';

/**
 * The `gantry` command: the only place that reads arguments and environment. Each command's work lives elsewhere and is loaded when it
 * is asked for, so that a controller in a pod never loads a sandbox.
 *
 * Exit codes: 0 done, 1 failed (what and why is the last line on standard error), 2 wrong usage, 130 ended by Ctrl-C before it was done.
 * A controller is never done: to be told to stop, by SIGTERM or Ctrl-C, at work or waiting, is its good end, 0. It fails when it
 * loses its lease or cannot begin, and is then to be started anew. A second Ctrl-C ends any command at once with 130.
 */
const version = '0.1.0';

const clock = new SystemClock();
/** Jitter and names need no more than this; secrets are never made from it. */
const random = (): number => randomBytes(4).readUInt32LE() / 2 ** 32;

const logOptions = (): readonly Option[] => [
  new Option('--log-level <level>', 'least level that is written to standard error')
    .choices(logLevels)
    .default('info'),
  new Option('--log-format <format>', 'one JSON object a line, or short lines for people').choices([
    'json',
    'line',
  ]),
];

interface LogArguments {
  readonly logLevel: LogLevel;
  readonly logFormat?: 'json' | 'line';
}

function loggerOf(given: LogArguments) {
  const format = given.logFormat ?? (process.stderr.isTTY ? 'line' : 'json');
  return createLogger({ level: given.logLevel, format, clock });
}

const exitCodes = { failed: 1, usage: 2 };

const program = new Command('gantry')
  .description('Moves virtual machines into KubeVirt.')
  .version(version)
  .showHelpAfterError('"gantry help" and "gantry help COMMAND" tell what there is.')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : exitCodes.usage));

const everywhere = '0.0.0.0:8080';
const controller = program
  .command('controller')
  .description('Run the controller against a cluster.')
  .option('--kubeconfig <file>', "cluster to work on; default: the pod's own, else kubectl's")
  .option('--context <name>', 'context of the kubeconfig')
  .addOption(
    new Option('--set <key=value>', 'override a setting of the engine; may be repeated').argParser(setting),
  )
  .option('--no-leader-elect', 'this is the only replica: work without a Lease')
  .option(
    '--lease-namespace <namespace>',
    "namespace of the Lease; default: the pod's own, else that of the kubeconfig",
  )
  .option('--lease-duration <seconds>', 'how long a silent leader keeps the Lease', positive, 15)
  .addOption(
    new Option('--bind <host:port>', 'where probes and metrics are answered; "none" for nowhere')
      .argParser(address)
      .default(address(everywhere), everywhere),
  );
for (const option of logOptions()) controller.addOption(option);
controller.action(async (given: ControllerArguments) => {
  const signal = untilSignalled();
  const { runControllerProcess } = await import('./controllers/process.ts');
  const podName = process.env['POD_NAME'] ?? hostname();
  const leaseNamespace = given.leaseNamespace ?? process.env['POD_NAMESPACE'];
  await runControllerProcess(
    {
      ...(given.kubeconfig !== undefined && { kubeconfig: given.kubeconfig }),
      ...(given.context !== undefined && { context: given.context }),
      settings: engineSettings(given.set ?? []),
      ...(given.leaderElect && {
        election: {
          name: 'gantry-controller',
          ...(leaseNamespace !== undefined && { namespace: leaseNamespace }),
          identity: `${podName}-${randomBytes(4).toString('hex')}`,
          times: leaseTimes(given.leaseDuration),
        },
      }),
      ...(given.bind !== undefined && { bind: given.bind }),
      version,
      env: process.env,
      clock,
      random,
      log: loggerOf(given),
    },
    signal,
  );
});

interface ControllerArguments extends LogArguments {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly set?: readonly string[];
  readonly leaderElect: boolean;
  readonly leaseNamespace?: string;
  readonly leaseDuration: number;
  readonly bind: Address | undefined;
}

const speedOption = () =>
  new Option('--speed <factor>', 'divide the waits of the simulated platforms')
    .argParser(positive)
    .default(4);
const seedOption = () =>
  new Option(
    '--seed <number>',
    'the same number, the same bytes and names; default: another one each time',
  ).argParser(natural);
const vmsOption = () =>
  new Option(
    '--vms <number>',
    'so many small generated VMs in place of those of manifests/samples',
  ).argParser(vmCount);

const demo = program
  .command('demo')
  .description('Move VMs from a simulated vCenter into a simulated cluster, show it and prove it.')
  .option('--disk <file>', 'move this raw disk image, which is only read, in place of the samples')
  .addOption(
    new Option(
      '--fault <name@when>',
      'let something happen: vcenter-down, importer-crash, kill-controller, slow-consolidation or api-outage, at copy, pause or cutover or so many seconds after the start',
    ).conflicts('vms'),
  )
  .option('--json', 'print one JSON document and nothing else', false)
  .option('--keep', 'stay up afterwards, for kubectl, until Ctrl-C', false);
demo.addOption(vmsOption().conflicts('disk')).addOption(speedOption()).addOption(seedOption());
demo.action(async (given: DemoArguments) => {
  const signal = untilSignalled();
  // Whoever read it has had enough ("| head"): what was made goes with the process.
  process.stdout.on('error', () => process.exit(exitCodes.failed));
  const { demoCommand } = await import('./sandbox/demo/command.ts');
  const { stdout: output, env } = process;
  const { fault, ...rest } = given;
  const faulty = fault === undefined ? {} : { fault: await faultOf(fault) };
  process.exitCode = await demoCommand({ ...rest, ...faulty, output, env, clock, version }, signal);
});

/** What there is to choose from is known to the sandbox alone, which is not loaded before it is asked for. */
async function faultOf(text: string) {
  const { parseFault } = await import('./sandbox/demo/fault-choice.ts');
  try {
    return parseFault(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return demo.error(`error: option '--fault <name@when>' argument '${text}' is invalid. ${why}`, {
      exitCode: exitCodes.usage,
    });
  }
}

interface WorldArguments {
  readonly vms?: number;
  readonly speed: number;
  readonly seed?: number;
}
interface DemoArguments extends WorldArguments {
  readonly disk?: string;
  readonly fault?: string;
  readonly json: boolean;
  readonly keep: boolean;
}

const sandbox = program
  .command('sandbox')
  .description('Serve a simulated cluster and a simulated vCenter on 127.0.0.1, for a controller of its own.')
  .requiredOption('--kubeconfig <file>', 'file to write, and to remove in the end')
  .option('--empty', 'VMs, but no manifests', false);
sandbox.addOption(vmsOption()).addOption(speedOption()).addOption(seedOption());
sandbox.action(async (given: SandboxArguments) => {
  const signal = untilSignalled();
  const { sandboxCommand } = await import('./sandbox/serve/command.ts');
  const { stdout: output, env } = process;
  process.exitCode = await sandboxCommand({ ...given, output, env, clock }, signal);
});

interface SandboxArguments extends WorldArguments {
  readonly kubeconfig: string;
  readonly empty: boolean;
}

/** The proportions of client-go's defaults, 15, 10 and 2 seconds. */
function leaseTimes(seconds: number) {
  return {
    leaseDurationMs: seconds * 1000,
    renewDeadlineMs: (seconds * 1000 * 2) / 3,
    retryPeriodMs: (seconds * 1000 * 2) / 15,
  };
}

function setting(value: string, previous: readonly string[] = []): readonly string[] {
  const sets = [...previous, value];
  try {
    engineSettings(sets);
  } catch (error) {
    throw new InvalidArgumentError(`${error instanceof Error ? error.message : String(error)}.`);
  }
  return sets;
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('a number above 0 is needed.');
  return value;
}

function natural(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('a whole number is needed.');
  return value;
}

function vmCount(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 500)
    throw new InvalidArgumentError('a whole number from 1 to 500 is needed.');
  return value;
}

interface Address {
  readonly host: string;
  readonly port: number;
}

function address(text: string): Address | undefined {
  if (text === 'none') return undefined;
  const match = /^(.*):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) throw new InvalidArgumentError('write it as host:port, or none.');
  return { host: match[1] ?? '', port };
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`gantry: ${explained(error)}\n`);
  process.exitCode = exitCodes.failed;
}
// Not left to Node, which stays for as long as some connection is still being made.
await flushed(process.stdout);
await flushed(process.stderr);
process.exit();
