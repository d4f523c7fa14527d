/** What the process outside of a cell says to the one inside. */
export type CellMessage = 'end';

/** What the process inside says to the one outside. */
export type CellReport =
  | { readonly what: 'entered' }
  /** `runs`: the names of what runs. */
  | { readonly what: 'ready'; readonly runs: readonly string[] };
