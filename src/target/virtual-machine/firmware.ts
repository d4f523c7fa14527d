import type { Bootloader, Clock, Features, Firmware } from '../../api/external/kubevirt.ts';
import type { VirtualMachineImportSpec } from '../../api/virtual-machine-import.ts';
import type { Converted } from './converted.ts';

/** The source's own word goes first; where it has none, that of the conversion; else BIOS (fact: kubevirt 2). */
export function buildFirmware({ model }: VirtualMachineImportSpec, converted: Converted = {}): Firmware {
  const { uuid, serial } = model.firmware;
  return {
    bootloader: bootloaderOf(model.firmware, converted),
    ...(uuid !== undefined && uuid !== '' && { uuid }),
    ...(serial !== undefined && serial !== '' && { serial }),
  };
}

/** secureBoot is always written: left out, KubeVirt takes it for true and refuses the VM for want of SMM (fact: kubevirt 1.2). */
function bootloaderOf(
  firmware: VirtualMachineImportSpec['model']['firmware'],
  converted: Converted,
): Bootloader {
  if (firmware.kind === 'unknown' && converted.firmware === 'uefi') return { efi: { secureBoot: false } };
  return firmware.kind === 'efi' ? { efi: { secureBoot: firmware.secureBoot } } : { bios: {} };
}

/** undefined where there is nothing to say; KubeVirt adds ACPI by itself (fact: kubevirt 1.2). */
export function buildFeatures(spec: VirtualMachineImportSpec): Features | undefined {
  const { firmware } = spec.model;
  const secureBoot = firmware.kind === 'efi' && firmware.secureBoot;
  if (!secureBoot && !isWindows(spec)) return undefined;
  return {
    ...(secureBoot && { smm: { enabled: true } }),
    ...(isWindows(spec) && { hyperv: hypervFeatures }),
  };
}

/**
 * What KubeVirt's own preferences give to every Windows (kubevirt/common-instancetypes, component hyperv), but reenlightenment, which
 * would bind the VM to nodes that know the frequency of their time stamp counter.
 */
const hypervFeatures: NonNullable<Features['hyperv']> = {
  relaxed: {},
  vapic: {},
  vpindex: {},
  runtime: {},
  synic: {},
  synictimer: { direct: {} },
  spinlocks: { spinlocks: 8191 },
  frequencies: {},
  reset: {},
  tlbflush: {},
  ipi: {},
};

/** Of the same component: without HPET and with the Hyper-V clock an idle Windows does not burn CPU on ticks. */
const windowsTimers: NonNullable<Clock['timer']> = {
  hpet: { present: false },
  hyperv: {},
  pit: { tickPolicy: 'delay' },
  rtc: { tickPolicy: 'catchup' },
};

/**
 * What the guest's hardware clock shows. The VM's own setting goes first. Windows keeps local time there, so it gets the zone of its host;
 * Linux keeps UTC, which is also what a VM without a clock gets. Of other guests Forklift's rule holds: the host's zone (fact: vsphere 3.1).
 */
export function buildClock(spec: VirtualMachineImportSpec): Clock | undefined {
  const timer = isWindows(spec) ? { timer: windowsTimers } : {};
  const offset = clockOffset(spec);
  return offset === undefined && !isWindows(spec) ? undefined : { ...(offset ?? { utc: {} }), ...timer };
}

function clockOffset({ model }: VirtualMachineImportSpec): Clock | undefined {
  const own = model.clock?.timezone ?? '';
  if (own !== '') return { timezone: own };
  const offsetSeconds = model.clock?.utcOffsetSeconds;
  if (offsetSeconds !== undefined) return { utc: { offsetSeconds } };
  if (model.guest.family === 'linux') return { utc: {} };
  const host = model.host?.timezone ?? '';
  return host === '' ? undefined : { timezone: host };
}

function isWindows({ model }: VirtualMachineImportSpec): boolean {
  return model.guest.family === 'windows';
}
