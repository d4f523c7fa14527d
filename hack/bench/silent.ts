import type { Logger } from '../../src/runtime/log.ts';

/** Nobody reads what is logged while something is measured. */
export const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
  isDebug: false,
};
