import { withDigest } from '../../../model/digest.ts';
import type { CpuModel, FirmwareModel, Json, PowerState, VmModel } from '../../../model/vm.ts';
import { decodeName, type ManagedObject, type Properties } from '../managed-object.ts';
import { asFlag, asList, asMoRef, asText, asWhole, member, typeOf } from '../soap/values.ts';
import { atLeast, clip, clipped, present } from './bounds.ts';
import { disksOf } from './disks.ts';
import { guestOf } from './guest.ts';
import { nicsOf, type FindNetwork } from './nics.ts';

/** What a VM's model needs beside the VM: the rest of the inventory. */
export interface ModelContext {
  /** The vCenter's own id. */
  readonly instance: string;
  readonly find: (id: string) => ManagedObject | undefined;
  readonly findNetwork: FindNetwork;
}

/** A snapshot of ours bears this at the start of its name (review.md F6). */
const ourMarker = 'gantry-';

/** Pure: raw vSphere properties to the neutral model. Whatever is absent gets the value that promises least. */
export function vmModelOf(vm: ManagedObject, context: ModelContext): VmModel {
  const { properties } = vm;
  const name = decodeName(asText(properties['name']) ?? vm.ref.value);
  const host = hostOf(properties, context);
  return withDigest({
    schema: 1,
    id: clip(vm.ref.value, 128),
    name: clip(name, 512),
    path: clip(pathOf(vm, name, context), 2048),
    identity: identityOf(vm, context.instance),
    power: powerStateOf(properties['runtime.powerState']),
    isTemplate: asFlag(properties['config.template']) ?? false,
    reachable: (asText(properties['runtime.connectionState']) ?? 'connected') === 'connected',
    ...present('host', host),
    cpu: cpuOf(properties),
    memoryBytes: atLeast((asWhole(properties['config.hardware.memoryMB']) ?? 0) * 1024 * 1024, 0),
    firmware: firmwareOf(properties),
    ...(host?.timezone === undefined ? {} : { clock: { timezone: host.timezone } }),
    disks: disksOf(properties, (id) => nameOf(context.find(id))),
    nics: nicsOf(properties, context.findNetwork),
    devices: devicesOf(properties),
    guest: guestOf(properties),
    foreignSnapshots: snapshotsOf(properties)
      .filter((snapshot) => !snapshot.name.startsWith(ourMarker))
      .slice(0, 64),
    consolidationNeeded: asFlag(properties['runtime.consolidationNeeded']) ?? false,
    metadata: {
      // Tags live in another service than vim25 (fact: vs 1.3), which is not read yet.
      tags: [],
      custom: customOf(properties),
      ...present('notes', clipped(properties['config.annotation'], 4096)),
    },
  });
}

/** The same VM seen through two Providers has one identity; clones have two, though they may share a BIOS uuid (fact: vs 1.5). */
export function identityOf(vm: ManagedObject, instance: string): string {
  const uuid = asText(vm.properties['config.instanceUuid']) ?? asText(vm.properties['config.uuid']);
  return clip(`${instance}/${uuid ?? vm.ref.value}`, 512);
}

export function powerStateOf(value: Json | undefined): PowerState {
  switch (value) {
    case 'poweredOn':
      return 'On';
    case 'poweredOff':
      return 'Off';
    case 'suspended':
      return 'Suspended';
    default:
      return 'Unknown';
  }
}

/** A snapshot with memory brings a running VM back; one without is reverted to a VM that is off. */
export function snapshotsOf(vm: Properties): readonly { id: string; name: string; memory: boolean }[] {
  const found: { id: string; name: string; memory: boolean }[] = [];
  const visit = (tree: Json): void => {
    const ref = asMoRef(member(tree, 'snapshot'));
    if (ref !== undefined) {
      found.push({
        id: clip(ref.value, 128),
        name: clip(decodeName(asText(member(tree, 'name')) ?? ''), 512),
        memory: asText(member(tree, 'state')) === 'poweredOn',
      });
    }
    asList(member(tree, 'childSnapshotList')).forEach(visit);
  };
  asList(member(vm['snapshot'], 'rootSnapshotList')).forEach(visit);
  return found;
}

function nameOf(object: ManagedObject | undefined): string | undefined {
  const name = asText(object?.properties['name']);
  return name === undefined ? undefined : decodeName(name);
}

/** "/Datacenter/vm/folder/name"; the root folder has no place in it. */
function pathOf(vm: ManagedObject, name: string, context: ModelContext): string {
  const names = [name];
  let parent = asMoRef(vm.properties['parent']);
  for (let depth = 0; depth < 32 && parent !== undefined; depth += 1) {
    const object = context.find(parent.value);
    const above = asMoRef(object?.properties['parent']);
    const folder = nameOf(object);
    if (above !== undefined && folder !== undefined) names.unshift(folder);
    parent = above;
  }
  return `/${names.join('/')}`;
}

function hostOf(vm: Properties, context: ModelContext): VmModel['host'] {
  const ref = asMoRef(vm['runtime.host']);
  if (ref === undefined) return undefined;
  const host = context.find(ref.value)?.properties ?? {};
  return {
    id: clip(ref.value, 128),
    ...present('timezone', clipped(host['config.dateTimeInfo.timeZone.name'], 128)),
    inMaintenance: asFlag(host['summary.runtime.inMaintenanceMode']) ?? false,
  };
}

/**
 * The product is always the number of vCPUs. Forklift divides without a look: no cores per socket crashes it, and 6 vCPUs in sockets of
 * 4 become 4 (fact: vs 3.1).
 */
function cpuOf(vm: Properties): CpuModel {
  const vcpus = atLeast(vm['config.hardware.numCPU'], 1);
  const asked = atLeast(vm['config.hardware.numCoresPerSocket'], 1);
  const coresPerSocket = vcpus % asked === 0 ? asked : 1;
  return {
    sockets: vcpus / coresPerSocket,
    coresPerSocket,
    threadsPerCore: 1,
    features: [],
    dedicated: false,
    isolateEmulator: false,
    ...present('nested', asFlag(vm['config.nestedHVEnabled'])),
    hotPlug: {
      cpu: asFlag(vm['config.cpuHotAddEnabled']) ?? false,
      memory: asFlag(vm['config.memoryHotAddEnabled']) ?? false,
    },
  };
}

function firmwareOf(vm: Properties): FirmwareModel {
  const firmware = asText(vm['config.firmware']);
  const kind = firmware === 'efi' || firmware === 'bios' ? firmware : 'unknown';
  const tpm =
    asFlag(vm['summary.config.tpmPresent']) ??
    asList(vm['config.hardware.device']).some((device) => typeOf(device) === 'VirtualTPM');
  const uuid = clipped(vm['config.uuid'], 64);
  return {
    kind,
    secureBoot: kind === 'efi' && (asFlag(member(vm['config.bootOptions'], 'efiSecureBootEnabled')) ?? false),
    tpm,
    // EFI variables and the content of a TPM cannot be read through vim25 (fact: vs 3.1).
    nvramLost: kind === 'efi' || tpm,
    ...present('uuid', uuid),
    ...present('serial', uuid),
  };
}

function devicesOf(vm: Properties): VmModel['devices'] {
  return asList(vm['config.hardware.device'])
    .flatMap((device) => {
      const kind = deviceKindOf(device);
      if (kind === undefined) return [];
      return [{ kind, ...present('detail', clipped(member(device, 'deviceInfo', 'label'), 256)) }];
    })
    .slice(0, 64);
}

function deviceKindOf(device: Json): VmModel['devices'][number]['kind'] | undefined {
  switch (typeOf(device)) {
    case 'VirtualTPM':
      return 'tpm';
    case 'VirtualUSB':
      return 'usb';
    case 'VirtualPCIPassthrough':
      return typeOf(member(device, 'backing')).includes('Vmiop') ? 'vgpu' : 'pci';
    case 'VirtualWDT':
      return 'watchdog';
    case 'VirtualSerialPort':
      return 'serial';
    default:
      return undefined;
  }
}

function customOf(vm: Properties): Readonly<Record<string, string>> {
  const names = new Map(
    asList(vm['availableField']).map((field) => [
      asText(member(field, 'key')),
      asText(member(field, 'name')),
    ]),
  );
  const entries = asList(vm['customValue']).flatMap((entry): [string, string][] => {
    const name = names.get(asText(member(entry, 'key')));
    const value = clipped(member(entry, 'value'), 1024);
    return name === undefined || value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(entries.slice(0, 256));
}
