import type { Devices } from '../../api/external/kubevirt.ts';
import type { VirtualMachineImportSpec } from '../../api/virtual-machine-import.ts';
import type { buildDisks } from './disks.ts';
import { wantsMultiqueue, type Networking } from './networks.ts';

/** `disks` and `networking` are what the other builders made of the same spec. */
export function buildDevices(
  spec: VirtualMachineImportSpec,
  disks: ReturnType<typeof buildDisks>['disks'],
  networking: Networking,
): Devices {
  const legacy = lacksVirtio(spec);
  return {
    disks,
    interfaces: networking.interfaces,
    // A VM without any interface would get one of the pod network (fact: kubevirt 1.2).
    ...(networking.interfaces.length === 0 && { autoattachPodInterface: false }),
    inputs: [{ name: 'tablet', type: 'tablet', bus: legacy ? 'usb' : 'virtio' }],
    // Said in so many words: a preference that turns a TPM on has broken Windows (fact: vsphere 3.1).
    tpm: spec.model.firmware.tpm ? { persistent: true } : { enabled: false },
    ...(!legacy && { rng: {} }),
    ...(wantsMultiqueue(spec) && { networkInterfaceMultiqueue: true }),
  };
}

/** Nobody puts virtio drivers into the guest, and the user does not say that they are there. */
function lacksVirtio({ options }: VirtualMachineImportSpec): boolean {
  return options.skipConversion && options.compatibility;
}
