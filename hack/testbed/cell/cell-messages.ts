/** What the process outside of a cell says to the one inside. */
export type CellMessage = 'end';

/** What the process inside says to the one outside. */
export type CellReport =
  | { readonly what: 'entered' }
  | { readonly what: 'ready'; /** Path in the folder. */ readonly kubeconfig: string };
