/**
 * The lines between which the process may die. The runner passes each one by name; a test that stops there, for all of them, proves that
 * nothing can stop a migration half-way (design: DESIGN.md 4.1). In production nobody stands at a boundary.
 */
export interface Boundary {
  readonly when: 'before' | 'after';
  readonly what: 'save' | 'act';
  /** Import and what is saved or done: "web-01 CreateVM createVm". */
  readonly name: string;
}

/** Called at each boundary. Never returns (a promise that stays open) or throws where the process is to die. */
export type AtBoundary = (boundary: Boundary) => void | Promise<void>;
