import { relative } from 'node:path';

/** What is used of the document that `jest --json` writes. Times are milliseconds since 1970. */
export interface SuiteResult {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly numRuntimeErrorTestSuites: number;
  readonly testResults: readonly FileResult[];
}

interface FileResult {
  readonly name: string;
  readonly startTime: number;
  readonly endTime: number;
  readonly assertionResults: readonly {
    readonly title: string;
    readonly ancestorTitles: readonly string[];
    readonly status: string;
  }[];
}

/** Such a test was skipped under a title that ends with the reason (tests/support/needs.ts). */
const leftOut = /^(?<title>.*) \[sandbox only, (?<why>.*)\]$/s;

/** How long each file took, and which tests the testbed left to the sandbox for what reason. `root`: what names of files are relative to. */
export function reportOf(results: readonly SuiteResult[], root: string): string {
  const files = results.flatMap(({ testResults }) => testResults);
  return [...timesOf(files, root), '', ...leftOutOf(files, root)].join('\n');
}

function timesOf(files: readonly FileResult[], root: string): readonly string[] {
  const slowestFirst = files.toSorted((one, other) => tookMs(other) - tookMs(one));
  return [
    'seconds  passed  failed  left out',
    ...slowestFirst.map((file) => {
      const count = (status: string): string =>
        String(file.assertionResults.filter((test) => test.status === status).length);
      const cells = [
        (tookMs(file) / 1000).toFixed(1).padStart(7),
        count('passed').padStart(6),
        count('failed').padStart(6),
        count('pending').padStart(8),
      ];
      return `${cells.join('  ')}  ${relative(root, file.name)}`;
    }),
  ];
}

function leftOutOf(files: readonly FileResult[], root: string): readonly string[] {
  const tests = files.flatMap(({ name, assertionResults }) =>
    assertionResults.flatMap(({ title, ancestorTitles }) => {
      const { title: test, why } = leftOut.exec(title)?.groups ?? {};
      if (test === undefined || why === undefined) return [];
      return [{ why, test: [relative(root, name), ...ancestorTitles, test].join(' > ') }];
    }),
  );
  const byReason = [...Map.groupBy(tests, ({ why }) => why)].sort(([one], [other]) => (one < other ? -1 : 1));
  return [
    `Left to the sandbox: ${tests.length}`,
    ...byReason.flatMap(([why, of]) => [`  ${why}`, ...of.map(({ test }) => `    ${test}`)]),
  ];
}

function tookMs({ startTime, endTime }: FileResult): number {
  return endTime - startTime;
}

/** Without the tests themselves. */
export type SuiteCounts = Omit<SuiteResult, 'testResults'>;

export function sumOf(results: readonly SuiteResult[]): SuiteCounts {
  const sum = (key: keyof SuiteCounts): number => results.reduce((total, result) => total + result[key], 0);
  return {
    numPassedTests: sum('numPassedTests'),
    numFailedTests: sum('numFailedTests'),
    numPendingTests: sum('numPendingTests'),
    numTodoTests: sum('numTodoTests'),
    numRuntimeErrorTestSuites: sum('numRuntimeErrorTestSuites'),
  };
}
