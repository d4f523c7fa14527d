import type { ConditionDraft } from '../../api/conditions.ts';
import type { Finding, Severity } from '../../model/source-data.ts';
import type { JudgedVm } from './rules/rule.ts';

/** What a condition says of all the VMs it lists, where the rule itself speaks of one disk or NIC. Each ends in what to do. */
const sentences: Readonly<Record<string, string>> = {
  VMStorageNotMapped:
    'VMs have disks on storage that the storage map has no entry for. Add one for each place.',
  VMNetworksNotMapped:
    'VMs have NICs on networks that the network map has no entry for. Add one for each; type ignored leaves such a NIC out.',
  VMMultiplePodNetworkMappings:
    'VMs have more than one NIC that goes to the pod network, and a VM can have only one there. Map the others to a NetworkAttachmentDefinition, or to type ignored.',
  TargetNameNotValid:
    'Names of VMs cannot be kept and will be changed. Set targetName to choose the new name yourself.',
  VMStorageNotSupported:
    'VMs have disks that cannot be moved. The items say why; change that, or take the VMs out of the Plan.',
  InvalidDiskSizes: 'VMs have disks of no size. Correct them at the source, or take the VMs out of the Plan.',
};

/** These speak of the Plan as a whole, though the rule needs a VM to ask: a list of all its VMs would tell nothing. */
const planWide: ReadonlySet<string> = new Set(['VDDKInvalid']);

/** Listed in one condition; a Plan's status has a limit, and nobody reads more. */
export const mostVmsListed = 200;

interface FoundAt {
  readonly label: string;
  readonly finding: Finding;
}

/** One condition for each kind of finding, which lists the VMs it concerns, in the order of the Plan. */
export function vmConditions(judged: readonly JudgedVm[]): readonly ConditionDraft[] {
  const byCode = new Map<string, FoundAt[]>();
  for (const { label, findings } of judged) {
    for (const finding of findings) {
      const found = byCode.get(finding.code) ?? [];
      byCode.set(finding.code, found);
      found.push({ label, finding });
    }
  }
  return [...byCode].map(([code, found]) => conditionOf(code, found));
}

function conditionOf(code: string, found: readonly FoundAt[]): ConditionDraft {
  const worst = found.reduce((a, b) => (rank[b.finding.severity] < rank[a.finding.severity] ? b : a)).finding;
  const items = planWide.has(code) ? [] : itemsOf(found, sentences[code] ?? worst.message);
  return {
    type: code,
    category: worst.severity,
    ...(worst.reason !== undefined && { reason: worst.reason }),
    message: sentences[code] ?? worst.message,
    ...(worst.suggestion !== undefined && { suggestion: worst.suggestion }),
    ...(items.length > 0 && { items }),
  };
}

const rank: Readonly<Record<Severity, number>> = { Critical: 0, Warn: 1, Advisory: 2 };

/** One item for each VM, with what the condition's own message does not say. */
function itemsOf(found: readonly FoundAt[], told: string): readonly string[] {
  const details = new Map<string, string[]>();
  for (const { label, finding } of found) {
    const ofVm = details.get(label) ?? [];
    details.set(label, ofVm);
    // A message of its own names the disks already.
    if (finding.message !== told) ofVm.push(finding.message);
    else ofVm.push(...(finding.items ?? []));
  }
  const items = [...details].map(([label, told]) =>
    told.length === 0 ? label : `${label}: ${[...new Set(told)].join('; ')}`,
  );
  if (items.length <= mostVmsListed) return items;
  const rest = items.length - (mostVmsListed - 1);
  return [...items.slice(0, mostVmsListed - 1), `and ${rest} more`];
}
