import type { JsonSchema } from '../../api/external/core.ts';
import { anything, bool, int, list, map, object, text } from './schema-words.ts';

/** VirtualMachineInstanceSpec as src/api/external/kubevirt.ts has it. Next to no enums: those are the webhook's (fact: kubevirt 3). */
export function machineSpec(affinity: JsonSchema): JsonSchema {
  return object(
    {
      domain,
      networks: devices(
        object(
          {
            name: text,
            pod: object({}),
            multus: object({ networkName: text, default: bool }, ['networkName']),
          },
          ['name'],
        ),
      ),
      volumes: devices(
        object({ name: text, persistentVolumeClaim: object({ claimName: text }, ['claimName']) }, ['name']),
      ),
      nodeSelector: map(text),
      affinity,
      architecture: text,
      evictionStrategy: text,
      hostname: text,
      terminationGracePeriodSeconds: int,
    },
    ['domain'],
  );
}

/** A list of disks, volumes, interfaces or networks, as long as KubeVirt's definitions let it be. */
function devices(items: JsonSchema): JsonSchema & { readonly maxItems: number } {
  return { ...list(items), maxItems: 256 };
}

const state = object({ enabled: bool });
const empty = object({});

const hyperv = object({
  relaxed: state,
  vapic: state,
  vpindex: state,
  runtime: state,
  synic: state,
  reset: state,
  frequencies: state,
  reenlightenment: state,
  tlbflush: state,
  ipi: state,
  spinlocks: object({ enabled: bool, spinlocks: int }),
  synictimer: object({ enabled: bool, direct: state }),
});

const disks = devices(
  object(
    {
      name: text,
      disk: object({ bus: text, readonly: bool }),
      lun: object({ bus: text, readonly: bool, reservation: bool }),
      cdrom: object({ bus: text, readonly: bool }),
      bootOrder: int,
      serial: text,
      cache: text,
      errorPolicy: text,
      shareable: bool,
    },
    ['name'],
  ),
);

const interfaces = devices(
  object(
    {
      name: text,
      model: text,
      macAddress: text,
      masquerade: empty,
      bridge: empty,
      sriov: empty,
      binding: object({ name: text }, ['name']),
      state: text,
      bootOrder: int,
      pciAddress: text,
    },
    ['name'],
  ),
);

const domain = object(
  {
    cpu: object({
      sockets: int,
      cores: int,
      threads: int,
      model: text,
      features: list(object({ name: text, policy: text }, ['name'])),
      dedicatedCpuPlacement: bool,
      isolateEmulatorThread: bool,
    }),
    memory: object({ guest: text }),
    firmware: object({
      bootloader: object({
        bios: object({ useSerial: bool }),
        efi: object({ secureBoot: bool, persistent: bool }),
      }),
      uuid: text,
      serial: text,
    }),
    features: object({ acpi: state, apic: state, smm: state, hyperv }),
    // The only node of the domain that keeps what it does not know (fact: kubevirt 1.2).
    clock: anything,
    machine: object({ type: text }),
    resources: object({ requests: map(text), limits: map(text) }),
    devices: object({
      disks,
      interfaces,
      inputs: list(object({ name: text, type: text, bus: text }, ['name', 'type'])),
      tpm: object({ enabled: bool, persistent: bool }),
      rng: empty,
      autoattachPodInterface: bool,
      networkInterfaceMultiqueue: bool,
      useVirtioTransitional: bool,
    }),
  },
  ['devices'],
);
