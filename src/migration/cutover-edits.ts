import type { Act, Context } from './phase.ts';

/**
 * Once a cutover has begun, what is said of it later comes too late, and that is told once for each edit: who has taken it back would
 * wonder (review.md F19). undefined: nothing to be told.
 */
export function ignoredEdit({ records, spec }: Pick<Context, 'records' | 'spec'>): Act | undefined {
  const { cutover, committedAt } = records;
  if (cutover?.acceptedAt === undefined || committedAt !== undefined) return undefined;
  const wish = spec.control?.cutoverAt;
  const known = cutover.ignored ?? cutover.requestedFor ?? '';
  if ((wish ?? '') === known) return undefined;
  const said = wish === undefined ? 'It was taken back' : `It was set to ${wish}`;
  return {
    kind: 'act',
    actions: [],
    records: { cutover: { ...cutover, ignored: wish ?? '' } },
    events: [
      {
        type: 'Warning',
        reason: 'CutoverEditIgnored',
        message: `The cutover of VM ${spec.vm.name} has begun at ${cutover.acceptedAt}. ${said} too late; cancel the VM to stop it.`,
      },
    ],
  };
}
