import { relative } from 'node:path';

const marked = /^(?<title>.*) \[sandbox only, (?<why>.*)\]$/s;

/**
 * At the end of a run on the testbed: how long each file took, and which tests it left out for what reason. They are skipped under titles
 * that end with the reason (tests/support/needs.ts).
 */
export default class LeftOutReporter {
  #rootDir;

  constructor(globalConfig) {
    this.#rootDir = globalConfig.rootDir;
  }

  onRunComplete(_contexts, { testResults }) {
    const lines = [...this.#times(testResults), ...this.#leftOut(testResults)];
    process.stdout.write(`\n${lines.join('\n')}\n`);
  }

  #times(results) {
    const slowestFirst = results.toSorted((one, other) => took(other) - took(one));
    return [
      'seconds  passed  failed  left out',
      ...slowestFirst.map((result) => {
        const { numPassingTests, numFailingTests, numPendingTests, testFilePath } = result;
        const counts = [numPassingTests, numFailingTests, numPendingTests].map((n) => String(n).padStart(6));
        return [(took(result) / 1000).toFixed(1).padStart(7), ...counts, this.#name(testFilePath)].join('  ');
      }),
    ];
  }

  #leftOut(results) {
    const tests = results.flatMap(({ testFilePath, testResults }) =>
      testResults.flatMap(({ title, ancestorTitles }) => {
        const found = marked.exec(title)?.groups;
        if (found === undefined) return [];
        const test = [this.#name(testFilePath), ...ancestorTitles, found.title].join(' > ');
        return [{ why: found.why, test }];
      }),
    );
    const reasons = [...Map.groupBy(tests, ({ why }) => why)].toSorted(([one], [other]) =>
      one < other ? -1 : 1,
    );
    return [
      '',
      `Left to the sandbox: ${tests.length}`,
      ...reasons.flatMap(([why, of]) => [`  ${why}`, ...of.map(({ test }) => `    ${test}`)]),
    ];
  }

  #name(path) {
    return relative(this.#rootDir, path);
  }
}

function took({ perfStats }) {
  return perfStats.end - perfStats.start;
}
