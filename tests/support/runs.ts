import process from 'node:process';

/** How often a law is tried: so often, or MORE_CASES times as often by someone who has the time. */
export function runs(usual: number): { readonly numRuns: number } {
  return { numRuns: usual * Number(process.env['MORE_CASES'] ?? 1) };
}
