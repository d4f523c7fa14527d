import type { TerminationMessage } from './claim-from-pod.ts';
import type { ProgramExit } from './pod-runner.ts';

/** Plain text with any exit code but 0, JSON with 0 (fact: cdi 3.3). */
export function failed(message: string): ProgramExit {
  return { exitCode: 1, message };
}

export function succeeded(message: TerminationMessage): ProgramExit {
  return { exitCode: 0, message: JSON.stringify(message) };
}

/** While data flows (fact: cdi 3.3). */
export function transferFailed(why: string): ProgramExit {
  return failed(`Unable to process data: Unable to transfer source data to target file: ${why}`);
}
