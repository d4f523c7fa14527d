import type { Handlers, SessionContext } from './service-context.ts';
import { notFound } from './vim-fault.ts';
import type { SimulatedVm } from './vm-store.ts';

/** fact: vs 1.5; the privileges are two of those that Forklift asks for. That a guest shutdown needs PowerOff is inferred. */
export const powerMethods: Handlers<SessionContext> = {
  PowerOnVM_Task: (context) => {
    const vm = vmOf(context);
    context.privileges.require('VirtualMachine.Interact.PowerOn', vm.object);
    return context.power.powerOn(vm, context.session);
  },
  PowerOffVM_Task: (context) => {
    const vm = vmOf(context);
    context.privileges.require('VirtualMachine.Interact.PowerOff', vm.object);
    return context.power.powerOff(vm, context.session);
  },
  ShutdownGuest: (context) => {
    const vm = vmOf(context);
    context.privileges.require('VirtualMachine.Interact.PowerOff', vm.object);
    context.power.shutdownGuest(vm, context.session);
    return undefined;
  },
};

/** The VM that `_this` names. Throws ManagedObjectNotFound. */
export function vmOf({ call, registry, vms }: SessionContext): SimulatedVm {
  const vm = vms.byId(registry.require(call.on, 'VirtualMachine').id);
  if (vm === undefined) throw notFound(call.on);
  return vm;
}
