import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { count } from '../../cli/format.ts';
import type { TextOutput } from '../../cli/screen.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/log.ts';
import { DemoDiskStore } from '../demo/demo-disk-store.ts';
import { checkMachine, type Machine } from '../demo/machine.ts';
import { createAll, splitOffMigration } from '../demo/samples.ts';
import { generatedVms, sampleVms, spaceNeeded, type ScenarioVm } from '../demo/scenario.ts';
import { fillSources, samplesFor, startSmallWorld, type SmallWorld } from '../demo/small-world.ts';
import { TempFolder } from '../demo/temp-folder.ts';
import { createFileDiskStore } from '../disk-file.ts';
import { writeKubeconfig } from './kubeconfig-file.ts';

export interface ServeOptions {
  readonly machine: Machine;
  /** Where the kubeconfig is written. */
  readonly kubeconfig: string;
  /** VMs at the vCenter, but nothing in the cluster. */
  readonly empty: boolean;
  readonly vms?: number;
  readonly seed: number;
  readonly speed: number;
  readonly output: TextOutput;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Logger;
}

const memoryBytes = 256 * 1_048_576;

/** The world alone, for a controller in another process: serves until aborted, then takes everything away and resolves. Throws DemoError. */
export async function serveSandbox(options: ServeOptions, signal: AbortSignal): Promise<void> {
  const { clock, seed, speed, log, machine, env, output, empty } = options;
  const vms = options.vms === undefined ? sampleVms() : generatedVms(options.vms);
  checkMachine(machine, { tempBytes: spaceNeeded(vms), memoryBytes });
  const file = resolve(options.kubeconfig);
  using folder = new TempFolder(machine.tempFolder, 'gantry-sandbox-');
  const disks = new DemoDiskStore(createFileDiskStore(folder.file('disks')), clock);
  await using world = await startSmallWorld({ clock, seed, speed, disks, log, vms });
  const server = await world.sandbox.api.listen();
  await world.sandbox.vcenter.listen();
  using _kubeconfig = writeKubeconfig(file, server);
  const work = folder.file('ext4');
  mkdirSync(work);
  await fillSources(world, vms, { seed, ext4: { folder: work, path: env['PATH'] ?? '', log } }, signal);
  if (!empty) await applySamples(world, vms, options.vms === undefined, signal);
  output.write(`${introduction(world, server.url, file, vms, empty).join('\n')}\n`);
  await new Promise<void>((stop) => {
    if (signal.aborted) stop();
    else signal.addEventListener('abort', () => stop(), { once: true });
  });
}

/** All but the Migration: to start it is the user's part. */
async function applySamples(
  world: SmallWorld,
  vms: readonly ScenarioVm[],
  areSamples: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { before } = splitOffMigration(await samplesFor(world, vms, areSamples));
  await createAll(world.sandbox.client('sandbox'), before, signal);
}

function introduction(
  { sandbox, user, password }: SmallWorld,
  url: string,
  file: string,
  vms: readonly ScenarioVm[],
  empty: boolean,
): readonly string[] {
  const head = [
    `Gantry sandbox: a simulated vCenter with ${count(vms.length, 'VM')}, and a simulated cluster to move them to.`,
    '',
    `  vCenter      ${sandbox.vcenter.url}`,
    `  API server   ${url}`,
    `  kubeconfig   ${file}`,
    '',
  ];
  const controller = `npm run gantry -- controller --kubeconfig ${file} --bind none`;
  if (empty) {
    return [
      ...head,
      `The cluster is empty. The vCenter lets in ${user} with password ${password}; its certificate is`,
      `${sandbox.vcenter.thumbprint} (SHA-1).`,
      '',
      'A controller:   ' + controller,
      'Ctrl-C ends it and removes everything.',
    ];
  }
  return [
    ...head,
    'manifests/samples are applied, except for the Migration. In other terminals:',
    '',
    `  ${controller}`,
    '',
    `  export KUBECONFIG=${file}`,
    '  kubectl get plan -n gantry-demo',
    '  kubectl apply -f manifests/samples/08-migration.yaml',
    '  kubectl get vmimport -n gantry-demo -w',
    '',
    'Ctrl-C ends it and removes everything.',
  ];
}
