import { mkdirSync } from 'node:fs';
import { count, formatBytes, formatDuration } from '../../cli/format.ts';
import type { Line } from '../../cli/screen.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { KubeClient } from '../../kube/client.ts';
import { LinkedAbort } from '../../kube/linked-abort.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/log.ts';
import { setCutover } from './cutover.ts';
import { DemoError } from './demo-error.ts';
import type { ScannedImage } from './demo-disk-store.ts';
import type { DemoView } from './demo-view.ts';
import type { FaultChoice } from './fault-choice.ts';
import type { DemoFault, FaultReport } from './fault.ts';
import { untilEnded, untilReady } from './follow-run.ts';
import type { ImageFile } from './image-file.ts';
import { keepLines } from './keep-lines.ts';
import {
  checkNothingIsOwed,
  checkSource,
  checkTarget,
  movedVms,
  proveVm,
  type MovedVm,
  type ProofWorld,
} from './proof.ts';
import {
  closingLines,
  downtimeTable,
  proofLines,
  roundsTable,
  summaryTable,
  type VmReport,
} from './report.ts';
import type { RoundsSeen } from './rounds-seen.ts';
import { createAll } from './samples.ts';
import { guestBytesPerSecond, type ScenarioVm } from './scenario.ts';
import { fillSources, runsFor, serveApi, type SmallWorld } from './small-world.ts';
import type { TempFolder } from './temp-folder.ts';
import type { WatchedRun } from './watched-run.ts';

/** A demo that is under way: what it was asked for, and what it stands on. */
export interface Demo {
  readonly view: DemoView;
  readonly folder: TempFolder;
  readonly log: Logger;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly seed: number;
  readonly speed: number;
  readonly vms: readonly ScenarioVm[];
  readonly names: readonly string[];
  /** Of the user's, in place of disks that are made. */
  readonly scanned: ScannedImage | undefined;
  readonly keep: boolean;
  readonly fault?: FaultChoice;
}

/** Who follows a run while it goes on. */
export interface Following {
  readonly run: WatchedRun;
  readonly rounds: RoundsSeen;
  readonly fault: DemoFault | undefined;
}

const kubeconfigName = 'kubeconfig';
/** Of controller and sandbox, in the folder of the demo. */
export const logName = 'controller.log';

export function introduce(
  view: DemoView,
  vms: readonly ScenarioVm[],
  speed: number,
  image: ImageFile | undefined,
): void {
  const disks = vms.flatMap(({ vm }) => vm.disks);
  const bytes = formatBytes(disks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  const what = `${count(vms.length, 'VM')} with ${count(disks.length, 'disk')}, ${bytes}`;
  const whose = image === undefined ? '' : `: your ${image.path}, which is only read`;
  const waits =
    speed === 1 ? 'waits are as long as in life' : `waits are ${speed} times shorter than in life`;
  view.say(
    {
      text: `Gantry demo: from a simulated vCenter into a simulated cluster, ${what}${whose}.`,
      tone: 'strong',
    },
    { text: `All in this process, with real bytes on the disks; ${waits}.` },
    ...guestLines(vms),
    { text: '' },
  );
}

function guestLines(vms: readonly ScenarioVm[]): readonly Line[] {
  const warm = warmNames(vms);
  if (warm.length === 0) return [];
  const rate = `${guestBytesPerSecond / 1e6} MB/s`;
  const who =
    warm.length === 1
      ? `${warm.join()} moves warm: its guest writes`
      : `${warm.join(' and ')} move warm: their guests write`;
  return [{ text: `${who} ${rate} for as long as ${warm.length === 1 ? 'it runs' : 'they run'}.` }];
}

/** What is in the user's image: without this, holes would be copied too. */
export async function scanImage(
  view: DemoView,
  image: ImageFile | undefined,
  signal: AbortSignal,
): Promise<ScannedImage | undefined> {
  if (image === undefined) return undefined;
  view.doing(`Reading ${image.path} ...`);
  return { image, extents: await image.scan(signal) };
}

export async function writeDisks(demo: Demo, world: SmallWorld, signal: AbortSignal): Promise<void> {
  const { clock, view, folder, env, seed, log, vms, scanned } = demo;
  if (scanned !== undefined) return;
  const startedAt = clock.monotonicMs();
  view.doing('Writing the disks of the source VMs ...');
  const work = folder.file('ext4');
  mkdirSync(work);
  const ext4 = { folder: work, path: env['PATH'] ?? '', log };
  await fillSources(world, vms, { seed, ext4 }, signal);
  const data = world.sources
    .flatMap(({ disks }) => disks.flatMap(({ disk }) => disk.extents()))
    .reduce((sum, { length }) => sum + length, 0);
  view.say(done(`${formatBytes(data)} of data written on the source disks`, clock, startedAt));
}

/** The API over TLS, for a real kubectl, from the start: so that one can watch. */
export async function announce({ view, folder }: Demo, { sandbox }: SmallWorld): Promise<void> {
  const { file } = await serveApi(sandbox, folder.file(kubeconfigName));
  view.say({ text: `✓ Serving the API; in another terminal: export KUBECONFIG=${file}`, tone: 'good' });
}

/** As a user would: the manifests, then wait for Ready, then the Migrations, and the cutover of those that are warm. */
export async function migrate(
  demo: Demo,
  world: SmallWorld,
  following: Following,
  client: KubeClient,
  signal: AbortSignal,
): Promise<FaultReport | undefined> {
  const { clock, view, names, vms, speed } = demo;
  const { run, fault } = following;
  const startedAt = clock.monotonicMs();
  const { before, cold, warm } = await runsFor(world, vms);
  const runs = [warm, cold].filter((planned) => planned !== undefined);
  const plans = runs.map(({ plan }) => placeOf(plan));
  view.doing('Applying manifests/samples ...');
  await createAll(client, before, signal);
  for (const plan of plans) await untilReady({ run, clock, view }, plan, signal);
  const shown = plans.map(({ namespace, name }) => `${namespace}/${name}`).join(' and ');
  const are = plans.length === 1 ? 'Plan' : 'Plans';
  view.say(
    done(
      `manifests/samples applied, ${are} ${shown} ${plans.length === 1 ? 'is' : 'are'} Ready`,
      clock,
      startedAt,
    ),
    { text: '' },
  );
  await createAll(
    client,
    runs.map(({ migration }) => migration),
    signal,
  );
  using beside = new LinkedAbort(signal);
  const struck = fault?.run(beside.signal);
  struck?.catch((error: unknown) => beside.abort(error));
  const cutover =
    warm &&
    setCutover(
      { ...following, client, clock, view },
      placeOf(warm.migration.object),
      warmNames(vms),
      beside.signal,
    );
  cutover?.catch((error: unknown) => beside.abort(error));
  try {
    await untilEnded({ run, clock, view }, { names, plans, speed }, beside.signal);
    if (fault?.hasStruck === false) throw notStruck(demo, clock.monotonicMs() - startedAt);
    return await struck;
  } finally {
    beside.abort(new Error('the run is over'));
    await Promise.allSettled([struck, cutover]);
  }
}

function notStruck({ fault }: Demo, ranMs: number): DemoError {
  const when = typeof fault?.when === 'number' ? `${fault.when} s` : (fault?.when ?? '');
  return new DemoError(
    'FaultNotStruck',
    `All was moved within ${formatDuration(ranMs)}, and ${fault?.name ?? 'the fault'} did not strike: nothing came to "${when}". Choose another time.`,
  );
}

function placeOf({ metadata }: KubeObject): { readonly namespace: string; readonly name: string } {
  return { namespace: metadata.namespace ?? '', name: metadata.name };
}

function warmNames(vms: readonly ScenarioVm[]): readonly string[] {
  return vms.flatMap(({ vm, strategy }) => (strategy === 'warm' ? [vm.name] : []));
}

export async function prove(
  demo: Demo,
  world: SmallWorld,
  proof: ProofWorld,
  signal: AbortSignal,
): Promise<readonly VmReport[]> {
  const { vms, view } = demo;
  const moved = movedVms(
    proof.run,
    vms.map(({ vm }, index) => {
      const source = world.sources[index];
      if (source === undefined) throw new RangeError(`VM ${vm.name} has no source`);
      return { name: vm.name, wasOn: vm.power === 'on', source };
    }),
  );
  for (const vm of moved) {
    await checkTarget(proof, vm, signal);
    checkSource(proof, vm);
  }
  await checkNothingIsOwed(proof, moved, signal);
  view.leave();
  return compareAll(moved, demo, proof, signal);
}

async function compareAll(
  moved: readonly MovedVm[],
  { view }: Demo,
  proof: ProofWorld,
  signal: AbortSignal,
): Promise<readonly VmReport[]> {
  const reports: VmReport[] = [];
  const what = 'Comparing every target disk with its source, byte for byte';
  for (const [index, vm] of moved.entries()) {
    view.doing(`${what}: ${vm.name}, ${index + 1} of ${moved.length} ...`, index > 0);
    reports.push(await proveVm(proof, vm, signal));
  }
  return reports;
}

export function conclude(
  demo: Demo,
  end: {
    readonly reports: readonly VmReport[];
    readonly elapsedMs: number;
    readonly fault: FaultReport | undefined;
    /** Written by the guests of the warm VMs. */
    readonly guestBytes: number;
  },
): void {
  const { reports, elapsedMs, fault, guestBytes } = end;
  const { view, vms, keep, folder } = demo;
  const wereOn = vms.filter(({ vm }) => vm.power === 'on').length;
  const tables = [summaryTable, roundsTable, downtimeTable].map((table) => table(reports, view.width));
  view.say(
    ...tables.flatMap(shownTable),
    { text: '' },
    ...proofLines(reports, wereOn, guestBytes).map((text): Line => ({ text: `✓ ${text}`, tone: 'good' })),
    ...faultLines(fault),
    { text: `Done in ${formatDuration(elapsedMs)}.` },
    { text: '' },
    ...(keep ? keepLines(folder.file(kubeconfigName), folder.file(logName)) : closingLines).map((text) => ({
      text,
    })),
  );
}

function shownTable([titles, ...rows]: readonly string[]): readonly Line[] {
  if (titles === undefined) return [];
  return [{ text: '' }, { text: titles, tone: 'strong' }, ...rows.map((text) => ({ text }))];
}

function faultLines(fault: FaultReport | undefined): readonly Line[] {
  if (fault === undefined) return [];
  const { name, afterMs, happened, cured } = fault;
  const text = `✓ Fault ${name}, ${formatDuration(afterMs)} after the start. ${happened} Cured: ${cured}`;
  return [{ text, tone: 'good' }];
}

function done(text: string, clock: Clock, startedAt: number): Line {
  return { text: `✓ ${text} (${formatDuration(clock.monotonicMs() - startedAt)})`, tone: 'good' };
}
