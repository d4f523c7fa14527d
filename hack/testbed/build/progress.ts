import { formatDuration, formatElapsed } from '../../../src/cli/format.ts';
import type { Cost, Product } from './products.ts';
import { secondsLeft, sum, type Timed } from './plan.ts';

/** Where a build stands. Times in seconds. */
export interface Standing {
  readonly build: readonly Product[];
  /** In the order of `build`. */
  readonly done: readonly number[];
  /** How long the next one has been at work. */
  readonly elapsed: number;
  /** Packages that were compiled for it so far. */
  readonly compiled: number;
}

/** "[ 3/13] kubectl  1 min 04 s, 212 packages compiled; about 7 min left in all" */
export function runningLine(standing: Standing): string {
  const { build, done, elapsed, compiled } = standing;
  const packages = compiled === 0 ? '' : `, ${compiled} compiled`;
  const left = approximately(leftOf(standing));
  return `${place(done.length + 1, build.length)} ${nameAt(build, done.length)}  ${formatElapsed(elapsed * 1000)}${packages}; ${left} left`;
}

/** After one was built; `done` includes it. */
export function doneLine({ build, done }: Standing, bytes: string): string {
  const seconds = done.at(-1) ?? 0;
  const left =
    done.length === build.length
      ? ''
      : `; ${approximately(leftOf({ build, done, elapsed: 0, compiled: 0 }))} left`;
  return `${place(done.length, build.length)} ${nameAt(build, done.length - 1)}  built in ${formatDuration(seconds * 1000)}, ${bytes}${left}`;
}

/** "13 to build: about 11 min where nothing is compiled yet, about 30 s where all is" */
export function openingLine(build: readonly Product[]): string {
  const costs = build.map(({ cost }) => cost);
  const total = (of: (cost: Cost) => number): string => approximately(sum(costs.map(of)));
  const cold = total(({ coldSeconds }) => coldSeconds);
  const warm = total(({ warmSeconds }) => warmSeconds);
  const time = cold === warm ? cold : `${cold} where nothing is compiled yet, ${warm} where all is`;
  return `${build.length} to build: ${time}`;
}

/** As exact as an estimate can be: tens of seconds below two minutes, then minutes. */
export function approximately(seconds: number): string {
  if (seconds < 8) return 'a few seconds';
  if (seconds < 115) return `about ${Math.ceil(seconds / 10) * 10} s`;
  return `about ${Math.round(seconds / 60)} min`;
}

function leftOf({ build, done, elapsed }: Standing): number {
  const timed = done.map((seconds, index): Timed => ({ cost: costAt(build, index), seconds }));
  const current = build[done.length];
  return secondsLeft(
    timed,
    current && { cost: current.cost, seconds: elapsed },
    build.slice(done.length + 1).map(({ cost }) => cost),
  );
}

function costAt(build: readonly Product[], index: number): Cost {
  return build[index]?.cost ?? { coldSeconds: 0, warmSeconds: 0 };
}

function nameAt(build: readonly Product[], index: number): string {
  return build[index]?.name ?? '';
}

function place(number: number, total: number): string {
  return `[${String(number).padStart(String(total).length)}/${total}]`;
}
