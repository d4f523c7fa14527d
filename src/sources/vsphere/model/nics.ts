import type { Json, MapRef, NicModel } from '../../../model/vm.ts';
import type { Properties } from '../managed-object.ts';
import { asFlag, asList, asMoRef, asText, asWhole, member, typeOf } from '../soap/values.ts';
import { clip, clipped } from './bounds.ts';

/** What a NIC's backing may name: by reference, by the key of a distributed port group, or by the id of an opaque network. */
export type NetworkKey =
  | { readonly by: 'id'; readonly value: string }
  | { readonly by: 'portgroupKey'; readonly value: string }
  | { readonly by: 'opaqueId'; readonly value: string };
export interface NetworkNames {
  readonly id: string;
  readonly name: string;
}
export type FindNetwork = (key: NetworkKey) => NetworkNames | undefined;

/** In the guest's order where the guest has told it, else by device key (fact: vs 2.4). */
export function nicsOf(vm: Properties, findNetwork: FindNetwork): readonly NicModel[] {
  const told = asList(vm['guest.net']);
  const guestOrder = told.map((nic) => asWhole(member(nic, 'deviceConfigId')));
  const place = (key: number): number => {
    const position = guestOrder.indexOf(key);
    return position < 0 ? guestOrder.length : position;
  };
  return asList(vm['config.hardware.device'])
    .filter((device) => isEthernetCard(typeOf(device)))
    .map((device) => ({ device, key: asWhole(member(device, 'key')) ?? 0 }))
    .sort((a, b) => place(a.key) - place(b.key) || a.key - b.key)
    .slice(0, 64)
    .map(({ device, key }) => nicOf(vm, device, key, findNetwork));
}

function nicOf(vm: Properties, device: Json, key: number, findNetwork: FindNetwork): NicModel {
  const mac = clipped(member(device, 'macAddress'), 32);
  return {
    key: String(key),
    ...(mac === undefined ? {} : { mac }),
    network: networkOf(member(device, 'backing'), findNetwork),
    model: modelOf(typeOf(device)),
    linkUp: asFlag(member(device, 'connectable', 'startConnected')) ?? true,
    sriov: typeOf(device) === 'VirtualSriovEthernetCard',
    multiqueue: false,
    addresses: addressesOf(vm, key, mac),
  };
}

function isEthernetCard(type: string): boolean {
  return (
    /^Virtual(E1000e?|PCNet32|Vmxnet\w*)$/.test(type) ||
    type === 'VirtualEthernetCard' ||
    type === 'VirtualSriovEthernetCard'
  );
}

function modelOf(type: string): NicModel['model'] {
  switch (type) {
    case 'VirtualE1000':
      return 'e1000';
    case 'VirtualE1000e':
      return 'e1000e';
    case 'VirtualPCNet32':
      return 'pcnet';
    case 'VirtualVmxnet3':
      return 'vmxnet3';
    default:
      return 'other';
  }
}

/** Port groups and opaque networks are mapped by id or by key (fact: vs 3.3); a network out of sight keeps what the NIC says of it. */
function networkOf(backing: Json | undefined, findNetwork: FindNetwork): MapRef {
  const key = networkKeyOf(backing);
  const found = key === undefined ? undefined : findNetwork(key);
  const ids = [found?.id, key?.value].filter((id) => id !== undefined);
  const name = found?.name ?? asText(member(backing, 'deviceName'));
  return {
    ids: [...new Set(ids)].map((id) => clip(id, 256)),
    names: name === undefined ? [] : [clip(name, 512)],
  };
}

function networkKeyOf(backing: Json | undefined): NetworkKey | undefined {
  const portgroupKey = asText(member(backing, 'port', 'portgroupKey'));
  if (portgroupKey !== undefined) return { by: 'portgroupKey', value: portgroupKey };
  const opaqueId = asText(member(backing, 'opaqueNetworkId'));
  if (opaqueId !== undefined) return { by: 'opaqueId', value: opaqueId };
  const network = asMoRef(member(backing, 'network'));
  return network === undefined ? undefined : { by: 'id', value: network.value };
}

function addressesOf(vm: Properties, key: number, mac: string | undefined): NicModel['addresses'] {
  const told = asList(vm['guest.net']);
  const position = told.findIndex(
    (nic) =>
      asWhole(member(nic, 'deviceConfigId')) === key ||
      (mac !== undefined && asText(member(nic, 'macAddress'))?.toLowerCase() === mac.toLowerCase()),
  );
  const nic = told[position];
  const dns = dnsOf(vm, nic);
  return asList(member(nic, 'ipConfig', 'ipAddress'))
    .flatMap((address) => {
      const ip = asText(member(address, 'ipAddress'));
      const prefix = asWhole(member(address, 'prefixLength')) ?? 0;
      if (ip === undefined || isLinkLocal(ip) || prefix < 0 || prefix > 128) return [];
      const gateway = gatewayOf(vm, position, ip.includes(':'));
      return [
        {
          ip: clip(ip, 64),
          prefix,
          origin: originOf(asText(member(address, 'origin'))),
          ...(gateway === undefined ? {} : { gateway: clip(gateway, 64) }),
          dns,
        },
      ];
    })
    .slice(0, 32);
}

function originOf(origin: string | undefined): 'static' | 'dhcp' | 'unknown' {
  if (origin === 'manual') return 'static';
  return origin === 'dhcp' ? 'dhcp' : 'unknown';
}

/** No guest needs these carried over (fact: vs 3.5). */
function isLinkLocal(ip: string): boolean {
  return ip.startsWith('169.254.') || /^fe[89ab][0-9a-f]:/i.test(ip);
}

/** From the default routes of the same interface; `device` in a route is the interface's position in guest.net (fact: vs 3.5). */
function gatewayOf(vm: Properties, position: number, ipv6: boolean): string | undefined {
  const gateways = asList(vm['guest.ipStack'])
    .flatMap((stack) => asList(member(stack, 'ipRouteConfig', 'ipRoute')))
    .filter((route) => asWhole(member(route, 'prefixLength')) === 0)
    .filter((route) => asWhole(member(route, 'gateway', 'device')) === position)
    .map((route) => asText(member(route, 'gateway', 'ipAddress')))
    .filter((gateway) => gateway !== undefined)
    .filter((gateway) => gateway.includes(':') === ipv6);
  return gateways.find((gateway) => !isLinkLocal(gateway)) ?? gateways[0];
}

function dnsOf(vm: Properties, nic: Json | undefined): readonly string[] {
  const own = asList(member(nic, 'dnsConfig', 'ipAddress'));
  const common = asList(vm['guest.ipStack']).flatMap((stack) =>
    asList(member(stack, 'dnsConfig', 'ipAddress')),
  );
  return (own.length > 0 ? own : common)
    .map((server) => asText(server))
    .filter((server) => server !== undefined)
    .map((server) => clip(server, 64))
    .slice(0, 16);
}
