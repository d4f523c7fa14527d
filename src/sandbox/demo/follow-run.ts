import { findCondition, isTrue, isBlocker } from '../../api/conditions.ts';
import type { Plan } from '../../api/plan.ts';
import type { VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import { isEnded, progressOf, type VmProgress } from '../../cli/import-progress.ts';
import { formatDuration } from '../../cli/format.ts';
import type { Clock } from '../../runtime/clock.ts';
import { DemoError } from './demo-error.ts';
import type { DemoView } from './demo-view.ts';
import type { WatchedRun } from './watched-run.ts';

const planReadyMs = 30_000;
/** A run in which nothing at all changes for so long will not end by itself; before it is divided by the speed. */
const stalledMs = 240_000;
/** The picture changes no faster than this, and not slower than the next one. */
const fastestMs = 100;
const slowestMs = 1000;

interface Following {
  readonly run: WatchedRun;
  readonly clock: Clock;
  readonly view: DemoView;
}

/** Throws DemoError `PlanNotReady` with what the Plan says of itself. */
export async function untilReady(
  { run, clock }: Following,
  at: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<Plan> {
  const since = clock.monotonicMs();
  for (;;) {
    const plan = run.plan(at);
    if (plan !== undefined && isTrue(plan.status?.conditions, 'Ready')) return plan;
    if (clock.monotonicMs() - since > planReadyMs) {
      const said = (plan?.status?.conditions ?? []).filter(isBlocker);
      const why = said.map(({ type, message }) => message ?? type).join(' ');
      throw new DemoError(
        'PlanNotReady',
        `Plan ${at.namespace}/${at.name} was not Ready within ${formatDuration(planReadyMs)}. ${why}`.trimEnd(),
      );
    }
    await run.nextChange(slowestMs, signal);
  }
}

/** Shows the run until all imports have ended and owe nothing. Throws DemoError `Stalled` when nothing moves any more. */
export async function untilEnded(
  { run, clock, view }: Following,
  options: {
    readonly names: readonly string[];
    readonly plans: readonly { readonly namespace: string; readonly name: string }[];
    readonly speed: number;
  },
  signal: AbortSignal,
): Promise<void> {
  const since = clock.monotonicMs();
  const limitMs = Math.max(60_000, stalledMs / options.speed);
  for (;;) {
    const imports = new Map(run.imports.list().map((object) => [object.spec.vm.name, object]));
    const vms = options.names.map((name) => progressOf(name, imports.get(name)));
    view.progress(vms, { now: clock.now(), elapsedMs: clock.monotonicMs() - since });
    const all = options.names.map((name) => imports.get(name));
    const haveEnded = all.every((object) => object !== undefined && isEnded(object));
    if (haveEnded && options.plans.every((plan) => isOver(run.plan(plan)))) return;
    if (run.quietMs > limitMs) throw stalled(vms, all, limitMs);
    await clock.sleep(fastestMs, signal);
    await run.nextChange(slowestMs - fastestMs, signal);
  }
}

function isOver(plan: Plan | undefined): boolean {
  return ['Succeeded', 'Failed', 'Canceled'].some(
    (type) => findCondition(plan?.status?.conditions, type)?.status === 'True',
  );
}

function stalled(
  vms: readonly VmProgress[],
  all: readonly (VirtualMachineImport | undefined)[],
  limitMs: number,
): DemoError {
  const index = all.findIndex((object) => object === undefined || !isEnded(object));
  const vm = vms[index];
  const where =
    vm === undefined
      ? 'The Plan does not say that it has ended.'
      : `${vm.name} is in ${vm.phase}${vm.waitsFor === '' ? '' : ` and waits for ${vm.waitsFor}`}.`;
  return new DemoError('Stalled', `Nothing has changed for ${formatDuration(limitMs)}. ${where}`);
}
