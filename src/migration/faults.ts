import type { SourceFault, SourceFaultKind } from '../model/source-data.ts';

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

export function faultClass(fault: Pick<SourceFault, 'kind'>): FaultClass {
  return classOf[fault.kind];
}
