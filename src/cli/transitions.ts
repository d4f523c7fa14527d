import { formatDuration, formatPercent } from './format.ts';
import type { VmProgress } from './import-progress.ts';
import { padText, printable } from './text-width.ts';

/** What to print, line by line, where nothing can be drawn in place: each change of a VM once, and quarters of a copy. */
export class Transitions {
  readonly #last = new Map<string, string>();
  readonly #nameWidth: number;

  constructor(names: readonly string[]) {
    this.#nameWidth = Math.min(40, Math.max(4, ...names.map((name) => name.length)));
  }

  /** Lines for what has changed since the last call. `elapsedMs`: since the run began. */
  next(vms: readonly VmProgress[], elapsedMs: number): readonly string[] {
    const lines: string[] = [];
    for (const vm of vms) {
      const state = stateOf(vm);
      if (this.#last.get(vm.name) === state) continue;
      this.#last.set(vm.name, state);
      const time = padText(formatDuration(elapsedMs), 10, 'right');
      lines.push(
        `${time}  ${padText(printable(vm.name), this.#nameWidth, 'left')}  ${printable(sentence(vm))}`,
      );
    }
    return lines;
  }
}

function stateOf(vm: VmProgress): string {
  const { phase, waitsFor, outcome, doneBytes, totalBytes } = vm;
  const quarter = totalBytes === 0 ? 0 : Math.floor((4 * doneBytes) / totalBytes);
  return [phase, waitsFor, outcome ?? '', roundOf(vm), phase === 'CopyDisks' ? quarter : ''].join('\n');
}

function sentence(vm: VmProgress): string {
  const { phase, waitsFor, outcome, doneBytes, totalBytes } = vm;
  if (outcome === 'Succeeded') return 'Completed';
  if (outcome !== undefined) return `${outcome}: ${waitsFor}`;
  const round = roundOf(vm);
  const isFirst = phase === 'CopyDisks' && doneBytes < totalBytes;
  const copied = isFirst ? ` ${formatPercent(doneBytes, totalBytes)}` : '';
  const head = `${phase}${round === '' ? '' : `, ${round}`}${copied}`;
  return waitsFor === '' ? head : `${head}: waits for ${waitsFor}`;
}

/** Where it says something: in phases that copy. */
function roundOf({ phase, round, isFinalRound }: VmProgress): string {
  if (round === undefined || (phase !== 'CopyDisks' && phase !== 'Finalize')) return '';
  return isFinalRound === true ? 'last round' : `round ${round}`;
}
