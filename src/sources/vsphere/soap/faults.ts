import { SourceError } from '../../../model/fault.ts';
import type { SourceFaultKind } from '../../../model/source-data.ts';
import type { Scrub } from '../../../model/scrub.ts';
import { asText, type MoRef, type VimObject } from './values.ts';

export interface Meaning {
  readonly kind: SourceFaultKind;
  /** What the operator does next. */
  readonly advice: string;
}

/** What each vim25 fault means for a migration (fact: vs 1.6). The one table. */
const meanings: Readonly<Record<string, Meaning>> = {
  InvalidLogin: {
    kind: 'auth',
    advice:
      "Correct user and password in the provider's Secret; no further attempt is made until it changes.",
  },
  // Met only after a new login has succeeded: the credentials are right, and a session that is ended at once may be a restart.
  NotAuthenticated: {
    kind: 'transient',
    advice: 'The session was ended right after a new login; it is tried again.',
  },
  NoPermission: { kind: 'denied', advice: 'Give the account the privilege that is named.' },
  ManagedObjectNotFound: { kind: 'gone', advice: 'The object was deleted or unregistered.' },
  TaskInProgress: { kind: 'busy', advice: 'Another task runs on it; it is tried again.' },
  ResourceInUse: { kind: 'busy', advice: 'It is tried again.' },
  ConcurrentAccess: { kind: 'busy', advice: 'It is tried again.' },
  HostCommunication: { kind: 'transient', advice: 'vCenter cannot reach the host; it is tried again.' },
  HostNotConnected: { kind: 'transient', advice: 'Connect the host to vCenter; it is tried again.' },
  RequestCanceled: { kind: 'transient', advice: 'It is tried again.' },
  ToolsUnavailable: {
    kind: 'unsupported',
    advice: 'Start VMware Tools in the guest, or shut the VM down yourself.',
  },
  NotSupported: { kind: 'unsupported', advice: 'The platform cannot do this with this object.' },
  RestrictedVersion: { kind: 'unsupported', advice: 'The licence of the host does not allow it.' },
  InvalidPowerState: { kind: 'invalid', advice: 'The power state was changed by someone else.' },
  InvalidProperty: { kind: 'invalid', advice: 'The server is of a version that does not know it.' },
  InvalidArgument: { kind: 'invalid', advice: 'The server refuses the value.' },
  InvalidRequest: { kind: 'invalid', advice: 'The server does not understand the request.' },
  InvalidCollectorVersion: { kind: 'invalid', advice: 'The inventory is loaded anew.' },
  DuplicateName: { kind: 'invalid', advice: 'The name is taken.' },
};

/** A fault that nobody has met yet is tried again within the caller's budget: its text is shown, and a hiccup ends no migration. */
const unknownMeaning: Meaning = { kind: 'transient', advice: 'It is tried again.' };

export interface Attempt {
  readonly method: string;
  readonly on: MoRef;
}

/** The SourceError for a fault on the wire. `text` is foreign and is scrubbed here. */
export function faultToError(
  attempt: Attempt,
  fault: { readonly type: string; readonly text: string; readonly detail: VimObject },
  scrub: Scrub,
): SourceError {
  const { kind, advice } = meaningOf(fault.type);
  const said = [fault.text, privilegeOf(fault.detail)].filter((part) => part !== '').join(' ');
  const message = scrub(
    `${attempt.method} on ${attempt.on.type} ${attempt.on.value} was refused with ${fault.type}${said === '' ? '' : `: ${said}`}`,
  );
  return new SourceError({ code: fault.type, kind, message: `${message} ${advice}` });
}

/** What a fault means, whether a call or a task has ended with it. */
export function meaningOf(type: string): Meaning {
  return (Object.hasOwn(meanings, type) ? meanings[type] : undefined) ?? unknownMeaning;
}

function privilegeOf(detail: VimObject): string {
  const privilege = asText(detail['privilegeId']);
  return privilege === undefined ? '' : `(privilege ${privilege})`;
}

/** The SourceError for an answer that is neither a result nor a fault: a proxy, a vCenter that boots (fact: vs 1.6). */
export function statusToError(attempt: Attempt, status: number): SourceError {
  const what = `${attempt.method} on ${attempt.on.type} ${attempt.on.value}`;
  if (status === 401 || status === 403) {
    return new SourceError({
      code: `HttpStatus${status}`,
      kind: 'denied',
      message: `${what} was refused with HTTP ${status}. Check what stands between here and the vCenter.`,
    });
  }
  if (status === 404) {
    return new SourceError({
      code: 'HttpStatus404',
      kind: 'invalid',
      message: `${what} met HTTP 404. The URL of the provider is not that of a vCenter or ESXi: https://HOST/sdk.`,
    });
  }
  return new SourceError({
    code: `HttpStatus${status}`,
    kind: 'transient',
    message: `${what} met HTTP ${status}: the vCenter is starting, or a proxy cannot reach it. It is tried again.`,
  });
}

export function garbledError(attempt: Attempt): SourceError {
  return new SourceError({
    code: 'NotSoap',
    kind: 'transient',
    message: `${attempt.method} on ${attempt.on.type} ${attempt.on.value}: the answer is no SOAP envelope. Is the provider's URL that of a vCenter?`,
  });
}
