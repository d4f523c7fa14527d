import type { Clock } from '../../runtime/clock.ts';
import type { Trace } from '../world.ts';
import type { Account } from './account.ts';
import type { Inventory } from './inventory.ts';
import type { ManagedObject, Registry } from './managed-object.ts';
import type { PowerControl } from './power.ts';
import type { Privileges } from './privileges.ts';
import type { Session, Sessions } from './sessions.ts';
import type { SnapshotControl } from './snapshot-control.ts';
import type { Snapshots } from './snapshots.ts';
import type { VimCall } from './soap-request.ts';
import { notFound } from './vim-fault.ts';
import { MoRef, type VimObject, type VimValue } from './vim-value.ts';
import type { DiskChanges } from './vm-disk-changes.ts';
import type { VmStore } from './vm-store.ts';
import type { VmTasks } from './vm-tasks.ts';

/** The vCenter behind its API: what the methods work on. */
export interface VCenterParts {
  readonly clock: Clock;
  readonly trace: Trace;
  readonly about: VimObject;
  readonly account: Account;
  readonly sessions: Sessions;
  readonly privileges: Privileges;
  readonly registry: Registry;
  readonly inventory: Inventory;
  readonly vms: VmStore;
  readonly power: PowerControl;
  readonly vmTasks: VmTasks;
  readonly snapshots: Snapshots;
  readonly snapshotControl: SnapshotControl;
  readonly diskChanges: DiskChanges;
  readonly reconfigureMs: number;
  /** Areas in one answer of QueryChangedDiskAreas. */
  readonly maxChangedAreas: number;
}

/** One call of a method, after the request was proved against the schema. */
export interface CallContext extends VCenterParts {
  readonly call: VimCall;
  readonly signal: AbortSignal;
  /** Undefined before Login. */
  readonly session: Session | undefined;
  /** Hands out a new session's cookie with the answer. */
  setCookie(session: Session): void;
}
/** A call that needs a login. */
export interface SessionContext extends CallContext {
  readonly session: Session;
}

export type Result = VimValue | undefined | Promise<VimValue | undefined>;
export type Handlers<Context> = Readonly<Record<string, (context: Context) => Result>>;

export function textArg(context: CallContext, name: string): string {
  const value = context.call.args[name];
  return typeof value === 'string' ? value : '';
}

export function numberArg(value: VimValue | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

export function refArg(context: CallContext, name: string): MoRef | undefined {
  const value = context.call.args[name];
  return value instanceof MoRef ? value : undefined;
}

/** The object that `_this` or an argument names. Throws ManagedObjectNotFound; things of other sessions cannot be seen. */
export function objectOf(context: SessionContext, ref: MoRef, type: string): ManagedObject {
  const object = context.registry.require(ref, type);
  if (ref.id.startsWith('session[') && !context.session.owns(object)) throw notFound(ref);
  return object;
}
