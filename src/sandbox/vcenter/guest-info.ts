import type { PlacedDisk } from './disk-placement.ts';
import { macOf } from './vm-devices.ts';
import { vim } from './vim-schema.ts';
import type { VimObject } from './vim-value.ts';
import type { NicSpec, VmSpec } from './vm-spec.ts';

/** What the vCenter knows of the guest. Addresses, routes, disks and host name come from the tools, so only while they run (fact: vs 2.4). */
export function guestInfo(
  spec: VmSpec,
  placed: readonly PlacedDisk[],
  number: number,
  toolsRun: boolean,
): VimObject {
  const { guest } = spec;
  const basics = {
    toolsStatus: toolsStatus(spec, toolsRun),
    toolsVersionStatus2: guest.tools === 'absent' ? 'guestToolsNotInstalled' : 'guestToolsCurrent',
    toolsRunningStatus: toolsRun ? 'guestToolsRunning' : 'guestToolsNotRunning',
    toolsVersion: guest.tools === 'absent' ? '0' : '12352',
    guestState: toolsRun ? 'running' : 'notRunning',
  };
  if (!toolsRun) return vim('GuestInfo', basics);
  const ipAddress = spec.nics.flatMap((nic) => nic.addresses.map(({ ip }) => ip))[0];
  return vim('GuestInfo', {
    ...basics,
    guestId: guest.id,
    guestFamily: `${guest.family}Guest`,
    guestFullName: guest.fullName,
    hostName: guest.hostname,
    ...(ipAddress !== undefined && { ipAddress }),
    net: spec.nics.flatMap((nic, index) => (isSeen(nic) ? [guestNic(nic, index, spec, number)] : [])),
    ipStack: [ipStack(spec)],
    disk: guestDisks(spec, placed),
  });
}

export function toolsStatus(spec: VmSpec, toolsRun: boolean): string {
  if (spec.guest.tools === 'absent') return 'toolsNotInstalled';
  return toolsRun ? 'toolsOk' : 'toolsNotRunning';
}

function isSeen(nic: NicSpec): boolean {
  return nic.connected && nic.model !== 'sriov';
}

function dnsOf(spec: VmSpec, servers: readonly string[]): VimObject {
  const [hostName = '', ...rest] = spec.guest.hostname.split('.');
  const domainName = rest.join('.');
  const searchDomain = domainName === '' ? [] : [domainName];
  return vim('NetDnsConfigInfo', { dhcp: false, hostName, domainName, ipAddress: servers, searchDomain });
}

function guestNic(nic: NicSpec, index: number, spec: VmSpec, number: number): VimObject {
  return vim('GuestNicInfo', {
    network: nic.network,
    ipAddress: nic.addresses.map(({ ip }) => ip),
    macAddress: macOf(nic, index, number),
    connected: true,
    deviceConfigId: 4000 + index,
    dnsConfig: dnsOf(spec, nic.dns),
    ipConfig: vim('NetIpConfigInfo', {
      ipAddress: nic.addresses.map(({ ip, prefix, origin }) =>
        vim('NetIpConfigInfoIpAddress', {
          ipAddress: ip,
          prefixLength: prefix,
          origin: origin ?? 'manual',
          state: 'preferred',
        }),
      ),
    }),
  });
}

/** One stack; a route's device is the position of the card among those the guest reports (fact: vs 2.3, 3.5). */
function ipStack(spec: VmSpec): VimObject {
  const seen = spec.nics.filter(isSeen);
  const routes = seen.flatMap((nic, position) => {
    const device = String(position);
    const own = nic.addresses.map(({ ip, prefix }) => route(networkOf(ip, prefix), prefix, { device }));
    if (nic.gateway === undefined) return own;
    const everywhere = nic.gateway.includes(':') ? '::' : '0.0.0.0';
    return [route(everywhere, 0, { ipAddress: nic.gateway, device }), ...own];
  });
  return vim('GuestStackInfo', {
    dnsConfig: dnsOf(spec, [...new Set(spec.nics.flatMap((nic) => nic.dns))]),
    ipRouteConfig: vim('NetIpRouteConfigInfo', { ipRoute: routes }),
  });
}

function route(
  network: string,
  prefixLength: number,
  gateway: { readonly ipAddress?: string; readonly device: string },
): VimObject {
  return vim('NetIpRouteConfigInfoIpRoute', {
    network,
    prefixLength,
    gateway: vim('NetIpRouteConfigInfoGateway', { ...gateway }),
  });
}

/** IPv4 masked to its prefix; of IPv6 the address itself, which is all that is needed here. */
function networkOf(ip: string, prefix: number): string {
  const parts = ip.split('.').map(Number);
  if (parts.length !== 4) return ip;
  return parts.map((part, index) => part & maskByte(prefix - index * 8)).join('.');
}

function maskByte(bits: number): number {
  return 256 - 2 ** (8 - Math.min(8, Math.max(0, bits)));
}

function guestDisks(spec: VmSpec, placed: readonly PlacedDisk[]): readonly VimObject[] {
  const windows = spec.guest.family === 'windows';
  return placed.map((disk, index) =>
    vim('GuestDiskInfo', {
      diskPath: windows ? `${String.fromCharCode(67 + index)}:\\` : index === 0 ? '/' : `/data${index}`,
      capacity: disk.spec.sizeBytes,
      freeSpace: Math.floor(disk.spec.sizeBytes / 2),
      filesystemType: windows ? 'NTFS' : 'ext4',
      mappings: [vim('GuestInfoVirtualDiskMapping', { key: disk.key })],
    }),
  );
}
