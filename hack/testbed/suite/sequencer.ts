import { basename, dirname } from 'node:path';

/** Measured on two cores; a file that is not here counts as the usual. What matters is the order, not the number. */
const seconds: Readonly<Record<string, number>> = {
  'integration/boundaries': 120,
  'bad-input/runs': 110,
  'trouble/deletions': 90,
  'trouble/cancel': 90,
  'trouble/limits': 80,
  'trouble/refused-target': 80,
  'trouble/taken-names': 70,
  'bad-input/references': 70,
  'trouble/power': 60,
  'trouble/importers': 60,
  'bad-input/target': 60,
};
const usual = 30;

interface TestFile {
  readonly path: string;
}

/** Gives testbeds that run side by side about as much to do each, and each its longest files first. */
class EvenSequencer {
  shard<T extends TestFile>(
    tests: readonly T[],
    { shardIndex, shardCount }: { readonly shardIndex: number; readonly shardCount: number },
  ): readonly T[] {
    const shards = Array.from({ length: shardCount }, () => ({ total: 0, tests: [] as T[] }));
    for (const test of this.sort(tests)) {
      const least = shards.reduce((one, other) => (other.total < one.total ? other : one));
      least.tests.push(test);
      least.total += weightOf(test);
    }
    return shards[shardIndex - 1]?.tests ?? [];
  }

  sort<T extends TestFile>(tests: readonly T[]): readonly T[] {
    return tests.toSorted(
      (one, other) => weightOf(other) - weightOf(one) || (one.path < other.path ? -1 : 1),
    );
  }

  /** A testbed is new each time: nothing is kept of earlier runs. */
  cacheResults(): void {
    return;
  }

  allFailedTests<T extends TestFile>(tests: readonly T[]): readonly T[] {
    return tests;
  }
}

function weightOf({ path }: TestFile): number {
  return seconds[`${basename(dirname(path))}/${basename(path, '.test.ts')}`] ?? usual;
}

export { EvenSequencer as default };
