import { migrations } from '../../api/kinds.ts';
import { isEnded } from '../../cli/import-progress.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isKubeError } from '../../kube/errors.ts';
import { rfc3339, type Clock } from '../../runtime/clock.ts';
import type { DemoView } from './demo-view.ts';
import type { RoundsSeen } from './rounds-seen.ts';
import type { WatchedRun } from './watched-run.ts';

/** Of each VM, before its cutover: one of all, and two of what has changed since. */
export const roundsBefore = 3;
const lookMs = 1000;
const againMs = 250;

/**
 * Sets the cutover of a Migration as a user does, by patching it, once all its VMs have had their rounds. Resolves when that is done, or
 * when there is nobody left to wait for.
 */
export async function setCutover(
  {
    run,
    rounds,
    client,
    clock,
    view,
  }: {
    readonly run: WatchedRun;
    readonly rounds: RoundsSeen;
    readonly client: KubeClient;
    readonly clock: Clock;
    readonly view: DemoView;
  },
  migration: { readonly namespace: string; readonly name: string },
  vmNames: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const hasEnded = (vm: string): boolean =>
    run.imports.list().some((object) => object.spec.vm.name === vm && isEnded(object));
  while (!vmNames.every((vm) => rounds.of(vm).length >= roundsBefore || hasEnded(vm)))
    await run.nextChange(lookMs, signal);
  if (vmNames.every(hasEnded)) return;
  const patch = { spec: { cutover: rfc3339(clock.now()) } };
  for (;;) {
    try {
      await client.mergePatch(migrations, migration, patch, {}, signal);
      break;
    } catch (error) {
      // The API server is away for a while: kubectl would say so, and a user try again.
      if (!isKubeError(error, 'Unreachable')) throw error;
      await clock.sleep(againMs, signal);
    }
  }
  const { namespace, name } = migration;
  view.say(
    {
      text: `✓ Cutover asked for as a user does it, after ${roundsBefore} rounds of each warm VM:`,
      tone: 'good',
    },
    { text: `  kubectl patch migration ${name} -n ${namespace} --type merge -p '${JSON.stringify(patch)}'` },
  );
}
