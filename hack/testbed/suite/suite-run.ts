import type { TestbedParts } from '../cluster/parts.ts';

/** What the process outside of the cell asks of the one inside. */
export interface SuiteRun {
  readonly parts: TestbedParts;
  /** Handed to jest as they are: which files, which tests. */
  readonly jestArgs: readonly string[];
}
