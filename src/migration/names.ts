import { labelValue } from '../api/label-value.ts';
import { markerPrefix } from '../api/labels.ts';
import type { VirtualMachineImportSpec } from '../api/virtual-machine-import.ts';
import { shortHash } from '../model/short-hash.ts';

/**
 * Every name that an import gives. All are computed, never drawn: who asks again after a crash gets the same name (review.md F5, F6, F16).
 */

const longestLabel = 63;
const longestSubdomain = 253;
const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

export function isDnsLabel(name: string): boolean {
  return name.length <= longestLabel && label.test(name);
}

export function isDnsSubdomain(name: string): boolean {
  return name.length <= longestSubdomain && subdomain.test(name);
}

// ---- the target VM --------------------------------------------------------------------------------------------------------------

/** The parts of an import's spec that its names are made of. */
export interface NameInputs {
  readonly run: { readonly migration: Pick<VirtualMachineImportSpec['run']['migration'], 'uid'> };
  readonly vm: Pick<VirtualMachineImportSpec['vm'], 'id' | 'name'>;
  readonly target: { readonly namePreferred?: string };
}

const suffixLength = 5;

/**
 * Names that the target VM may get, best first: DNS-1123 subdomains, and of at most 63 characters unless the user chose otherwise. The
 * second is for when another object has the first. A name that the user chose has no second: then it is that or nothing.
 */
export function targetNames({ run, vm, target }: NameInputs): readonly [string, ...string[]] {
  if (target.namePreferred !== undefined) return [target.namePreferred];
  const hash = shortHash([run.migration.uid, vm.id], suffixLength);
  const clean = cleanVmName(vm.name);
  if (clean === '') return [`vm-${hash}`, `vm-${shortHash([run.migration.uid, vm.id, 'again'], 8)}`];
  return [clean, `${cut(clean, longestLabel - suffixLength - 1)}-${hash}`];
}

/** Forklift's rules (kubevirt.md 1.3): lower case, some signs become dashes, others go, dots stay between parts; at most 63 characters. */
function cleanVmName(name: string): string {
  const parts = name.toLowerCase().split('.').map(cleanPart);
  return cut(parts.filter((part) => part !== '').join('.'), longestLabel);
}

function cleanPart(part: string): string {
  const dashed = part.replace(/[\s_+*/\\]/g, '-').replace(/[^-a-z0-9]/g, '');
  return dashed.replace(/-+/g, '-').replace(/^-|-$/g, '');
}

function cut(name: string, length: number): string {
  return name.slice(0, length).replace(/[-.]+$/, '');
}

// ---- the import -----------------------------------------------------------------------------------------------------------------

/** "<plan>-<vm>-<hash>", a DNS label: plan and VM are there to be read, the hash of Migration and VM makes it the only one (review.md F16). */
export function importName(planName: string, vmName: string, migrationUid: string, vmId: string): string {
  const parts = [dnsLabel(planName, 30), dnsLabel(vmName, 20), shortHash([migrationUid, vmId], 8)];
  return parts.filter((part) => part !== '').join('-');
}

/** Any text as a DNS label of at most `length` characters; '' when nothing of it can stay. */
export function dnsLabel(text: string, length = longestLabel): string {
  return cut(cleanPart(text.toLowerCase().replaceAll('.', '-')), length);
}

/** Name of the n-th thing that an import makes at its source: "gantry-<8 hex>-<n>". */
export function markerName(importUid: string, n: number): string {
  return `${markerPrefix}${shortHash([importUid], 8)}-${n}`;
}

/** Value of the label gantry.dev/disk. */
export function diskLabelValue(diskKey: string): string {
  return labelValue(diskKey);
}

// ---- claims ---------------------------------------------------------------------------------------------------------------------

export interface ClaimNameInputs {
  /** The template's output, a DNS label. */
  readonly base: string;
  readonly diskKey: string;
}

const claimHashLength = 8;

/** Whether a claim's name ends in our hash, so that nobody else's claim bears it but by intent. */
export function isDrawnClaimName(
  claimName: string,
  disk: { readonly diskKey: string; readonly migrationUid: string; readonly vmId: string },
): boolean {
  return claimName.endsWith(`-${claimHash(disk, 0)}`);
}

function claimHash(
  { migrationUid, vmId, diskKey }: { diskKey: string; migrationUid: string; vmId: string },
  attempt: number,
): string {
  return shortHash([migrationUid, vmId, diskKey, String(attempt)], claimHashLength);
}

/**
 * One name per disk, in order. `exact`: as the template gives them, and then two disks may have one name: the caller looks. Otherwise a
 * hash goes behind: like a drawn name it meets no claim of an earlier run, yet a repeated create meets its own. Eight digits, because with
 * five one of 1,000 VMs whose names begin alike would meet another's claim in three runs of a hundred.
 */
export function claimNames(
  disks: readonly ClaimNameInputs[],
  options: { readonly exact: boolean; readonly migrationUid: string; readonly vmId: string },
): readonly string[] {
  if (options.exact) return disks.map((disk) => disk.base);
  const taken = new Set<string>();
  return disks.map(({ base, diskKey }) => {
    const readable = cut(base, longestLabel - claimHashLength - 1);
    for (let attempt = 0; ; attempt += 1) {
      const hash = claimHash({ ...options, diskKey }, attempt);
      const name = readable === '' ? `disk-${hash}` : `${readable}-${hash}`;
      if (taken.has(name)) continue;
      taken.add(name);
      return name;
    }
  });
}
