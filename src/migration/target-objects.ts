import type { OwnedObject, OwnedPod, TargetObjects } from './facts.ts';
import type { Action } from './phase.ts';

/** A namespace that is gone shows nothing, and owes nothing. */
export function isEmpty(objects: TargetObjects): boolean {
  return Object.values(objects).every((list: readonly OwnedObject[]) => list.length === 0);
}

/** Our label comes off what is the user's from now on. */
export function handOverActions({ virtualMachines, claims }: TargetObjects): readonly Action[] {
  return [
    ...virtualMachines.map(({ name, uid }): Action => ({
      do: 'stripLabel',
      on: 'VirtualMachine',
      name,
      uid,
    })),
    ...claims.map(({ name, uid }): Action => ({
      do: 'stripLabel',
      on: 'PersistentVolumeClaim',
      name,
      uid,
    })),
  ];
}

/** What helped to copy, and is nobody's in the end. A DataVolume goes without its claim. */
export function leftoverActions(objects: TargetObjects): readonly Action[] {
  return [
    ...notYetDeleted(objects.dataVolumes).map(({ name, uid }): Action => ({
      do: 'deleteDataVolume',
      name,
      uid,
      orphanClaim: true,
    })),
    ...podActions(objects),
    ...accessActions(objects),
  ];
}

/** Only then the finalizer: from there on the pod goes as soon as its containers have ended. */
export function podActions({ pods }: Pick<TargetObjects, 'pods'>): readonly Action[] {
  return pods.flatMap(({ name, uid, deleting, isHeld }): readonly Action[] => {
    if (!deleting) return [{ do: 'deletePod', name, uid }];
    return isHeld === true ? [{ do: 'releasePod', name, uid, forget: false }] : [];
  });
}

/** What may still write to the claims. */
export function converters({ pods }: Pick<TargetObjects, 'pods'>): readonly OwnedPod[] {
  return pods.filter(({ converts }) => converts === true);
}

export function accessActions({ secrets, configMaps }: TargetObjects): readonly Action[] {
  return [
    ...notYetDeleted(secrets).map(({ name, uid }): Action => ({ do: 'deleteSecret', name, uid })),
    ...notYetDeleted(configMaps).map(({ name, uid }): Action => ({ do: 'deleteConfigMap', name, uid })),
  ];
}

export function notYetDeleted<T extends OwnedObject>(objects: readonly T[]): readonly T[] {
  return objects.filter(({ deleting }) => !deleting);
}
