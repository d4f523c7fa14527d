import { mkdirSync } from 'node:fs';
import { count, formatBytes, formatDuration } from '../../cli/format.ts';
import type { Line } from '../../cli/screen.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/log.ts';
import type { ScannedImage } from './demo-disk-store.ts';
import type { DemoView } from './demo-view.ts';
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
import { closingLines, proofLines, summaryTable, type VmReport } from './report.ts';
import { createAll, splitOffMigration } from './samples.ts';
import type { ScenarioVm } from './scenario.ts';
import { fillSources, samplesFor, serveApi, type SmallWorld } from './small-world.ts';
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
  /** The VMs are those that manifests/samples name. */
  readonly areSamples: boolean;
  /** Of the user's, in place of disks that are made. */
  readonly scanned: ScannedImage | undefined;
  readonly keep: boolean;
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
    { text: '' },
  );
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

/** As a user would: the manifests, then wait for Ready, then the Migration. */
export async function migrate(
  demo: Demo,
  world: SmallWorld,
  run: WatchedRun,
  client: KubeClient,
  signal: AbortSignal,
): Promise<void> {
  const { clock, view, speed, names } = demo;
  const startedAt = clock.monotonicMs();
  const samples = await samplesFor(world, demo.vms, demo.areSamples);
  const { before, migration, plan: planned } = splitOffMigration(samples);
  const { namespace = '', name } = planned.metadata;
  const plan = { namespace, name };
  view.doing('Applying manifests/samples ...');
  await createAll(client, before, signal);
  const following = { run, clock, view };
  await untilReady(following, plan, signal);
  view.say(done(`manifests/samples applied, Plan ${namespace}/${name} is Ready`, clock, startedAt), {
    text: '',
  });
  await createAll(client, [migration], signal);
  await untilEnded(following, { names, plan, speed }, signal);
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

export function conclude(demo: Demo, reports: readonly VmReport[], elapsedMs: number): void {
  const { view, vms, keep, folder } = demo;
  const wereOn = vms.filter(({ vm }) => vm.power === 'on').length;
  const [titles = '', ...rows] = summaryTable(reports, view.width);
  view.say(
    { text: '' },
    { text: titles, tone: 'strong' },
    ...rows.map((text) => ({ text })),
    { text: '' },
    ...proofLines(reports, wereOn).map((text): Line => ({ text: `✓ ${text}`, tone: 'good' })),
    { text: `Done in ${formatDuration(elapsedMs)}.` },
    { text: '' },
    ...(keep ? keepLines(folder.file(kubeconfigName), folder.file(logName)) : closingLines).map((text) => ({
      text,
    })),
  );
}

function done(text: string, clock: Clock, startedAt: number): Line {
  return { text: `✓ ${text} (${formatDuration(clock.monotonicMs() - startedAt)})`, tone: 'good' };
}
