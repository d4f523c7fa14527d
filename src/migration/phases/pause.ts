import type { Context, Wait } from '../phase.ts';

/** A wait while the plan or the provider is paused; asked for only where the source is not off by us (design: import.md 2.0). */
export function pause(context: Context): Wait | undefined {
  if (context.spec.control?.paused !== true) return undefined;
  return { kind: 'wait', reason: 'Paused', for: 'the pause to be lifted' };
}
