import { isSourceError } from '../../../model/fault.ts';
import type { Json } from '../../../model/vm.ts';
import type { Properties } from '../managed-object.ts';
import { retrieve } from '../retrieve.ts';
import type { VimSession } from '../session.ts';
import { asList, asMoRef, asText, member, typeOf, type MoRef } from '../soap/values.ts';

/** One task of a VM, as far as it matters here. */
export interface VmTask {
  readonly id: string;
  /** The method, "CreateSnapshot_Task"; Forklift looks for a name that no server sends (fact: vs 1.5). */
  readonly name: string;
  readonly state: 'queued' | 'running' | 'success' | 'error';
  /** Type of the fault it ended with, and what the server says of it. */
  readonly fault?: { readonly type: string; readonly text: string };
}

/**
 * What a VM's `recentTask` names, read now. A task that has ended is forgotten by the server after some ten minutes; one that is gone
 * between two reads is left out (fact: vs 1.5).
 */
export async function readTasks(
  session: VimSession,
  vm: Properties,
  signal: AbortSignal,
): Promise<readonly VmTask[]> {
  const refs = asList(vm['recentTask']).flatMap((value) => asMoRef(value) ?? []);
  return readTaskRefs(session, refs, signal);
}

/** undefined: the server knows it no longer. */
export async function readTask(
  session: VimSession,
  ref: MoRef,
  signal: AbortSignal,
): Promise<VmTask | undefined> {
  const [task] = await readTaskRefs(session, [ref], signal);
  return task;
}

async function readTaskRefs(
  session: VimSession,
  refs: readonly MoRef[],
  signal: AbortSignal,
): Promise<readonly VmTask[]> {
  const found: VmTask[] = [];
  // One request a task: a single one that is forgotten makes a request for several fail as a whole (fact: vs 1.5).
  for (const ref of refs) {
    const spec = { propSet: [{ type: 'Task', paths: ['info'] }], objectSet: [{ obj: ref }] };
    try {
      const [task] = await retrieve(session, spec, signal);
      const read = task === undefined ? undefined : taskOf(task.ref, task.properties['info']);
      if (read !== undefined) found.push(read);
    } catch (error) {
      if (!isSourceError(error, 'gone')) throw error;
    }
  }
  return found;
}

function taskOf(ref: MoRef, info: Json | undefined): VmTask | undefined {
  const state = asText(member(info, 'state'));
  if (state !== 'queued' && state !== 'running' && state !== 'success' && state !== 'error') return undefined;
  const error = member(info, 'error');
  const type = typeOf(member(error, 'fault'));
  return {
    id: ref.value,
    name: asText(member(info, 'name')) ?? '',
    state,
    ...(error !== undefined && { fault: { type, text: asText(member(error, 'localizedMessage')) ?? type } }),
  };
}

export function isRunning({ state }: VmTask): boolean {
  return state === 'queued' || state === 'running';
}
