import type { BinaryName } from './binaries.ts';
import type { Cost, Product } from './products.ts';

export interface PlanInput {
  readonly products: readonly Product[];
  /** Only these; all when empty. */
  readonly only: readonly BinaryName[];
  /** Build also what the cache holds. */
  readonly force: boolean;
  /** Come out of KUBEBUILDER_ASSETS. */
  readonly given: ReadonlySet<BinaryName>;
  /** The cache holds them, built from the present inputs by the present compiler. */
  readonly stored: ReadonlySet<BinaryName>;
}

export interface Plan {
  /** In the order of building. */
  readonly build: readonly Product[];
  readonly ready: readonly BinaryName[];
}

/** What has to be built. What is given is never built, not even by force. */
export function planBuild({ products, only, force, given, stored }: PlanInput): Plan {
  const asked = products.filter(({ name }) => only.length === 0 || only.includes(name));
  const isBuilt = ({ name }: Product): boolean => !given.has(name) && (force || !stored.has(name));
  return {
    build: asked.filter(isBuilt),
    ready: asked.filter((product) => !isBuilt(product)).map(({ name }) => name),
  };
}

export interface Timed {
  readonly cost: Cost;
  readonly seconds: number;
}

/**
 * Seconds that a build still takes, from the known costs and from how this machine has done so far against them: with full caches it needs a
 * fiftieth, on a slow machine it needs twice. `current` is at work since `current.seconds`.
 */
export function secondsLeft(
  done: readonly Timed[],
  current: Timed | undefined,
  rest: readonly Cost[],
): number {
  const pace = paceOf(done, current);
  const expected = ({ coldSeconds, warmSeconds }: Cost): number => Math.max(warmSeconds, coldSeconds * pace);
  const now = current === undefined ? 0 : Math.max(expected(current.cost) - current.seconds, 0);
  return now + sum(rest.map(expected));
}

/** What is believed before anything is known, worth as much as this many seconds of a build. */
const doubtSeconds = 20;

/** Seconds taken for each second of cold cost. One that takes longer than expected tells so while it is at work. */
function paceOf(done: readonly Timed[], current: Timed | undefined): number {
  return current === undefined ? ratio(done) : Math.max(ratio(done), ratio([...done, current]));
}

function ratio(timed: readonly Timed[]): number {
  const taken = sum(timed.map(({ seconds }) => seconds));
  const cold = sum(timed.map(({ cost }) => cost.coldSeconds));
  return (taken + doubtSeconds) / (cold + doubtSeconds);
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
