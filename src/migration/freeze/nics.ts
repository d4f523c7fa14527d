import type { FrozenNic } from '../../api/virtual-machine-import.ts';
import type { Finding } from '../../model/source-data.ts';
import type { FreezeInput } from './input.ts';
import { lacksVirtio, notValid, reportTwice } from './disks.ts';
import { mapNetworks } from './mapping.ts';
import { namingTemplate } from './naming-templates.ts';

export interface FrozenNics {
  readonly nics: readonly FrozenNic[];
  readonly findings: readonly Finding[];
}

/** What becomes of the NICs of a VM. With a Critical finding they are of no use. */
export function freezeNics(input: FreezeInput): FrozenNics {
  const { plan, planVm, model, networkMap } = input;
  const targets = mapNetworks(
    model.nics.map((nic) => nic.network),
    networkMap,
    plan.spec.targetNamespace,
  );
  const findings: Finding[] = [];
  const render = namingTemplate('networkNameTemplate', planVm, plan);
  const nicModel = lacksVirtio(input) ? 'e1000e' : 'virtio';
  const preserve = plan.spec.preserveStaticIPs ?? true;
  let attached = 0;
  const nics = model.nics.flatMap((nic, position): readonly FrozenNic[] => {
    const target = targets[position];
    if (target === undefined) {
      findings.push(unmapped(input, nic.network.names[0] ?? nic.network.ids[0] ?? 'an unknown network'));
      return [];
    }
    const common = {
      key: nic.key,
      model: nicModel,
      ...(nic.mac !== undefined && nic.mac !== '' && { mac: nic.mac }),
      staticIps: preserve && nic.addresses.some((address) => address.origin === 'static'),
    };
    if (target.action === 'ignored')
      return [{ ...common, interfaceName: `net-${position}`, action: 'ignored' }];
    const macProblem = problemWithMac(common.mac, target.action);
    if (macProblem !== undefined) findings.push(notValid(model.name, macProblem));
    const nad = target.action === 'multus' ? target.nad : '';
    const [networkNamespace = '', networkName = ''] = nad.split('/');
    const name = render({
      NetworkName: networkName,
      NetworkNamespace: networkNamespace,
      NetworkType: target.action,
      NetworkIndex: attached,
    });
    attached += 1;
    if (name.problem !== undefined) findings.push(notValid(model.name, name.problem));
    return [{ ...common, interfaceName: name.name ?? '', action: target.action, ...(nad !== '' && { nad }) }];
  });
  const used = nics.filter((nic) => nic.action !== 'ignored');
  reportTwice(
    used.map((nic) => nic.interfaceName),
    'networkNameTemplate',
    model.name,
    findings,
  );
  if (used.filter((nic) => nic.action === 'pod').length > 1) findings.push(manyPodNetworks(model.name));
  return { nics, findings };
}

/** Of the bridge in a pod through which the pod network comes. */
const reservedMac = '02:00:00:00:00:00';

/** KubeVirt takes other notations too, and then nothing can be made of them. */
function problemWithMac(mac: string | undefined, action: 'pod' | 'multus'): string | undefined {
  if (mac === undefined) return undefined;
  if (!/^[\da-f]{2}(?::[\da-f]{2}){5}$|^[\da-f]{2}(?:-[\da-f]{2}){5}$/i.test(mac))
    return `the MAC address "${mac}" of one of its NICs is none`;
  const isReserved = action === 'pod' && mac.replaceAll('-', ':') === reservedMac;
  return isReserved
    ? `the MAC address ${mac} is KubeVirt's own on the pod network; map the NIC to another network`
    : undefined;
}

function unmapped({ model }: FreezeInput, network: string): Finding {
  return {
    code: 'VMNetworksNotMapped',
    severity: 'Critical',
    reason: 'NotValid',
    message: `${model.name}: the network map has no entry for network ${network}`,
    items: [network],
  };
}

/** KubeVirt takes at most one (fact: kubevirt 1.2). */
function manyPodNetworks(vmName: string): Finding {
  return {
    code: 'VMMultiplePodNetworkMappings',
    severity: 'Critical',
    reason: 'NotValid',
    message: `${vmName}: more than one of its NICs goes to the pod network, and a VM can have only one there`,
  };
}
