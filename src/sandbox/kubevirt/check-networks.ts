import type { Interface, Network, VirtualMachineInstanceSpec } from '../../api/external/kubevirt.ts';

const models = ['e1000', 'e1000e', 'igb', 'ne2k_pci', 'pcnet', 'rtl8139', 'virtio'];
const states = ['up', 'down', 'absent'];
/** Of the bridge inside the launcher pod. */
const reservedMac = '02:00:00:00:00:00';
/** net.ParseMAC takes 6, 8 or 20 bytes with ':' or '-', or groups of four digits with dots. */
const macForms = [
  /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$|^[0-9a-f]{2}(-[0-9a-f]{2}){5}$|^[0-9a-f]{4}(\.[0-9a-f]{4}){2}$/i,
  /^[0-9a-f]{2}([:-][0-9a-f]{2}){7}$|^[0-9a-f]{2}([:-][0-9a-f]{2}){19}$/i,
] as const;
const pciForm = /^[\da-f]{4}:[\da-f]{2}:[\da-f]{2}\.[0-7]$/i;

/** Networks and interfaces, each alone and against each other (fact: kubevirt 1.2). */
export function checkNetworks(field: string, spec: VirtualMachineInstanceSpec): readonly string[] {
  const networks = spec.networks ?? [];
  const interfaces = spec.domain.devices.interfaces ?? [];
  const byName = new Map(networks.map((network) => [network.name, network]));
  return [
    ...checkSources(field, networks),
    ...interfaces.flatMap((nic) => checkState(nic, byName.get(nic.name))),
    ...interfaces.flatMap((nic) => checkBinding(nic, byName.get(nic.name))),
    ...duplicates(networks).map(
      ({ name }) => `Network with name "${name}" already exists, every network must have a unique name`,
    ),
    ...networks.flatMap(({ name }, index) =>
      interfaces.some((nic) => nic.name === name)
        ? []
        : [`${field}.networks[${index}].name '${name}' not found.`],
    ),
    ...duplicates(interfaces).map(() => 'Only one interface can be connected to one specific network'),
    ...interfaces.flatMap((nic, index) => {
      const at = `${field}.domain.devices.interfaces[${index}].name`;
      return byName.has(nic.name) ? [] : [`${at} '${nic.name}' not found.`];
    }),
    ...interfaces.flatMap((nic, index) =>
      checkFields(`${field}.domain.devices.interfaces[${index}].name`, nic),
    ),
  ];
}

function checkSources(field: string, networks: readonly Network[]): readonly string[] {
  const texts: string[] = [];
  const pods = networks.filter(({ pod }) => pod !== undefined).length;
  const defaults = networks.filter(({ multus }) => multus?.default === true).length;
  if (pods > 1) texts.push(`more than one interface is connected to a pod network in ${field}.interfaces`);
  if (defaults > 1) texts.push('Multus CNI should only have one default network');
  if (pods > 0 && defaults > 0) {
    texts.push('Pod network cannot be defined when Multus default network is defined');
  }
  for (const { pod, multus } of networks) {
    if (pod === undefined && multus === undefined) texts.push('should have a network type');
    if (pod !== undefined && multus !== undefined) texts.push('should have only one network type');
  }
  if (networks.some(({ multus }) => multus?.networkName === '')) {
    texts.push('CNI delegating plugin must have a networkName');
  }
  return texts;
}

function checkState(nic: Interface, network: Network | undefined): readonly string[] {
  const { name, state } = nic;
  if (state === undefined) return [];
  if (!states.includes(state)) return [`logical ${name} interface state value is unsupported: ${state}`];
  const texts: string[] = [];
  if (nic.sriov !== undefined && state !== 'absent') {
    texts.push(`"${name}" interface's state "${state}" is not supported for SR-IOV NICs`);
  }
  if (state === 'absent' && nic.bridge === undefined) {
    texts.push(`"${name}" interface's state "${state}" is supported only for bridge binding`);
  }
  if (state === 'absent' && (network?.pod !== undefined || network?.multus?.default === true)) {
    texts.push(`"${name}" interface's state "${state}" is not supported on default networks`);
  }
  return texts;
}

/** Neither none nor two methods are refused: KubeVirt 1.8 takes both. Bridge on the pod network is what its default configuration permits. */
function checkBinding(nic: Interface, network: Network | undefined): readonly string[] {
  const { name, masquerade, bridge, sriov, binding, macAddress } = nic;
  const texts: string[] = [];
  const hasMethod = [masquerade, bridge, sriov].some((method) => method !== undefined);
  if (binding !== undefined && hasMethod) {
    texts.push(`logical ${name} interface cannot have both binding plugin and interface binding method`);
  }
  if (masquerade !== undefined && network?.pod === undefined) {
    texts.push('Masquerade interface only implemented with pod network');
  }
  if (masquerade !== undefined && macAddress?.toLowerCase().replaceAll('-', ':') === reservedMac) {
    texts.push('The requested MAC address is reserved for the in-pod bridge. Please choose another one.');
  }
  return texts;
}

function checkFields(at: string, { name, model, macAddress, pciAddress = '' }: Interface): readonly string[] {
  const texts: string[] = [];
  if (!/^[A-Za-z0-9-_]+$/.test(name)) {
    texts.push(
      'Network interface name can only contain alphabetical characters, numbers, dashes (-) or underscores (_)',
    );
  }
  if (model !== undefined && !models.includes(model)) {
    texts.push(`interface ${at} uses model ${model} that is not supported.`);
  }
  const [six, longer] = macForms;
  if (macAddress !== undefined && macAddress !== '' && !six.test(macAddress)) {
    const what = longer.test(macAddress) ? 'too long' : 'malformed';
    texts.push(`interface ${at} has ${what} MAC address (${macAddress}).`);
  }
  if (pciAddress !== '' && !pciForm.test(pciAddress)) {
    texts.push(`interface ${at} has malformed PCI address (${pciAddress}).`);
  }
  return texts;
}

/** All but the first of each name. */
function duplicates<T extends { readonly name: string }>(named: readonly T[]): readonly T[] {
  return named.filter((one, index) => named.findIndex(({ name }) => name === one.name) < index);
}
