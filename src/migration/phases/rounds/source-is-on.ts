import type { PowerReading } from '../../../model/source-data.ts';
import { leaveCutover } from '../../cutover.ts';
import type { Advance, Context, Phase } from '../../phase.ts';
import { sourceRestarted } from '../../power.ts';

/** Somebody has powered the source on in the middle of its cutover: it stays in service (review.md F17). undefined: it is off. */
export function sourceIsOn(sourcePower: PowerReading, context: Context): Advance | undefined {
  if (sourceRestarted(sourcePower, context) === undefined) return undefined;
  return leaveCutover(context, 'met', {
    reason: 'SourceRestarted',
    message: `VM ${context.spec.vm.name} was powered on at its source by somebody during its cutover.`,
  });
}

/** The same phase as a part of the cutover, before its snapshot is there: until then there are rounds to go back to. */
export function inCutover(phase: Phase): Phase {
  return {
    ...phase,
    step: 'Cutover',
    needs: [...phase.needs, 'sourcePower'],
    decide: (facts, context) => sourceIsOn(facts.sourcePower, context) ?? phase.decide(facts, context),
  };
}
