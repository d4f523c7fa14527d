import { describe as describeIt, test as testIt } from '@jest/globals';
import { testbedVariable } from '../../hack/testbed/control/testbed.ts';
import { SandboxWorld } from './sandbox-world.ts';
import type { TestWorld } from './world.ts';

/** The tests of this process run against the real programs of a testbed; else in embedded worlds. */
export const isOnTestbed = process.env[testbedVariable] !== undefined;

/**
 * What a test needs that only the embedded world gives, in words for whoever reads the list of what the testbed left out:
 *
 * - skipTime: the clock to jump over more than about a minute;
 * - faults: a fault of the cluster that can only be simulated;
 * - simulated: a look into the simulation, or a setting of it;
 * - numbers: nothing, but there are so many of its kind that the testbed takes only some.
 */
export type Need =
  | { readonly skipTime: string }
  | { readonly faults: string }
  | { readonly simulated: string }
  | { readonly numbers: string };

type Body = () => void | Promise<void>;

/** Tests that need it: run in the sandbox, skipped on the testbed under a title that says why (the reporter lists them). */
export interface SandboxOnly {
  test(name: string, body: Body, timeoutMs?: number): void;
  /** As jest's test.each, with cases that are lists of arguments. */
  each<T extends readonly unknown[]>(
    cases: readonly T[],
  ): (name: string, body: (...of: T) => void | Promise<void>, timeoutMs?: number) => void;
  /** On the testbed the body is not even looked at. */
  describe(name: string, body: () => void): void;
  /** The embedded world itself. */
  world(world: TestWorld): SandboxWorld;
}

export function sandboxOnly(need: Need): SandboxOnly {
  const why = Object.entries(need)
    .map((entry) => entry.join(': '))
    .join(', ');
  const skip = (name: string): void => testIt.skip(`${name} [sandbox only, ${why}]`, () => undefined);
  return {
    test: (name, body, timeoutMs) => (isOnTestbed ? skip(name) : testIt(name, body, timeoutMs)),
    each: (cases) => (name, body, timeoutMs) =>
      isOnTestbed ? skip(name) : testIt.each(cases as never)(name, body as never, timeoutMs),
    describe: (name, body) => (isOnTestbed ? skip(name) : describeIt(name, body)),
    world(world) {
      if (!(world instanceof SandboxWorld)) throw new Error(`only an embedded world can do this (${why})`);
      return world;
    },
  };
}

/** As jest's test.each, for cases that are many of a kind: the first `count` (from 0) run in both worlds, the rest in the sandbox only. */
export function firstOnTestbed<T extends readonly unknown[]>(
  count: number,
  cases: readonly T[],
): (name: string, body: (...of: T) => void | Promise<void>, timeoutMs?: number) => void {
  const rest = cases.slice(count);
  const numbers = `${count} of ${cases.length} are tried`;
  return (name, body, timeoutMs) => {
    if (count > 0) testIt.each(cases.slice(0, count) as never)(name, body as never, timeoutMs);
    if (rest.length > 0) sandboxOnly({ numbers }).each(rest)(name, body, timeoutMs);
  };
}
