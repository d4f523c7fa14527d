/** What the process outside of the cell asks of the one inside. */
export interface SuiteRun {
  /** Handed to jest as they are: which files, which tests. */
  readonly jestArgs: readonly string[];
  /** Where jest's results are to be written. */
  readonly results: string;
}
