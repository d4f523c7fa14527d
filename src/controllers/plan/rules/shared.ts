import { classesWithoutModes } from '../../claim-modes.ts';
import { quotaShortages } from '../../quota-shortage.ts';
import { critical, warn, type JudgedVm, type SharedRule } from './rule.ts';

/** One VM, named twice: by id and by name, say. */
export const duplicateVms: SharedRule = (judged) => {
  const twice = groups(judged, ({ id }) => (id === undefined ? [] : [id]));
  if (twice.length === 0) return [];
  const message = 'VMs stand in the Plan more than once. Keep one entry of each.';
  return [
    critical(
      'DuplicateVM',
      'NotUnique',
      message,
      twice.map(([, vms]) => vms[0]?.label ?? ''),
    ),
  ];
};

/** Two VMs that would both be called the same. A name that was only made up is given way by itself. */
export const sameTargetName: SharedRule = (judged) => {
  const named = uniqueVms(judged);
  const contested = groups(named, ({ target }) => (target === undefined ? [] : [target.name])).filter(
    ([, vms]) => vms.some(({ target }) => target?.isKept === true),
  );
  if (contested.length === 0) return [];
  const message =
    'VMs of the Plan would get the same name in the target namespace. Give each but one a targetName of its own.';
  const items = contested.flatMap(([name, vms]) => vms.map(({ label }) => `${label} (${name})`));
  return [critical('DuplicateVM', 'NotUnique', message, items)];
};

/** Networks that NICs of the Plan's VMs go to. KubeVirt finds them in the VM's own namespace or in `default` (fact: plan 5.1). */
export const attachedNetworks: SharedRule = (judged, { plan, cluster }) => {
  const { targetNamespace } = plan.spec;
  const used = [...new Set(judged.flatMap(({ networks }) => networks))].map((nad) => {
    const [namespace = '', name = ''] = nad.split('/');
    return { nad, namespace, name };
  });
  const type = 'NetMapDestinationNADNotValid';
  const unreachable = used.filter(
    ({ namespace }) => namespace !== targetNamespace && namespace !== 'default',
  );
  const gone = used.filter(({ namespace, name }) => cluster.networks.get({ namespace, name }) === undefined);
  const shown = (of: typeof used): string[] => of.map(({ nad }) => nad);
  return [
    ...(unreachable.length > 0
      ? [
          critical(
            type,
            'NotValid',
            `VMs in namespace ${targetNamespace} can be attached to networks of that namespace or of default only. Correct the network map.`,
            shown(unreachable),
          ),
        ]
      : []),
    ...(gone.length > 0
      ? [
          critical(
            type,
            'NotFound',
            'The target cluster has no such NetworkAttachmentDefinition. Correct the network map, or create it.',
            shown(gone),
          ),
        ]
      : []),
  ];
};

/** Classes that are there, and in which CDI would still make no claim; it says so only when the source is off. */
export const claimModes: SharedRule = (judged, { cluster }) => {
  const classes = classesWithoutModes(
    judged.flatMap((vm) => vm.claims),
    cluster,
  );
  if (classes.length === 0) return [];
  const message =
    'No disk can be made in storage classes whose StorageProfile names no access mode. ' +
    'Give accessMode in the storage map, or claimPropertySets in the StorageProfile.';
  return [critical('StorageProfileIncomplete', 'NotSet', message, classes)];
};

/**
 * Room for all disks that are still to be copied (review.md F34). A quota is charged disk by disk while sources are off already, so what
 * it cannot hold is better known before.
 */
export const quotas: SharedRule = (judged, { plan, cluster }) => {
  const claims = uniqueVms(judged).flatMap((vm) => vm.claims);
  const short = quotaShortages(cluster.quotas.list(plan.spec.targetNamespace), claims);
  if (short.length === 0) return [];
  const message = `The disks of the Plan's VMs do not fit into the quota of namespace ${plan.spec.targetNamespace}. Raise it, make room, or move fewer VMs in this Plan.`;
  const items = short.map(
    ({ quota, resource, hard, free, needed }) =>
      `${quota}: ${needed} of ${resource} needed, ${Math.max(0, free)} left of ${hard}`,
  );
  return [critical('StorageHeadroom', 'QuotaExceeded', message, items)];
};

/** One address on two VMs is fine at the source as long as they are on different networks, and might no longer be so at the target. */
export const sameMac: SharedRule = (judged) => {
  const shared = groups(uniqueVms(judged), ({ macs }) => macs);
  if (shared.length === 0) return [];
  const message =
    'VMs of the Plan have NICs with the same MAC address. Change one, or make sure that they never meet on one network.';
  const items = shared.flatMap(([mac, vms]) => vms.map(({ label }) => `${label} (${mac})`));
  return [warn('MacConflicts', 'NotUnique', message, items)];
};

export const sharedRulesWhileExecuting: readonly SharedRule[] = [
  duplicateVms,
  sameTargetName,
  attachedNetworks,
  claimModes,
  sameMac,
];
export const sharedRules: readonly SharedRule[] = [...sharedRulesWhileExecuting, quotas];

/** The first entry of each VM: what stands twice in the Plan is one VM. */
function uniqueVms(judged: readonly JudgedVm[]): readonly JudgedVm[] {
  const seen = new Set<string>();
  return judged.filter(({ id }) => {
    if (id === undefined) return true;
    if (seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}

/** What at least two of the VMs have in common, in the order in which it first appears. */
function groups(
  judged: readonly JudgedVm[],
  keysOf: (vm: JudgedVm) => readonly string[],
): readonly (readonly [string, readonly JudgedVm[]])[] {
  const found = new Map<string, JudgedVm[]>();
  for (const vm of judged) {
    for (const key of new Set(keysOf(vm))) {
      const members = found.get(key) ?? [];
      found.set(key, members);
      members.push(vm);
    }
  }
  return [...found].filter(([, vms]) => vms.length > 1);
}
