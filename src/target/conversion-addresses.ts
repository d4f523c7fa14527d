import { isIP } from 'node:net';
import type { NicModel, VmModel } from '../model/vm.ts';

type Address = NicModel['addresses'][number];

/**
 * The guest's fixed addresses as virt-v2v's `--mac` takes them, "<mac>:ip:<ip>,<gateway>,<prefix>,<dns>...", one after another with "_"
 * between them (fact: pkg/virt-v2v/config of 2.12). Of Windows only those that were set by hand, since it would keep leased ones for ever
 * (review.md F43). undefined: there are none.
 */
export function staticAddresses({
  nics,
  guest,
}: Pick<VmModel, 'nics' | 'guest'>): { readonly text: string; readonly isMultiple: boolean } | undefined {
  const isWindows = guest.family === 'windows';
  const found = nics.flatMap(({ mac, addresses }) =>
    mac === undefined
      ? []
      : addresses.filter((address) => isKept(address, isWindows)).map((address) => ({ mac, address })),
  );
  if (found.length === 0) return undefined;
  const ordered = found.toSorted((a, b) => isIP(a.address.ip) - isIP(b.address.ip));
  const macs = found.map(({ mac }) => mac);
  return {
    text: ordered.map(({ mac, address }) => described(mac, address)).join('_'),
    isMultiple: isWindows && new Set(macs).size < macs.length,
  };
}

function isKept({ ip, origin }: Address, isWindows: boolean): boolean {
  if (isIP(ip) === 0 || isLinkLocal(ip)) return false;
  return !isWindows || origin === 'static';
}

function isLinkLocal(ip: string): boolean {
  return ip.startsWith('169.254.') || /^fe[89ab][0-9a-f]:/i.test(ip);
}

function described(mac: string, { ip, gateway = '', prefix, dns }: Address): string {
  return `${mac}:ip:${[ip, gateway, String(prefix), ...dns].join(',')}`;
}
