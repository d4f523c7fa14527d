import { vim } from './vim-schema.ts';
import type { MoRef, VimObject } from './vim-value.ts';

export interface HostFacts {
  readonly ref: MoRef;
  readonly name: string;
  /** 1, 2, ...: addresses are made of it. */
  readonly number: number;
  readonly about: VimObject;
  readonly thumbprint: string;
}

/** Properties of a HostSystem that an inventory asks for (fact: vs 2.2). */
export function hostProperties(host: HostFacts): Readonly<Record<string, VimObject>> {
  const runtime = vim('HostRuntimeInfo', {
    connectionState: 'connected',
    powerState: 'poweredOn',
    inMaintenanceMode: false,
  });
  return {
    summary: summary(host, runtime),
    runtime,
    hardware: vim('HostHardwareInfo', {
      systemInfo: vim('HostSystemInfo', { vendor: 'Example', model: 'R1', uuid: uuidOf(host) }),
    }),
    config: vim('HostConfigInfo', {
      host: host.ref,
      product: host.about,
      storageDevice: storage(),
      network: network(host),
      virtualNicManagerInfo: vim('HostVirtualNicManagerInfo', {
        netConfig: [
          vim('VirtualNicManagerNetConfig', {
            nicType: 'management',
            multiSelectAllowed: true,
            candidateVnic: [vnic(host)],
            selectedVnic: ['management.key-vim.host.VirtualNic-vmk0'],
          }),
        ],
      }),
      dateTimeInfo: vim('HostDateTimeInfo', {
        timeZone: vim('HostDateTimeSystemTimeZone', {
          key: 'UTC',
          name: 'UTC',
          description: 'UTC',
          gmtOffset: 0,
        }),
      }),
    }),
    configManager: vim('HostConfigManager'),
    capability: vim('HostCapability', { vmotionSupported: true, storageVMotionSupported: true }),
  };
}

function uuidOf(host: HostFacts): string {
  return `4c4c4544-0000-4000-8000-${String(host.number).padStart(12, '0')}`;
}

function summary(host: HostFacts, runtime: VimObject): VimObject {
  return vim('HostListSummary', {
    host: host.ref,
    hardware: vim('HostHardwareSummary', {
      vendor: 'Example',
      model: 'R1',
      uuid: uuidOf(host),
      memorySize: 274_877_906_944,
      cpuModel: 'Example CPU',
      cpuMhz: 2400,
      numCpuPkgs: 2,
      numCpuCores: 32,
      numCpuThreads: 64,
    }),
    runtime,
    config: vim('HostConfigSummary', {
      name: host.name,
      port: 443,
      sslThumbprint: host.thumbprint,
      product: host.about,
      vmotionEnabled: true,
    }),
    overallStatus: 'green',
    rebootRequired: false,
    managementServerIp: '10.0.0.10',
  });
}

function storage(): VimObject {
  return vim('HostStorageDeviceInfo', {
    hostBusAdapter: [
      vim('HostHostBusAdapter', {
        key: 'key-vim.host.BlockHba-vmhba0',
        device: 'vmhba0',
        bus: 0,
        status: 'unknown',
        model: 'AHCI',
      }),
    ],
    scsiLun: [
      vim('ScsiLun', {
        deviceName: '/vmfs/devices/disks/naa.600001',
        key: 'key-vim.host.ScsiDisk-600001',
        uuid: '600001',
        lunType: 'disk',
        vendor: 'Example',
        model: 'Array',
        canonicalName: 'naa.600001',
      }),
    ],
    scsiTopology: vim('HostScsiTopology', { adapter: [] }),
  });
}

function network(host: HostFacts): VimObject {
  const portGroup = (name: string, vlanId: number): VimObject =>
    vim('HostPortGroup', {
      key: `key-vim.host.PortGroup-${name}`,
      vswitch: 'key-vim.host.VirtualSwitch-vSwitch0',
      spec: vim('HostPortGroupSpec', { name, vlanId, vswitchName: 'vSwitch0' }),
    });
  return vim('HostNetworkInfo', {
    vswitch: [
      vim('HostVirtualSwitch', {
        name: 'vSwitch0',
        key: 'key-vim.host.VirtualSwitch-vSwitch0',
        numPorts: 128,
        numPortsAvailable: 120,
        mtu: 1500,
        portgroup: ['key-vim.host.PortGroup-VM Network', 'key-vim.host.PortGroup-Storage Net'],
        pnic: ['key-vim.host.PhysicalNic-vmnic0'],
      }),
    ],
    portgroup: [portGroup('VM Network', 0), portGroup('Storage Net', 40)],
    pnic: [
      vim('PhysicalNic', {
        key: 'key-vim.host.PhysicalNic-vmnic0',
        device: 'vmnic0',
        pci: '0000:03:00.0',
        driver: 'ixgben',
        linkSpeed: vim('PhysicalNicLinkInfo', { speedMb: 10_000, duplex: true }),
        mac: `00:25:b5:00:00:0${host.number}`,
      }),
    ],
    vnic: [vnic(host)],
  });
}

function vnic(host: HostFacts): VimObject {
  return vim('HostVirtualNic', {
    device: 'vmk0',
    key: 'key-vim.host.VirtualNic-vmk0',
    portgroup: 'Management Network',
    spec: vim('HostVirtualNicSpec', {
      ip: vim('HostIpConfig', {
        dhcp: false,
        ipAddress: `10.0.0.${10 + host.number}`,
        subnetMask: '255.255.255.0',
      }),
      mac: `00:25:b5:00:01:0${host.number}`,
      mtu: 1500,
    }),
  });
}
