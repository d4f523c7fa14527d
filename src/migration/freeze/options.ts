import { powerOffPolicyAnnotation, precopyScheduleAnnotation } from '../../api/labels.ts';
import type { VirtualMachineImportSpec } from '../../api/virtual-machine-import.ts';
import type { FreezeInput } from './input.ts';

/**
 * Choices of plan and VM. Defaults of the CRD are repeated here, because a webhook of an older client may have dropped them
 * (forklift-plan.md 9.4, C33); of three states the unset one stays unset.
 */
export function freezeOptions({ plan, planVm }: FreezeInput): VirtualMachineImportSpec['options'] {
  const { spec } = plan;
  const nested = planVm.enableNestedVirtualization ?? spec.enableNestedVirtualization;
  return {
    preserveStaticIps: spec.preserveStaticIPs ?? true,
    powerAfter: planVm.targetPowerState ?? spec.targetPowerState ?? 'auto',
    // The VM can widen the plan's choice and not narrow it (fact: plan 6.2).
    deleteOnFail: (spec.deleteVmOnFailMigration ?? true) || planVm.deleteVmOnFailMigration === true,
    skipConversion: spec.skipGuestConversion ?? false,
    compatibility: spec.useCompatibilityMode ?? true,
    ...(spec.installLegacyDrivers !== undefined && { legacyDrivers: spec.installLegacyDrivers }),
    ...(nested !== undefined && { nested }),
    cpuModelFromCluster: spec.preserveClusterCpuModel ?? false,
    ...(isGiven(planVm.instanceType) && { instanceType: planVm.instanceType }),
    ...(isGiven(planVm.rootDisk) && { rootDisk: planVm.rootDisk }),
    xfs: spec.xfsCompatibility ?? false,
    keepConversionPod: !(spec.deleteGuestConversionPod ?? false),
  };
}

/** An annotation of the plan goes before the default, which for a warm run is to leave the source running. */
export function freezePolicies(
  { plan, powerOffSeconds }: FreezeInput,
  type: VirtualMachineImportSpec['strategy']['type'],
): VirtualMachineImportSpec['policies'] {
  const annotations = plan.metadata.annotations ?? {};
  const asked = annotations[powerOffPolicyAnnotation];
  const precopyCron = annotations[precopyScheduleAnnotation];
  const usual = type === 'warm' ? 'abortCutover' : 'fail';
  return {
    powerOff: asked === 'force' || asked === 'fail' ? asked : usual,
    // 0: as long as the setting says (migration/power.ts).
    powerOffSeconds: powerOffSeconds ?? 0,
    onConversionFailure: 'restore',
    ...(isGiven(precopyCron) && { precopyCron }),
  };
}

function isGiven(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}
