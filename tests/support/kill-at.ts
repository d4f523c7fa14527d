import type { Boundary } from '../../src/controllers/import/boundary.ts';
import type { ControllerInstance } from './controller-instance.ts';
import type { TestWorld } from './world.ts';

/** "before act: web-01 CreateVM createVm" */
export function lineOf({ when, what, name }: Boundary): string {
  return `${when} ${what}: ${name}`;
}

/** "CreateVM", of such a line. */
export function phaseOf(line: string): string {
  return line.split(' ')[3] ?? '';
}

/**
 * Kills an instance when it comes to its `index`-th line (from 0), or to the first line that is meant, and never lets it go on from there.
 * A world on the system's clock passes its lines in another number each time, so there a line is named.
 */
export class KillAt {
  readonly #isIt: (index: number, line: string) => boolean;
  #count = -1;
  #hasStruck = false;

  constructor(at: number | ((line: string) => boolean)) {
    this.#isIt = typeof at === 'number' ? (index) => index === at : (_index, line) => at(line);
  }

  readonly atBoundary = (instance: ControllerInstance) => (boundary: Boundary) =>
    this.#line(instance, lineOf(boundary));

  /** Lines are "before POST /api/v1/...". */
  readonly atWrite = (instance: ControllerInstance) => (when: 'before' | 'after', what: string) =>
    this.#line(instance, `${when} ${what}`);

  async struck(world: Pick<TestWorld, 'until'>): Promise<void> {
    await world.until('the controller dies', () => Promise.resolve(this.#hasStruck ? true : undefined));
  }

  #line(instance: ControllerInstance, line: string): undefined | Promise<void> {
    this.#count += 1;
    if (this.#hasStruck || !this.#isIt(this.#count, line)) return undefined;
    this.#hasStruck = true;
    instance.kill();
    return new Promise<void>(() => undefined);
  }
}
