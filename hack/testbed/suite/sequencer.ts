/** Measured on two cores; a file that is not here counts as the usual. What matters is the order, not the number. */
const seconds: Readonly<Record<string, number>> = {
  'differential/data-volumes/data-volumes': 400,
  'testbed/trouble/control-plane': 180,
  'integration/bad-input/runs': 140,
  'integration/boundaries': 120,
  'testbed/trouble/importers': 100,
  'integration/warm/rounds': 65,
  'integration/warm/rounds-trouble': 60,
  'integration/warm/lost-snapshot': 60,
  'testbed/trouble/rounds': 60,
  'testbed/trouble/source': 90,
  'integration/trouble/cancel': 90,
  'integration/trouble/deletions': 90,
  'integration/bad-input/names': 80,
  'integration/bad-input/cancel': 65,
  'integration/trouble/refused-target': 60,
  'integration/trouble/limits': 60,
  'integration/trouble/importers': 60,
  'testbed/boot': 60,
  'integration/trouble/power': 50,
  'integration/bad-input/references': 50,
  'integration/bad-input/target': 50,
};
const usual = 20;

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
  const name = /(?<=\/tests\/).*(?=\.test\.ts$)/.exec(path)?.[0] ?? '';
  return seconds[name] ?? usual;
}

export { EvenSequencer as default };
