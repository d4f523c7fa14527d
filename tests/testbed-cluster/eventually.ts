import { SystemClock } from '../../src/runtime/clock.ts';

const clock = new SystemClock();

/** Resolves as soon as `holds` does; rejects with what was awaited when that takes too long. */
export async function eventually(
  what: string | (() => string),
  holds: () => boolean | Promise<boolean>,
  withinMs = 15_000,
): Promise<void> {
  const lastMs = clock.monotonicMs() + withinMs;
  while (!(await holds())) {
    if (clock.monotonicMs() > lastMs)
      throw new Error(`never came: ${typeof what === 'string' ? what : what()}`);
    await clock.sleep(20);
  }
}
