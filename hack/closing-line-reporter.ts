/** As far as the closing line needs them; jest's own results have more. */
interface Counts {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly numRuntimeErrorTestSuites: number;
}

/** One line that people and machines read alike: `N passed, N failed` (`, N skipped`). */
export function closingLine(results: Counts): string {
  const skipped = results.numPendingTests + results.numTodoTests;
  // A suite that cannot even be loaded has no tests to count, and must not pass for that.
  const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
  return `${results.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** Ends every test run with that line. */
class ClosingLineReporter {
  onRunComplete(_contexts: unknown, results: Counts): void {
    process.stdout.write(`\n${closingLine(results)}\n`);
  }
}

export { ClosingLineReporter as default };
