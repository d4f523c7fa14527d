import type { StepName } from '../../../api/phases.ts';
import type { RoundKind } from '../../../api/virtual-machine-import.ts';

/** The step of the pipeline in which the snapshot of a round is made. */
export const stepOfRound: Readonly<Record<RoundKind, StepName>> = {
  initial: 'Initialize',
  next: 'DiskTransfer',
  final: 'Cutover',
};
