import fc from 'fast-check';
import type { Accident } from '../migration/model-runner.ts';

/** Death comes more often than the rest. */
const kinds: readonly Accident['what'][] = [
  'crash',
  'crash',
  'crash',
  'cancel',
  'refuse',
  'againWell',
  'againBadly',
  'claimGone',
  'dataVolumeGone',
  'vmGone',
  'powerOn',
];

/** Up to so many things that happen at one of the first boundaries of a run. */
export function accidents(most: number, boundaries: number): fc.Arbitrary<Accident[]> {
  const accident = fc.record({ at: fc.nat({ max: boundaries }), what: fc.constantFrom(...kinds) });
  return fc.array(accident, { maxLength: most });
}
