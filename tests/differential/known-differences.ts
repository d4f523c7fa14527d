/** A difference between the sandbox and the real programs that stays, and why it may. */
export interface KnownDifference {
  readonly id: string;
  /** As in Difference.where, with `*` for any text: "api > * > * > body.spec.x". It covers all that is inside the place it names. */
  readonly where: string;
  readonly why: string;
}

/** A list that may only shrink: an entry that no longer differs fails the tests (differences.ts). */
export const knownDifferences: readonly KnownDifference[] = [];
