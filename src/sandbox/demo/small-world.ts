import { writeFileSync } from 'node:fs';
import { plans } from '../../api/kinds.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/log.ts';
import { kubeconfig } from '../api/kubeconfig.ts';
import type { DiskStore } from '../disk-store.ts';
import { seededRandom } from '../random.ts';
import { freeAreas, WritingGuest } from '../guest.ts';
import { Sandbox } from '../sandbox.ts';
import type { VmHandle } from '../vcenter/vm-handle.ts';
import { fillDisk, type FillOptions } from './disk-content.ts';
import {
  fillIn,
  readSamples,
  splitOffMigration,
  warmSamplesFolder,
  type PlannedRun,
  type Sample,
  type SampleValues,
} from './samples.ts';
import { copyRate, guestAreaBytes, guestBytesPerSecond, type ScenarioVm } from './scenario.ts';

/** What demo and sandbox command have in common: a world with the VMs of a scenario, and the manifests that fit it. */
export interface SmallWorldOptions {
  readonly clock: Clock;
  readonly seed: number;
  /** Divides the latencies of the simulated platforms. */
  readonly speed: number;
  readonly disks: DiskStore;
  readonly log: Logger;
  readonly vms: readonly ScenarioVm[];
  /** Bytes of data on a disk that is the user's image. */
  readonly imageBytes?: number;
  /** Milliseconds that a snapshot takes to be merged, before `speed`. */
  readonly consolidateMs?: number;
}

export interface SmallWorld extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly sources: readonly VmHandle[];
  readonly user: string;
  readonly password: string;
}

const user = 'administrator@vsphere.local';
/** Time between two looks of CDI at an importer's progress, which no speed makes shorter: a rate is measured over it. */
const progressMs = 1000;

export async function startSmallWorld(options: SmallWorldOptions): Promise<SmallWorld> {
  const { clock, seed, speed, disks, log, vms, imageBytes } = options;
  const random = seededRandom(seed);
  const password = Array.from({ length: 20 }, () => Math.floor(random() * 36).toString(36)).join('');
  const sandbox = new Sandbox({
    clock,
    seed,
    disks,
    log,
    speed,
    cdi: { copyBytesPerSecond: copyRate(vms, imageBytes), progressMs: progressMs * speed },
    vcenter: {
      credentials: { user, password },
      ...(options.consolidateMs !== undefined && { latencies: { consolidateMs: options.consolidateMs } }),
    },
  });
  try {
    await sandbox.ready;
    const sources = vms.map(({ vm }) => sandbox.vcenter.addVm(vm));
    return { sandbox, sources, user, password, [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose]() };
  } catch (error) {
    await sandbox[Symbol.asyncDispose]();
    throw error;
  }
}

/** Puts the content onto the disks. */
export async function fillSources(
  { sources }: SmallWorld,
  vms: readonly ScenarioVm[],
  options: Omit<FillOptions, 'label'>,
  signal: AbortSignal,
): Promise<void> {
  for (const [index, { vm, contents }] of vms.entries()) {
    for (const [position, content] of contents.entries()) {
      const disk = sources[index]?.disks[position]?.disk;
      if (content === undefined || disk === undefined) continue;
      const label = position === 0 ? vm.name : `${vm.name} ${position + 1}`;
      await fillDisk(disk, content, { ...options, label }, signal);
    }
  }
}

/** Guests that write. Disposing of them makes them silent. */
export interface Guests extends Disposable {
  /** Bytes so far, of all of them. */
  readonly written: number;
}

/** The guests of the warm VMs, which write from now on: beside what is on their disks, so that this stays what it is. */
export function startGuests(
  { sandbox: { clock }, sources }: SmallWorld,
  vms: readonly ScenarioVm[],
  seed: number,
): Guests {
  const guests = vms.flatMap(({ strategy }, index) => {
    const vm = sources[index];
    if (strategy !== 'warm' || vm === undefined) return [];
    const areas = vm.disks.map(({ disk }) => freeAreas(disk, guestAreaBytes));
    return [new WritingGuest({ vm, clock, seed: seed + index, bytesPerSecond: guestBytesPerSecond, areas })];
  });
  return {
    get written() {
      return guests.reduce((sum, guest) => sum + guest.written, 0);
    },
    [Symbol.dispose]: () => guests.forEach((guest) => guest[Symbol.dispose]()),
  };
}

/** The manifests with the values of this world. `areSamples`: the VMs are those that the manifests name. */
export async function samplesFor(
  world: SmallWorld,
  vms: readonly ScenarioVm[],
  areSamples: boolean,
): Promise<readonly Sample[]> {
  return fillIn(await readSamples(), valuesOf(world, areSamples ? undefined : namesOf(vms)));
}

/** A plan for each way that VMs of the scenario move, and what must be there before. */
export async function runsFor(
  world: SmallWorld,
  vms: readonly ScenarioVm[],
): Promise<{
  readonly before: readonly Sample[];
  readonly cold: PlannedRun | undefined;
  readonly warm: PlannedRun | undefined;
}> {
  const namesBy = (strategy: ScenarioVm['strategy']) =>
    namesOf(vms.filter((each) => each.strategy === strategy));
  const [coldNames, warmNames] = [namesBy('cold'), namesBy('warm')];
  const all = fillIn(await readSamples(), valuesOf(world, coldNames));
  const cold = splitOffMigration(all);
  const warm = splitOffMigration(fillIn(await readSamples(warmSamplesFolder), valuesOf(world, warmNames)));
  return {
    before: [
      ...cold.before.filter(({ kind }) => kind !== plans || coldNames.length > 0),
      ...(warmNames.length > 0 ? warm.before : []),
    ],
    cold: coldNames.length > 0 ? cold : undefined,
    warm: warmNames.length > 0 ? warm : undefined,
  };
}

function valuesOf(
  { sandbox, user: name, password }: SmallWorld,
  vmNames: readonly string[] | undefined,
): SampleValues {
  const { url, caPem } = sandbox.vcenter;
  return { url, user: name, password, caPem, vmNames };
}

function namesOf(vms: readonly ScenarioVm[]): readonly string[] {
  return vms.map(({ vm }) => vm.name);
}

/** Serves the API over TLS on 127.0.0.1 and writes a kubeconfig that only the user can read; throws EEXIST where there is a file. */
export async function serveApi(
  { api }: Sandbox,
  file: string,
): Promise<{ readonly url: string; readonly file: string }> {
  const server = await api.listen();
  writeFileSync(file, kubeconfig(server), { mode: 0o600, flag: 'wx' });
  return { url: server.url, file };
}
