import type { SourceAccess, VolumeFact } from './facts.ts';
import type { Action, Context, Decision } from './phase.ts';
import { rfc3339 } from './time.ts';

type Pod = NonNullable<VolumeFact['pod']>;

/**
 * Keeps what importers log in with in step with the Provider's Secret (review.md F74). undefined: all is well.
 *
 * CDI starts an importer again and again, and each start is a login: five wrong ones lock the account. So what was refused to one importer
 * is tried once by ourselves, and if it is refused to us, too, taken away from all of them: a container without its Secret does not start.
 * What has been opened before goes on. As soon as the Secret of the Provider is edited, importers get the new credentials, and those
 * that wait for a restart are replaced.
 */
export function keepAccess(
  access: SourceAccess,
  volumes: readonly VolumeFact[],
  context: Context,
): Decision | undefined {
  const since = rfc3339(context.now);
  const given = context.records.access?.version;
  if (access.state === 'shut') {
    if (!access.isRejected || (context.records.access !== undefined && given === undefined)) return undefined;
    return { kind: 'act', records: { access: { since } }, actions: [{ do: 'deleteAccess' }] };
  }
  const { credentials } = access;
  if (given !== credentials) {
    const actions: readonly Action[] = [{ do: 'createAccess' }, ...podsOf(volumes).filter(waits).map(remove)];
    return { kind: 'act', records: { access: { version: credentials, since } }, actions };
  }
  const isRefused = podsOf(volumes).some((pod) => pod.isLoginRefused === true);
  return isRefused && !access.isVerified
    ? { kind: 'act', actions: [{ do: 'verifyLogin', credentials }] }
    : undefined;
}

function podsOf(volumes: readonly VolumeFact[]): readonly Pod[] {
  return volumes.flatMap(({ pod }) => (pod === undefined ? [] : [pod]));
}

/** For its next start, or for the Secret that was not there. */
function waits({ waitingReason }: Pod): boolean {
  return waitingReason === 'CrashLoopBackOff' || waitingReason === 'CreateContainerConfigError';
}

function remove({ name, uid }: Pod): Action {
  return { do: 'deletePod', name, uid };
}
