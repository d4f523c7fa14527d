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

/** One of these things, at one of the first boundaries of a run. */
export function accident(boundaries: number, among = kinds): fc.Arbitrary<Accident> {
  return fc.record({ at: fc.nat({ max: boundaries }), what: fc.constantFrom(...among) });
}

/** Up to so many of whatever may happen. */
export function accidents(most: number, boundaries: number): fc.Arbitrary<Accident[]> {
  return fc.array(accident(boundaries), { maxLength: most });
}
