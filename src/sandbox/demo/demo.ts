import { createWriteStream } from 'node:fs';
import type { TextOutput } from '../../cli/screen.ts';
import type { Clock } from '../../runtime/clock.ts';
import { createLogger } from '../../runtime/winston.ts';
import { createFileDiskStore } from '../disk-file.ts';
import {
  announce,
  conclude,
  introduce,
  logName,
  migrate,
  prove,
  scanImage,
  writeDisks,
  type Demo,
} from './acts.ts';
import { DemoController, demoSettings } from './controller.ts';
import { DemoDiskStore, type ScannedImage } from './demo-disk-store.ts';
import { DemoError, describeError } from './demo-error.ts';
import { ImportTimes } from './downtime.ts';
import { DemoFault, type FaultReport } from './fault.ts';
import type { FaultChoice } from './fault-choice.ts';
import { demoView, silentView, type DemoView } from './demo-view.ts';
import { openImage, type ImageFile } from './image-file.ts';
import { checkMachine, type Machine } from './machine.ts';
import type { ProofWorld } from './proof.ts';
import type { DemoDocument, VmReport } from './report.ts';
import { RoundsSeen } from './rounds-seen.ts';
import { generatedVms, imageVm, sampleVms, spaceNeeded, type ScenarioVm } from './scenario.ts';
import { startGuests, startSmallWorld } from './small-world.ts';
import { TempFolder } from './temp-folder.ts';
import { WatchedRun } from './watched-run.ts';

export interface DemoOptions {
  readonly machine: Machine;
  /** A raw image of the user's, moved in place of the samples. */
  readonly disk?: string;
  /** So many generated VMs in place of the samples. */
  readonly generated?: number;
  /** Happens while they are moved. */
  readonly fault?: FaultChoice;
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

/** Milliseconds for one merge before the speed, where the fault then makes it a hundred times as long: nobody is to wait for minutes. */
const quickConsolidateMs = 600;

/** Node, the world, the controller; what a VM costs comes on top. */
const baseMemoryBytes = 256 * 1_048_576;
const memoryBytesPerVm = 1_048_576;

/** Moves VMs, shows it, proves it. Resolves to the exit code: 0 proved, 1 not, 130 interrupted. What it printed says which and why. */
export async function runDemo(options: DemoOptions, signal: AbortSignal): Promise<number> {
  try {
    const moved = await moveAndProve(options, signal);
    if (options.json && !options.keep) printDocument(options, { ok: true, ...moved });
    return 0;
  } catch (error) {
    const isInterrupted = signal.aborted;
    const { code, message } = isInterrupted
      ? { code: 'Interrupted', message: 'The demo was interrupted; nothing of it is left.' }
      : describeError(error);
    if (options.json) printDocument(options, { ok: false, error: { code, message } });
    else options.output.write(isInterrupted ? `\n${message}\n` : `The demo failed: ${code}: ${message}\n`);
    return isInterrupted ? 130 : 1;
  }
}

interface Moved {
  readonly vms: readonly VmReport[];
  readonly fault?: FaultReport;
}

function printDocument({ output }: DemoOptions, document: DemoDocument): void {
  output.write(`${JSON.stringify(document)}\n`);
}

async function moveAndProve(options: DemoOptions, signal: AbortSignal): Promise<Moved> {
  using image = options.disk === undefined ? undefined : openImage(options.disk);
  const vms = scenarioOf(options, image);
  checkRoom(options, vms, 0);
  const names = vms.map(({ vm }) => vm.name);
  const view = options.json ? silentView : demoView(options.output, options.env, names);
  try {
    introduce(view, vms, options.speed, image);
    const scanned = await scanImage(view, image, signal);
    const imageBytes = scanned?.extents.reduce((sum, { length }) => sum + length, 0);
    if (imageBytes !== undefined) checkRoom(options, vms, imageBytes);
    return await withFolder({ ...options, view, vms, names, scanned, imageBytes }, signal);
  } finally {
    view.close();
  }
}

function checkRoom({ machine }: DemoOptions, vms: readonly ScenarioVm[], imageBytes: number): void {
  checkMachine(machine, {
    tempBytes: spaceNeeded(vms, imageBytes),
    memoryBytes: baseMemoryBytes + vms.length * memoryBytesPerVm,
  });
}

/** What a demo knows before anything is made for it. */
interface Prepared extends DemoOptions {
  readonly view: DemoView;
  readonly vms: readonly ScenarioVm[];
  readonly names: readonly string[];
  readonly scanned: ScannedImage | undefined;
  /** Bytes of data in the user's image. */
  readonly imageBytes: number | undefined;
}

/** From here on there is a controller, and its log helps to understand a failure. */
async function withFolder(prepared: Prepared, signal: AbortSignal): Promise<Moved> {
  const { machine, clock } = prepared;
  using folder = new TempFolder(machine.tempFolder, 'gantry-demo-');
  const stream = createWriteStream(folder.file(logName), { mode: 0o600 });
  try {
    const log = createLogger({ level: 'info', format: 'line', clock, output: stream });
    return await inFolder({ ...prepared, folder, log }, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    folder.keep(logName);
    const { code, message } = describeError(error);
    throw new DemoError(code, `${message} The controller's log: ${folder.file(logName)}`, { cause: error });
  } finally {
    await new Promise((resolve) => stream.end(resolve));
  }
}

function scenarioOf({ generated }: DemoOptions, image: ImageFile | undefined): readonly ScenarioVm[] {
  if (image !== undefined) {
    const magic = Buffer.from(image.read(512, 8)).toString('latin1');
    return imageVm({ sizeBytes: image.sizeBytes, hasGpt: magic === 'EFI PART' });
  }
  return generated === undefined ? sampleVms() : generatedVms(generated);
}

async function inFolder(demo: Demo & Prepared, signal: AbortSignal): Promise<Moved> {
  const { clock, folder, log, seed, speed, vms, imageBytes, version } = demo;
  const startedAt = clock.monotonicMs();
  const disks = new DemoDiskStore(createFileDiskStore(folder.file('disks')), clock, demo.scanned);
  await using world = await startSmallWorld({
    clock,
    seed,
    speed,
    disks,
    log: log.child({ part: 'sandbox' }),
    vms,
    ...(imageBytes !== undefined && { imageBytes }),
    ...(demo.fault?.name === 'slow-consolidation' && { consolidateMs: quickConsolidateMs }),
  });
  const { sandbox } = world;
  await writeDisks(demo, world, signal);
  using guests = startGuests(world, vms, seed);

  const client = sandbox.client('demo');
  const times = new ImportTimes(clock);
  const settings = demoSettings(speed);
  await using controller = new DemoController({ sandbox, clock, seed, log, settings, times, version });
  const endedByItself = controller.ended.catch((error: unknown) => {
    throw new DemoError('ControllerEnded', 'The controller ended by itself.', { cause: error });
  });
  endedByItself.catch(() => undefined);
  await using run = new WatchedRun({ client, clock, random: sandbox.random, log });
  using rounds = new RoundsSeen(run, disks, clock);
  if (demo.keep) await announce(demo, world);
  const { view } = demo;
  const fault = demo.fault && new DemoFault({ sandbox, run, clock, view, controller, speed }, demo.fault);
  const report = await Promise.race([
    migrate(demo, world, { run, rounds, fault }, client, signal),
    endedByItself,
  ]);
  const proof = { sandbox, client, disks, run, times, rounds };
  demo.onMoved?.(proof);
  const reports = await prove(demo, world, proof, signal);
  const elapsedMs = clock.monotonicMs() - startedAt;
  conclude(demo, { reports, elapsedMs, fault: report, guestBytes: guests.written });
  const moved = { vms: reports, ...(report !== undefined && { fault: report }) };
  if (!demo.keep) return moved;
  if (demo.json) printDocument(demo, { ok: true, ...moved });
  // From here on an interruption is the normal end.
  await Promise.race([aborted(signal), endedByItself]);
  return moved;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
