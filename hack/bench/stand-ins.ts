import type { SandboxOptions } from '../../src/sandbox/sandbox.ts';
import type { SimulatedVCenter } from '../../src/sandbox/vcenter/simulated-vcenter.ts';

/** A CDI that takes one second a disk, and nothing else that is waited for. */
export const standIns = {
  cdi: { secondsPerDisk: 1, importerStartMs: 0, progressMs: 1000, flickerChance: 0, terminationMs: 0 },
  kubevirt: { launcherMs: 0, scheduleMs: 0, bootMs: 0 },
  storage: { provisionMs: 0 },
} as const satisfies Partial<SandboxOptions>;

/** So many VMs of one disk, all off. */
export function addVms(
  vcenter: SimulatedVCenter,
  count: number,
): readonly { readonly id: string; readonly name: string }[] {
  return Array.from({ length: count }, (_, index) => {
    const name = `vm-${String(index).padStart(4, '0')}`;
    const vm = vcenter.addVm({ name, disks: [{ sizeBytes: 1 << 20 }] });
    return { id: vm.id, name: vm.name };
  });
}
