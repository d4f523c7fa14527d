import { createWriteStream } from 'node:fs';
import type { TextOutput } from '../../cli/screen.ts';
import type { Clock } from '../../runtime/clock.ts';
import { createLogger } from '../../runtime/winston.ts';
import { createFileDiskStore } from '../disk-file.ts';
import { announce, conclude, introduce, migrate, prove, scanImage, writeDisks, type Demo } from './acts.ts';
import { startController } from './controller.ts';
import { DemoDiskStore } from './demo-disk-store.ts';
import { DemoError, describeError } from './demo-error.ts';
import { demoView, silentView } from './demo-view.ts';
import { openImage, type ImageFile } from './image-file.ts';
import { checkMachine, type Machine } from './machine.ts';
import type { ProofWorld } from './proof.ts';
import { ReconcileTimes } from './reconcile-times.ts';
import type { DemoDocument, VmReport } from './report.ts';
import { generatedVms, imageVm, sampleVms, spaceNeeded, type ScenarioVm } from './scenario.ts';
import { startSmallWorld } from './small-world.ts';
import { TempFolder } from './temp-folder.ts';
import { WatchedRun } from './watched-run.ts';

export interface DemoOptions {
  readonly machine: Machine;
  /** A raw image of the user's, moved in place of the samples. */
  readonly disk?: string;
  /** So many generated VMs in place of the samples. */
  readonly vms?: number;
  readonly seed: number;
  /** Divides the latencies of the simulated platforms. */
  readonly speed: number;
  readonly json: boolean;
  readonly keep: boolean;
  readonly output: TextOutput;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly version: string;
  /** Called when all has been moved, before it is proved: a test spoils something here. */
  readonly onMoved?: (world: ProofWorld) => void;
}

const logName = 'controller.log';
/** Node, the world, the controller; what a VM costs comes on top. */
const baseMemoryBytes = 256 * 1_048_576;
const memoryBytesPerVm = 1_048_576;

/** Moves VMs, shows it, proves it. Resolves to the exit code: 0 proved, 1 not, 130 interrupted. What it printed says which and why. */
export async function runDemo(options: DemoOptions, signal: AbortSignal): Promise<number> {
  try {
    const vms = await moveAndProve(options, signal);
    if (options.json && !options.keep) printDocument(options, { ok: true, vms });
    return 0;
  } catch (error) {
    const isInterrupted = signal.aborted;
    const { code, message } = isInterrupted
      ? { code: 'Interrupted', message: 'The demo was interrupted; nothing of it is left.' }
      : describeError(error);
    if (options.json) printDocument(options, { ok: false, error: { code, message } });
    else options.output.write(isInterrupted ? `\n${message}\n` : `\nThe demo failed: ${code}: ${message}\n`);
    return isInterrupted ? 130 : 1;
  }
}

function printDocument({ output }: DemoOptions, document: DemoDocument): void {
  output.write(`${JSON.stringify(document)}\n`);
}

async function moveAndProve(options: DemoOptions, signal: AbortSignal): Promise<readonly VmReport[]> {
  using image = options.disk === undefined ? undefined : openImage(options.disk);
  const vms = scenarioOf(options, image);
  checkMachine(options.machine, {
    tempBytes: spaceNeeded(vms, image?.sizeBytes),
    memoryBytes: baseMemoryBytes + vms.length * memoryBytesPerVm,
  });
  const names = vms.map(({ vm }) => vm.name);
  const view = options.json ? silentView : demoView(options.output, options.env, names);
  using folder = new TempFolder(options.machine.tempFolder, 'gantry-demo-');
  const stream = createWriteStream(folder.file(logName), { mode: 0o600 });
  try {
    const log = createLogger({ level: 'info', format: 'line', clock: options.clock, output: stream });
    const areSamples = options.vms === undefined && image === undefined;
    return await inFolder({ ...options, view, folder, vms, names, areSamples, log, image }, options, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    folder.keep(logName);
    const { code, message } = describeError(error);
    throw new DemoError(code, `${message} The controller's log: ${folder.file(logName)}`, { cause: error });
  } finally {
    view.close();
    await new Promise((resolve) => stream.end(resolve));
  }
}

function scenarioOf({ vms }: DemoOptions, image: ImageFile | undefined): readonly ScenarioVm[] {
  if (image !== undefined) {
    const magic = Buffer.from(image.read(512, 8)).toString('latin1');
    return imageVm({ sizeBytes: image.sizeBytes, hasGpt: magic === 'EFI PART' });
  }
  return vms === undefined ? sampleVms() : generatedVms(vms);
}

async function inFolder(demo: Demo, options: DemoOptions, signal: AbortSignal): Promise<readonly VmReport[]> {
  const { clock, folder, log, seed, speed, vms } = demo;
  const startedAt = clock.monotonicMs();
  introduce(demo);
  const scanned = await scanImage(demo, signal);
  const disks = new DemoDiskStore(createFileDiskStore(folder.file('disks')), clock, scanned);
  const imageBytes = scanned?.extents.reduce((sum, { length }) => sum + length, 0);
  await using world = await startSmallWorld({
    clock,
    seed,
    speed,
    disks,
    log: log.child({ part: 'sandbox' }),
    vms,
    ...(imageBytes !== undefined && { imageBytes }),
  });
  const { sandbox } = world;
  await writeDisks(demo, world, signal);

  const client = sandbox.client('demo');
  const times = new ReconcileTimes(clock);
  const { version } = options;
  await using controller = startController(sandbox, { clock, seed, log, metrics: times, version });
  const endedByItself = controller.ended.then(() => {
    throw new DemoError('ControllerEnded', 'The controller ended by itself.');
  });
  endedByItself.catch(() => undefined);
  await using run = new WatchedRun({ client, clock, random: sandbox.random, log });
  if (demo.keep) await announce(demo, world);
  const proof = { sandbox, client, disks, run, times };
  await Promise.race([migrate(demo, world, run, client, signal), endedByItself]);
  options.onMoved?.(proof);
  const reports = await prove(demo, world, proof, signal);
  conclude(demo, reports, clock.monotonicMs() - startedAt);
  if (!demo.keep) return reports;
  if (options.json) printDocument(options, { ok: true, vms: reports });
  // From here on an interruption is the normal end.
  await Promise.race([aborted(signal), endedByItself]);
  return reports;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
