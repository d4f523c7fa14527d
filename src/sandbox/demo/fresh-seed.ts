import { randomBytes } from 'node:crypto';

/** A seed for whoever gave none. */
export function freshSeed(): number {
  return randomBytes(4).readUInt32LE();
}
