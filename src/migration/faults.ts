import type { SourceFault, SourceFaultKind } from '../model/source-data.ts';
import type { Fail } from './phase.ts';

/**
 * What a fault of the source means for the phase that met it. `wait`: nobody has judged anything, the phase goes on when the source can
 * be reached again. `retryable`: it was judged and may be judged otherwise soon, within the phase's budget. `terminal`: it will be so
 * tomorrow.
 */
export type FaultClass = 'wait' | 'retryable' | 'terminal';

const classOf: Readonly<Record<SourceFaultKind, FaultClass>> = {
  // A password that is wrong is wrong for every VM of the Provider: one condition there, and all go on after the edit (DESIGN.md 4.6).
  auth: 'wait',
  transient: 'wait',
  // Another task holds the VM.
  busy: 'retryable',
  gone: 'terminal',
  denied: 'terminal',
  invalid: 'terminal',
  unsupported: 'terminal',
};

const hintOf: Readonly<Partial<Record<SourceFaultKind, string>>> = {
  gone: 'If it was registered anew, put the new VM into the plan.',
  denied: "Give the Provider's account what it lacks and start the plan again.",
};

/**
 * A fault that is a verdict, as a failure. What is gone has one code, whatever a platform calls it: it decides what becomes of the copy.
 */
export function sourceFailure(fault: SourceFault): Fail {
  return {
    kind: 'fail',
    class: faultClass(fault) === 'retryable' ? 'retryable' : 'terminal',
    code: fault.kind === 'gone' ? sourceGone : fault.code,
    message: fault.message,
    hint: hintOf[fault.kind] ?? 'See to it at the source and start the plan again.',
  };
}

/** Code of a failure: the VM is not at its source any more. */
export const sourceGone = 'SourceVmGone';

export function faultClass(fault: Pick<SourceFault, 'kind'>): FaultClass {
  return classOf[fault.kind];
}
