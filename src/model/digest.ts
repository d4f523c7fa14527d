import { createHash } from 'node:crypto';
import type { Json, VmModel } from './vm.ts';

/**
 * sha256 (64 hex digits) over what a copy and its target VM depend on. Two models of one VM with the same digest may be exchanged for
 * each other in a run; another digest means that the VM was changed (design: source.md 4, digest).
 *
 * Not part of it: power state and host (a VM may be stopped or moved while it waits), what the guest tells of itself (agent, addresses,
 * host name, free space: gone or different after a stop), bytes used, the folder, tags and notes. A rule that reads one of those needs
 * it in its own memo key (review.md F56). NICs go in by key, not in guest order, because only a running guest tells that order.
 */
export function vmDigest(vm: Omit<VmModel, 'digest'>): string {
  const relevant = {
    schema: vm.schema,
    id: vm.id,
    name: vm.name,
    identity: vm.identity,
    isTemplate: vm.isTemplate,
    cpu: vm.cpu,
    memoryBytes: vm.memoryBytes,
    firmware: vm.firmware,
    clock: vm.clock,
    disks: vm.disks.map(({ usedBytes: _used, guestMount: _mount, ...disk }) => disk),
    nics: vm.nics
      .map(({ addresses: _addresses, ...nic }) => nic)
      .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)),
    devices: vm.devices,
    guest: { family: vm.guest.family, osId: vm.guest.osId },
    foreignSnapshots: vm.foreignSnapshots,
    consolidationNeeded: vm.consolidationNeeded,
    base: vm.base,
  };
  return createHash('sha256').update(canonicalJson(relevant)).digest('hex');
}

/** The model with its digest filled in. */
export function withDigest(vm: Omit<VmModel, 'digest'>): VmModel {
  return { ...vm, digest: vmDigest(vm) };
}

type Plain = Json | undefined | readonly Plain[] | { readonly [key: string]: Plain };

/** JSON with sorted keys and without undefined members: one text for one value. */
export function canonicalJson(value: Plain): string {
  if (value === undefined) return 'null';
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

function isList(value: object): value is readonly Plain[] {
  return Array.isArray(value);
}
