import type { VirtualMachine, VirtualMachineInstance } from '../../api/external/kubevirt.ts';
import { virtualMachineInstances, virtualMachines } from '../../api/kinds.ts';
import type { ApiServer } from '../world.ts';
import { checkInstance, checkVirtualMachine, joinRefusals } from './check-virtual-machine.ts';
import { unreadable } from './decode.ts';
import { withInstanceDefaults, withMachineDefaults } from './defaults.ts';

export const machineMutator = 'virtualmachines-mutator.kubevirt.io';
export const machineWebhook = 'virtualmachine-validator.kubevirt.io';
export const instanceWebhook = 'virtualmachineinstances-create-validator.kubevirt.io';

/** virt-api's mutating and validating webhooks for machines and instances (fact: kubevirt 1.1, 1.2). `random` is seeded. */
export function registerKubeVirtAdmission(api: ApiServer, deps: { readonly random: () => number }): void {
  api.admit(virtualMachines, ({ operation, object }) => {
    if (operation === 'DELETE' || object.metadata.deletionTimestamp !== undefined) return object;
    const refusal = unreadable(object as VirtualMachine);
    if (refusal !== undefined) return { denied: refusal.why, webhook: machineMutator, code: refusal.code };
    return withMachineDefaults(object as VirtualMachine, operation, deps.random);
  });
  api.admit(virtualMachines, ({ operation, object }) => {
    if (operation === 'DELETE' || object.metadata.deletionTimestamp !== undefined) return object;
    const refusals = checkVirtualMachine(object as VirtualMachine);
    return refusals.length === 0 ? object : { denied: joinRefusals(refusals), webhook: machineWebhook };
  });
  api.admit(virtualMachineInstances, ({ operation, object }) => {
    if (operation !== 'CREATE') return object;
    const instance = object as VirtualMachineInstance;
    const spec = withInstanceDefaults(instance.spec);
    const refusals = checkInstance(spec);
    if (refusals.length > 0) return { denied: joinRefusals(refusals), webhook: instanceWebhook };
    return spec === instance.spec ? object : { ...instance, spec };
  });
}
