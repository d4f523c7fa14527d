import { terminal, volumesRefused } from './failures.ts';
import { claimNameTaken } from './foreign-volume.ts';
import type { Preflight } from './facts.ts';
import type { Fail } from './phase.ts';

/** Why the target would not take this VM; undefined: it would. `target` is "namespace/name". */
export function preflightFailure(preflight: Preflight, target: string): Fail | undefined {
  switch (preflight.state) {
    case 'accepted':
      return undefined;
    case 'nameTaken':
      return preflight.ours ? undefined : nameTaken(target, preflight.by);
    case 'namespaceMissing':
      return terminal(
        'NamespaceMissing',
        `The namespace of ${target} does not exist.`,
        'Create it and start the plan again.',
      );
    case 'namespaceTerminating':
      return terminal(
        'NamespaceTerminating',
        `The namespace of ${target} is being deleted.`,
        'Choose another target namespace, or wait until it is gone and start the plan again.',
      );
    case 'refused':
      return refused(preflight.code, preflight.text, target);
    case 'converterRefused':
      return terminal(
        'ConversionPodRefused',
        `The target cluster refuses the pod that is to convert the guest of ${target}: ${preflight.text}`,
        'Correct what it objects to (pod security of the namespace, a policy, what the Plan says of convertors), and start the plan again.',
      );
    case 'volumeRefused':
      return volumesRefused(target.slice(0, target.indexOf('/')), preflight.text);
    case 'claimTaken':
      return claimNameTaken(preflight.by);
    case 'classMissing':
      return terminal(
        'StorageClassMissing',
        `Storage class ${preflight.classes.join(', ')} does not exist in the target cluster.`,
        'Correct the storage map and start the plan again.',
      );
    case 'modesMissing':
      return terminal(
        'StorageProfileIncomplete',
        `No disk can be made in storage class ${preflight.classes.join(', ')}: its StorageProfile names no access mode.`,
        'Give accessMode in the storage map, or claimPropertySets in the StorageProfile, and start the plan again.',
      );
    case 'networkMissing':
      return terminal(
        'NetworkMissing',
        `Network ${preflight.networks.join(', ')} does not exist in the target cluster.`,
        'Correct the network map and start the plan again.',
      );
    case 'spaceShort':
      return terminal(
        'SpaceShort',
        `The disks of ${target} do not fit: ${preflight.text}`,
        'Make room or raise the quota, and start the plan again.',
      );
  }
}

export function nameTaken(target: string, by: string): Fail {
  return terminal(
    'NameTaken',
    `A VirtualMachine ${target} exists already and is not of this migration (${by}).`,
    'Give the VM another targetName in the plan, or remove that VirtualMachine, and start the plan again.',
  );
}

function refused(code: string, text: string, target: string): Fail {
  const failure = terminal(
    'TargetRefused',
    `The target cluster refuses VirtualMachine ${target}: ${text}`,
    'Correct what it objects to and start the plan again.',
  );
  // A name that was freed between two reads: the next look tells.
  return code === 'AlreadyExists' ? { ...failure, class: 'retryable' } : failure;
}
