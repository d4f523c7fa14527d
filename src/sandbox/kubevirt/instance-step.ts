import type { DataVolume } from '../../api/external/cdi.ts';
import type { PersistentVolumeClaim } from '../../api/external/core.ts';
import type { VirtualMachineInstance, VirtualMachineInstancePhase } from '../../api/external/kubevirt.ts';
import { isBound } from '../storage/binding.ts';

export interface InstanceView {
  readonly instance: VirtualMachineInstance;
  claim(name: string): PersistentVolumeClaim | undefined;
  dataVolume(name: string): DataVolume | undefined;
  /** The claim's class binds for its first consumer only. */
  waitsForConsumer(claim: PersistentVolumeClaim): boolean;
}

/**
 * What comes next in an instance's life. `enter`: the next phase, after so long in this one. `wait`: a volume is missing or unfinished;
 * the instance is Pending meanwhile. `bind`: its launcher is the first consumer of these claims.
 */
export type InstanceStep =
  | { readonly act: 'none' }
  | { readonly act: 'wait'; readonly missingClaim?: string }
  | { readonly act: 'bind'; readonly claims: readonly PersistentVolumeClaim[] }
  | { readonly act: 'enter'; readonly phase: VirtualMachineInstancePhase; readonly after: keyof StepTimes };

/** Milliseconds. */
export interface StepTimes {
  readonly launcherMs: number;
  readonly scheduleMs: number;
  readonly bootMs: number;
}

/** Phases that a DataVolume may be in when its claim is used (fact: kubevirt 1.5). */
const usable: readonly string[] = ['Succeeded', 'PendingPopulation'];

/** Fact: kubevirt 1.5 (how a machine waits for its disks), 1.4 (phases). Pure. */
export function nextStep(view: InstanceView): InstanceStep {
  const phase = view.instance.status?.phase ?? '';
  switch (phase) {
    case '':
    case 'Pending':
      return waitForVolumes(view) ?? { act: 'enter', phase: 'Scheduling', after: 'launcherMs' };
    case 'Scheduling': {
      const unbound = claimsOf(view).filter((claim) => claim !== undefined && !isBound(claim));
      // The launcher pod stays unscheduled until its volumes are bound.
      if (unbound.length > 0) return { act: 'none' };
      return { act: 'enter', phase: 'Scheduled', after: 'scheduleMs' };
    }
    case 'Scheduled':
      return { act: 'enter', phase: 'Running', after: 'bootMs' };
    case 'Running':
    case 'Succeeded':
    case 'Failed':
    case 'Unknown':
      return { act: 'none' };
  }
}

function waitForVolumes(view: InstanceView): InstanceStep | undefined {
  const names = (view.instance.spec.volumes ?? []).flatMap(
    ({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? [],
  );
  const missing = names.find((name) => view.claim(name) === undefined);
  if (missing !== undefined) return { act: 'wait', missingClaim: missing };
  const claims = claimsOf(view).filter((claim) => claim !== undefined);
  const unbound = claims.filter((claim) => !isBound(claim) && view.waitsForConsumer(claim));
  if (unbound.length > 0) return { act: 'bind', claims: unbound };
  // A claim that no DataVolume owns is used at once, filled or not.
  const isUnfinished = claims.some((claim) => {
    const owner = claim.metadata.ownerReferences?.find(({ controller }) => controller === true);
    if (owner?.kind !== 'DataVolume') return false;
    const dataVolume = view.dataVolume(owner.name);
    return dataVolume !== undefined && !usable.includes(dataVolume.status?.phase ?? '');
  });
  return isUnfinished ? { act: 'wait' } : undefined;
}

function claimsOf(view: InstanceView): readonly (PersistentVolumeClaim | undefined)[] {
  return (view.instance.spec.volumes ?? []).flatMap(({ persistentVolumeClaim }) =>
    persistentVolumeClaim === undefined ? [] : [view.claim(persistentVolumeClaim.claimName)],
  );
}
