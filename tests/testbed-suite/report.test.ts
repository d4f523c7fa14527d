import { describe, expect, test } from '@jest/globals';
import { reportOf, sumOf, type SuiteResult } from '../../hack/testbed/suite/report.ts';

type FileResult = SuiteResult['testResults'][number];

function file(name: string, seconds: number, tests: Readonly<Record<string, string>>): FileResult {
  const assertionResults = Object.entries(tests).map(([title, status]) => ({
    title,
    status,
    ancestorTitles: ['a thing'],
  }));
  return { name: `/repo/tests/${name}`, startTime: 1000, endTime: 1000 + seconds * 1000, assertionResults };
}

function result(...testResults: readonly FileResult[]): SuiteResult {
  const all = testResults.flatMap(({ assertionResults }) => assertionResults);
  const count = (status: string): number => all.filter((one) => one.status === status).length;
  return {
    numPassedTests: count('passed'),
    numFailedTests: count('failed'),
    numPendingTests: count('pending'),
    numTodoTests: 0,
    numRuntimeErrorTestSuites: 0,
    testResults,
  };
}

const first = result(
  file('a.test.ts', 2, { 'goes well': 'passed', 'takes hours [sandbox only, skipTime: an hour]': 'pending' }),
);
const second = result(
  file('b.test.ts', 61.26, {
    'goes wrong': 'failed',
    'is many [sandbox only, numbers: each of them]': 'pending',
    'takes hours too [sandbox only, skipTime: an hour]': 'pending',
  }),
);

describe('the report of a run on testbeds', () => {
  const lines = reportOf([first, second], '/repo').split('\n');

  test('tells how long each file took, the slowest first, whichever testbed it ran on', () => {
    expect(lines.slice(0, 3).map((line) => line.trim().split(/\s+/))).toEqual([
      ['seconds', 'passed', 'failed', 'left', 'out'],
      ['61.3', '0', '1', '2', 'tests/b.test.ts'],
      ['2.0', '1', '0', '1', 'tests/a.test.ts'],
    ]);
  });

  test('lists what was left to the sandbox under its reasons', () => {
    expect(lines.slice(4)).toEqual([
      'Left to the sandbox: 3',
      '  numbers: each of them',
      '    tests/b.test.ts > a thing > is many',
      '  skipTime: an hour',
      '    tests/a.test.ts > a thing > takes hours',
      '    tests/b.test.ts > a thing > takes hours too',
    ]);
  });

  test('counts all testbeds together', () => {
    expect(sumOf([first, second])).toEqual({
      numPassedTests: 1,
      numFailedTests: 1,
      numPendingTests: 3,
      numTodoTests: 0,
      numRuntimeErrorTestSuites: 0,
    });
  });
});
