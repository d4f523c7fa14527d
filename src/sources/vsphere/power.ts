import { isSourceError } from '../../model/fault.ts';
import type { PowerReading, VmHandle } from '../../model/source-data.ts';
import { powerStateOf } from './model/vm-model.ts';
import type { VimSession } from './session.ts';
import { powerOffTask, powerOnTask, shutdownGuest } from './soap/requests.ts';
import { readVm, vmRef } from './vm-reads.ts';

/** vSphere has nothing to restore but the state itself. */
export async function readPower(
  session: VimSession,
  instance: string,
  vm: VmHandle,
  signal: AbortSignal,
): Promise<PowerReading> {
  const read = await readVm(session, instance, vm, ['runtime.powerState'], signal);
  return { state: powerStateOf(read.properties['runtime.powerState']) };
}

/**
 * Asks once, unless the wanted state is there already. ShutdownGuest has no task: it returns when the guest has been told, and only the
 * power state shows whether it obeys (fact: vs 1.5).
 */
export async function requestPower(
  session: VimSession,
  instance: string,
  vm: VmHandle,
  wish: 'on' | 'guestOff' | 'hardOff',
  signal: AbortSignal,
): Promise<void> {
  const wanted = wish === 'on' ? 'On' : 'Off';
  const reached = async (): Promise<boolean> =>
    (await readPower(session, instance, vm, signal)).state === wanted;
  if (await reached()) return;
  try {
    await session.call(requests[wish](vmRef(vm)), signal);
  } catch (error) {
    // Somebody was faster, between our look and our request.
    if (isSourceError(error) && error.code === 'InvalidPowerState' && (await reached())) return;
    throw error;
  }
}

const requests = { on: powerOnTask, guestOff: shutdownGuest, hardOff: powerOffTask } as const;
