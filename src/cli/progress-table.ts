import { count, formatBytes, formatElapsed, formatPercent, formatRate } from './format.ts';
import type { VmProgress } from './import-progress.ts';
import type { Line, Tone } from './screen.ts';
import { renderTable, type Column } from './table.ts';

export interface ProgressView {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Cells. */
  readonly width: number;
  /** Lines that the table may take, its titles included; at least 3. */
  readonly height: number;
}

const columns: readonly Column[] = [
  { title: 'NAME', least: 12 },
  { title: 'PHASE', steady: 20 },
  { title: 'ROUND', align: 'right', steady: 5 },
  { title: 'STEP', steady: 22, least: 12 },
  { title: 'WAITS FOR', steady: 34, least: 20 },
  { title: 'DONE', align: 'right', steady: 4 },
  { title: 'BYTES', align: 'right', steady: 18 },
  { title: 'RATE', align: 'right', steady: 10 },
  { title: 'LEFT', align: 'right', steady: 10 },
];
/** What a narrow screen loses first, one after another. */
const dispensable = ['STEP', 'BYTES', 'RATE'];
const leastWidths: Readonly<Record<string, number>> = { STEP: 132, BYTES: 108, RATE: 88 };

/**
 * One line a VM, titles first. Where there are more VMs than lines, those that move are shown, then those that failed, then the rest in
 * order, and a last line counts the others.
 */
export function progressTable(vms: readonly VmProgress[], view: ProgressView): readonly Line[] {
  const room = Math.max(1, view.height - 1);
  const shown = vms.length <= room ? vms : mostTelling(vms, room - 1);
  const visible = columns
    .map((column, index) => ({ column, index }))
    .filter(
      ({ column: { title } }) => !dispensable.includes(title) || view.width >= (leastWidths[title] ?? 0),
    )
    .filter(({ column: { title } }) => title !== 'ROUND' || vms.some(({ round }) => round !== undefined));
  const rows = shown.map((vm) => {
    const cells = cellsOf(vm, view.now);
    return visible.map(({ index }) => cells[index] ?? '');
  });
  const [titles = '', ...lines] = renderTable(
    visible.map(({ column }) => column),
    rows,
    view.width,
  );
  return [
    { text: titles, tone: 'strong' },
    ...lines.map((text, index) => ({ text, tone: toneOf(shown[index]) })),
    ...(shown.length < vms.length ? [{ text: othersOf(vms, shown), tone: 'faint' as const }] : []),
  ];
}

function cellsOf(vm: VmProgress, now: number): readonly string[] {
  const { outcome, totalBytes, doneBytes, bytesPerSecond, secondsLeft } = vm;
  return [
    vm.name,
    outcome === undefined ? vm.phase : outcome === 'Succeeded' ? 'Completed' : outcome,
    roundText(vm),
    vm.step,
    waitText(vm, now),
    formatPercent(doneBytes, totalBytes),
    totalBytes === 0 ? '' : `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`,
    bytesPerSecond === undefined ? '' : formatRate(bytesPerSecond),
    secondsLeft === undefined ? '' : formatElapsed(secondsLeft * 1000),
  ];
}

function roundText({ round, isFinalRound }: VmProgress): string {
  if (round === undefined) return '';
  return isFinalRound === true ? 'last' : String(round);
}

/** Since when is said once it is worth saying. */
function waitText({ outcome, waitsFor, waitsSince }: VmProgress, now: number): string {
  if (waitsFor === '' || waitsSince === undefined || outcome !== undefined) return waitsFor;
  const ms = now - waitsSince;
  return ms < 1000 ? waitsFor : `${waitsFor}, ${formatElapsed(ms)}`;
}

function toneOf(vm: VmProgress | undefined): Tone {
  switch (vm?.outcome) {
    case 'Succeeded':
      return 'good';
    case 'Failed':
    case 'Canceled':
      return 'bad';
    case undefined:
      return vm === undefined || isQueued(vm) ? 'faint' : 'busy';
  }
}

function isQueued({ phase, outcome }: VmProgress): boolean {
  return outcome === undefined && (phase === 'Pending' || phase === 'Started');
}

function mostTelling(vms: readonly VmProgress[], room: number): readonly VmProgress[] {
  const rank = (vm: VmProgress): number => {
    if (vm.outcome === 'Failed' || vm.outcome === 'Canceled') return 1;
    if (vm.outcome === 'Succeeded') return 3;
    return isQueued(vm) ? 2 : 0;
  };
  const chosen = new Set(vms.toSorted((a, b) => rank(a) - rank(b)).slice(0, Math.max(0, room)));
  return vms.filter((vm) => chosen.has(vm));
}

function othersOf(vms: readonly VmProgress[], shown: readonly VmProgress[]): string {
  const visible = new Set(shown);
  const hidden = vms.filter((vm) => !visible.has(vm));
  const number = (test: (vm: VmProgress) => boolean, what: string): readonly string[] => {
    const found = hidden.filter(test).length;
    return found === 0 ? [] : [`${found} ${what}`];
  };
  const parts = [
    ...number(isQueued, 'to begin'),
    ...number((vm) => vm.outcome === undefined && !isQueued(vm), 'under way'),
    ...number((vm) => vm.outcome === 'Succeeded', 'done'),
    ...number((vm) => vm.outcome === 'Failed' || vm.outcome === 'Canceled', 'failed'),
  ];
  return `and ${count(hidden.length, 'more VM')}: ${parts.join(', ')}`;
}

/** "12 of 200 done, 1.2 GiB of 4.0 GiB": the whole run in one line. */
export function runSummary(vms: readonly VmProgress[]): string {
  const done = vms.filter((vm) => vm.outcome === 'Succeeded').length;
  const failed = vms.filter((vm) => vm.outcome === 'Failed' || vm.outcome === 'Canceled').length;
  const doneBytes = vms.reduce((sum, vm) => sum + vm.doneBytes, 0);
  const totalBytes = vms.reduce((sum, vm) => sum + vm.totalBytes, 0);
  const bytes = totalBytes === 0 ? '' : `, ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)} copied`;
  return `${done} of ${count(vms.length, 'VM')} moved${failed === 0 ? '' : `, ${failed} failed`}${bytes}`;
}
