import { SystemClock } from '../../src/runtime/clock.ts';

const clock = new SystemClock();
const withinMs = 15_000;

/** Resolves as soon as `holds` does; rejects with what was awaited when that takes too long. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const lastMs = clock.monotonicMs() + withinMs;
  while (!(await holds())) {
    if (clock.monotonicMs() > lastMs) throw new Error(`never came: ${what}`);
    await clock.sleep(20);
  }
}
