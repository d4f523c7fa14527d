import type { Interface, InterfaceModel, Network } from '../../api/external/kubevirt.ts';
import type { FrozenNic, VirtualMachineImportSpec } from '../../api/virtual-machine-import.ts';
import type { NicModel } from '../../model/vm.ts';

export interface Networking {
  readonly interfaces: readonly Interface[];
  readonly networks: readonly Network[];
}

/** Name under which OpenShift's network registers the binding for a namespace with a primary network of its own (fact: kubevirt 1.2). */
const primaryNetworkBinding = 'l2bridge';

/** One interface and one network of the same name for every NIC that is not ignored, in the order of the guest. */
export function buildNetworking(spec: VirtualMachineImportSpec): Networking {
  const models = new Map(spec.model.nics.map((nic) => [nic.key, nic]));
  const wanted = spec.nics.filter((nic) => nic.action !== 'ignored');
  return {
    interfaces: wanted.map((nic) => buildInterface(nic, models.get(nic.key))),
    networks: wanted.map(buildNetwork),
  };
}

/** More than one queue needs a driver that knows virtio's. */
export function wantsMultiqueue(spec: VirtualMachineImportSpec): boolean {
  const virtio = new Set(
    spec.nics.flatMap((nic) => (nic.model === 'virtio' && nic.action !== 'ignored' ? [nic.key] : [])),
  );
  return spec.model.nics.some((nic) => nic.multiqueue && virtio.has(nic.key));
}

function buildInterface(nic: FrozenNic, model: NicModel | undefined): Interface {
  const down = model?.linkUp === false && nic.action !== 'sriov';
  const pciAddress = pciAddressOf(model);
  return {
    name: nic.interfaceName,
    ...(nic.action !== 'sriov' && { model: interfaceModel(nic.model) }),
    ...(nic.mac !== undefined && nic.mac !== '' && { macAddress: nic.mac }),
    ...bindingOf(nic),
    ...(down && { state: 'down' as const }),
    ...(pciAddress !== undefined && { pciAddress }),
  };
}

function bindingOf(nic: FrozenNic): Pick<Interface, 'masquerade' | 'bridge' | 'sriov' | 'binding'> {
  switch (nic.action) {
    case 'pod':
      return { masquerade: {} };
    case 'sriov':
      return { sriov: {} };
    case 'udn':
      return { binding: { name: primaryNetworkBinding } };
    case 'multus':
    case 'ignored':
      return { bridge: {} };
  }
}

function buildNetwork(nic: FrozenNic): Network {
  const { interfaceName: name, nad } = nic;
  return nad === undefined ? { name, pod: {} } : { name, multus: { networkName: nad } };
}

function interfaceModel(model: string): InterfaceModel {
  return knownModels.find((known) => known === model) ?? 'virtio';
}

const knownModels: readonly InterfaceModel[] = [
  'virtio',
  'e1000',
  'e1000e',
  'igb',
  'ne2k_pci',
  'pcnet',
  'rtl8139',
];

/** Keeps the names of Linux interfaces; an address in another notation is of no use to KubeVirt. */
function pciAddressOf(model: NicModel | undefined): string | undefined {
  const address = model?.pciAddress;
  return address !== undefined && /^[\da-fA-F]{4}:[\da-fA-F]{2}:[\da-fA-F]{2}\.[0-7]$/.test(address)
    ? address
    : undefined;
}
