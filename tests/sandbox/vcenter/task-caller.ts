import type { CanonicalElement } from '../../golden/vsphere/canonical.ts';
import { childOf, textOf, type SoapCaller, type VCenterWorld } from './soap-caller.ts';

export const vm1 = ['VirtualMachine', 'vm-101'] as const;
const xsiType = '{http://www.w3.org/2001/XMLSchema-instance}type';

export interface SeenTask {
  readonly state: string;
  readonly progress: string;
  /** Type of the fault, "" without one. */
  readonly fault: string;
  readonly text: string;
  readonly result: string;
}

export async function taskAt(caller: SoapCaller, id: string): Promise<SeenTask> {
  const info = await caller.property('Task', id, 'info');
  if (info === undefined) throw new Error(`no task ${id}`);
  const error = childOf(info, 'error');
  const fault = error === undefined ? undefined : childOf(error, 'fault');
  return {
    state: textOf(info, 'state'),
    progress: textOf(info, 'progress'),
    fault: fault?.attributes[xsiType]?.replace(/^\{.*\}/, '') ?? '',
    text: error === undefined ? '' : textOf(error, 'localizedMessage'),
    result: textOf(info, 'result'),
  };
}

/** Calls a method that makes a task; returns the task's id. */
export async function start(
  caller: SoapCaller,
  method: string,
  inner = '',
  on: readonly [string, string] = vm1,
): Promise<string> {
  const [task] = await caller.call(method, on, inner);
  return task?.text ?? '';
}

/** The same, and lets five minutes pass. */
export async function done(
  world: VCenterWorld,
  caller: SoapCaller,
  method: string,
  inner = '',
  on: readonly [string, string] = vm1,
): Promise<SeenTask> {
  const task = await start(caller, method, inner, on);
  await world.clock.advance(300_000);
  return taskAt(caller, task);
}

export const plain = '<memory>false</memory><quiesce>false</quiesce>';
export const quiesced = '<memory>false</memory><quiesce>true</quiesce>';

/** A snapshot through the API; returns its moref. */
export async function snapshot(world: VCenterWorld, caller: SoapCaller, name: string): Promise<string> {
  const { state, result, text } = await done(
    world,
    caller,
    'CreateSnapshot_Task',
    `<name>${name}</name>${plain}`,
  );
  if (state !== 'success') throw new Error(`${name}: ${state} ${text}`);
  return result;
}

export function removeSnapshot(world: VCenterWorld, caller: SoapCaller, id: string): Promise<SeenTask> {
  const inner = '<removeChildren>false</removeChildren><consolidate>true</consolidate>';
  return done(world, caller, 'RemoveSnapshot_Task', inner, ['VirtualMachineSnapshot', id]);
}

/** The backing of the VM's or a snapshot's disk as its files, top first. */
export async function filesOf(
  caller: SoapCaller,
  type: string,
  id: string,
  key = 2000,
): Promise<readonly string[]> {
  const files: string[] = [];
  let backing: CanonicalElement | undefined = await caller.property(
    type,
    id,
    `config.hardware.device[${key}].backing`,
  );
  for (; backing !== undefined; backing = childOf(backing, 'parent')) {
    files.push(textOf(backing, 'fileName').replace(/^.*\//, ''));
  }
  return files;
}
