/** The same back-off for those who may see runtime and not kube (the sources). */
export { backoffMs } from '../kube/backoff.ts';
export type { BackoffRange, Random } from '../kube/backoff.ts';
