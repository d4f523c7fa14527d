import { datastoreProperties } from './datastore-properties.ts';
import { hostProperties } from './host-properties.ts';
import type { ManagedObject, ObjectParts, Registry } from './managed-object.ts';
import { vim } from './vim-schema.ts';
import { MoRef, type VimObject, type VimValue } from './vim-value.ts';
import type { NetworkBacking } from './vm-devices.ts';

type Computed = NonNullable<ObjectParts['computed']>;

const switchUuid = '50 2b 5f 1c 1c 0d 4e 5a-9b 6e 1f 2a 3b 4c 5d 6e';

/**
 * One datacenter with a cluster of two hosts, the datastores datastore1 and datastore2, the standard networks "VM Network" and
 * "Storage Net", and the port group "DMZ" on a distributed switch. VMs come later, see vm-store.ts.
 */
export class Inventory {
  readonly registry: Registry;
  readonly root: ManagedObject;
  readonly datacenter: ManagedObject;
  readonly vmFolder: ManagedObject;
  readonly cluster: ManagedObject;
  readonly hosts: readonly ManagedObject[];
  readonly resourcePool: ManagedObject;
  readonly #customFields = new Map<string, number>();
  readonly #random: () => number;

  constructor(registry: Registry, about: VimObject, random: () => number) {
    this.registry = registry;
    this.#random = random;
    this.root = this.#folder('group-d1', 'Datacenters', undefined, ['Folder', 'Datacenter']);
    this.datacenter = this.#datacenter();
    this.vmFolder = this.#folder('group-v3', 'vm', this.datacenter, [
      'Folder',
      'VirtualMachine',
      'VirtualApp',
    ]);
    const hostFolder = this.#folder('group-h4', 'host', this.datacenter, ['Folder', 'ComputeResource']);
    const stores = this.#folder('group-s5', 'datastore', this.datacenter, ['Folder', 'Datastore']);
    const networks = this.#folder('group-n6', 'network', this.datacenter, ['Folder', 'Network']);
    this.cluster = this.#cluster(hostFolder);
    this.resourcePool = this.#resourcePool();
    this.hosts = [1, 2].map((number) => this.#host(number, about));
    this.#datastore('datastore-21', 'datastore1', stores);
    this.#datastore('datastore-22', 'datastore2', stores);
    this.#network('network-31', 'VM Network', networks);
    this.#distributed(networks);
    this.#network('network-34', 'Storage Net', networks);
  }

  /** Adds an entity below its parent. */
  entity(
    ref: { readonly type: string; readonly id: string; readonly name: string },
    parent: ManagedObject | undefined,
    parts: ObjectParts = {},
  ): ManagedObject {
    const object = this.registry.add(ref.type, ref.id, {
      ...parts,
      properties: { name: ref.name, parent: parent?.ref, overallStatus: 'green', ...parts.properties },
      computed: { availableField: () => this.#fieldDefinitions(), ...parts.computed },
    });
    parent?.children.add(object);
    if (parent?.isA('Folder') === true) parent.touch('childEntity');
    return object;
  }

  removeEntity(object: ManagedObject): void {
    const parent = object.get('parent');
    const above = parent instanceof MoRef ? this.registry.find(parent) : undefined;
    above?.children.delete(object);
    this.registry.remove(object);
    if (above?.isA('Folder') === true) above.touch('childEntity');
  }

  /** The folder at "a/b" below the datacenter's VM folder, made when missing. */
  folderAt(path: string): ManagedObject {
    let folder = this.vmFolder;
    for (const name of path.split('/').filter((part) => part !== '')) {
      const existing = [...folder.children].find(
        (child) => child.type === 'Folder' && child.get('name') === escapeName(name),
      );
      folder =
        existing ??
        this.#folder(this.#folderId(folder, name), escapeName(name), folder, ['Folder', 'VirtualMachine']);
    }
    return folder;
  }

  named(type: string, name: string): ManagedObject {
    for (const object of this.registry.all) {
      if (object.isA(type) && object.get('name') === name) return object;
    }
    throw new Error(`the simulated vCenter has no ${type} "${name}"`);
  }

  /** Of the host that a VM is on. */
  hostNameOf(vm: ManagedObject): string {
    const ref = vm.get('runtime.host');
    const host = ref instanceof MoRef ? this.registry.find(ref) : undefined;
    return host?.text('name') ?? '';
  }

  backingOf(networkName: string): NetworkBacking {
    const network = this.named('Network', networkName);
    if (network.type === 'Network') return { kind: 'standard', network: network.ref };
    return { kind: 'distributed', switchUuid, portgroupKey: network.text('key') };
  }

  vms(): readonly ManagedObject[] {
    return [...this.registry.all].filter((object) => object.type === 'VirtualMachine');
  }

  customField(name: string): number {
    const key = this.#customFields.get(name) ?? this.#customFields.size + 7;
    this.#customFields.set(name, key);
    return key;
  }

  #fieldDefinitions(): VimValue | undefined {
    if (this.#customFields.size === 0) return undefined;
    return [...this.#customFields].map(([name, key]) => vim('CustomFieldDef', { key, name, type: 'string' }));
  }

  #folderId(parent: ManagedObject, name: string): string {
    const start = [...this.registry.all].filter((object) => object.type === 'Folder').length;
    for (let number = start + 50; ; number += 1) {
      if (this.registry.find(new MoRef('Folder', `group-v${number}`)) === undefined)
        return `group-v${number}`;
      if (number > 1_000_000) throw new Error(`no id left for ${parent.id}/${name}`);
    }
  }

  #folder(
    id: string,
    name: string,
    parent: ManagedObject | undefined,
    childType: readonly string[],
  ): ManagedObject {
    const made: ManagedObject = this.entity({ type: 'Folder', id, name }, parent, {
      properties: { childType },
      computed: { childEntity: () => refsOf(made.children) },
    });
    return made;
  }

  #datacenter(): ManagedObject {
    return this.entity({ type: 'Datacenter', id: 'datacenter-2', name: 'Datacenter' }, this.root, {
      properties: {
        vmFolder: new MoRef('Folder', 'group-v3'),
        hostFolder: new MoRef('Folder', 'group-h4'),
        datastoreFolder: new MoRef('Folder', 'group-s5'),
        networkFolder: new MoRef('Folder', 'group-n6'),
      },
      computed: { datastore: () => this.#refs('Datastore'), network: () => this.#refs('Network') },
    });
  }

  #cluster(hostFolder: ManagedObject): ManagedObject {
    const drsConfig = vim('ClusterDrsConfigInfo', { enabled: true, defaultVmBehavior: 'fullyAutomated' });
    const dasConfig = vim('ClusterDasConfigInfo', { enabled: true });
    return this.entity({ type: 'ClusterComputeResource', id: 'domain-c7', name: 'Cluster' }, hostFolder, {
      properties: {
        resourcePool: new MoRef('ResourcePool', 'resgroup-8'),
        configuration: vim('ClusterConfigInfo', { dasConfig, dasVmConfig: [], drsConfig, drsVmConfig: [] }),
      },
      computed: { host: () => this.#refs('HostSystem'), ...this.#storesAndNetworks() },
    });
  }

  #storesAndNetworks(): Computed {
    return { datastore: () => this.#refs('Datastore'), network: () => this.#refs('Network') };
  }

  #resourcePool(): ManagedObject {
    return this.entity({ type: 'ResourcePool', id: 'resgroup-8', name: 'Resources' }, this.cluster, {
      properties: { owner: this.cluster.ref, resourcePool: [] },
      computed: { vm: () => this.#refs('VirtualMachine') },
    });
  }

  #host(number: number, about: VimObject): ManagedObject {
    const ref = new MoRef('HostSystem', `host-${10 + number}`);
    const name = `esx${number}.example`;
    const thumbprint = this.#thumbprint();
    return this.entity({ type: 'HostSystem', id: ref.id, name }, this.cluster, {
      properties: hostProperties({ ref, name, number, about, thumbprint }),
      computed: { vm: () => this.#vmsWhere('runtime.host', ref), ...this.#storesAndNetworks() },
    });
  }

  /** No host is spoken to in this slice: its thumbprint only has to look like one. */
  #thumbprint(): string {
    const byte = (): string =>
      Math.floor(this.#random() * 256)
        .toString(16)
        .padStart(2, '0')
        .toUpperCase();
    return Array.from({ length: 20 }, byte).join(':');
  }

  #datastore(id: string, name: string, parent: ManagedObject): void {
    const ref = new MoRef('Datastore', id);
    const hosts = this.hosts.map((host) => host.ref);
    this.entity({ type: 'Datastore', id, name }, parent, {
      properties: datastoreProperties(ref, name, hosts),
      computed: { vm: () => this.#vmsWhere('datastore', ref) },
    });
  }

  #network(id: string, name: string, parent: ManagedObject): void {
    const ref = new MoRef('Network', id);
    const summary = vim('NetworkSummary', { network: ref, name, accessible: true, ipPoolName: '' });
    this.entity({ type: 'Network', id, name }, parent, {
      properties: { summary },
      computed: this.#hostsAndVms(ref),
    });
  }

  #hostsAndVms(network: MoRef): Computed {
    return { host: () => this.#refs('HostSystem'), vm: () => this.#vmsWhere('network', network) };
  }

  #distributed(parent: ManagedObject): void {
    const switchRef = new MoRef('VmwareDistributedVirtualSwitch', 'dvs-32');
    const groupRef = new MoRef('DistributedVirtualPortgroup', 'dvportgroup-33');
    const member = (host: ManagedObject): VimObject =>
      vim('DistributedVirtualSwitchHostMember', {
        config: vim('DistributedVirtualSwitchHostMemberConfigInfo', {
          host: host.ref,
          maxProxySwitchPorts: 512,
        }),
      });
    const switchConfig = vim('DVSConfigInfo', {
      uuid: switchUuid,
      name: 'DVSwitch',
      numStandalonePorts: 0,
      numPorts: 8,
      host: this.hosts.map(member),
    });
    this.entity({ type: switchRef.type, id: switchRef.id, name: 'DVSwitch' }, parent, {
      properties: { uuid: switchUuid, config: switchConfig, portgroup: [groupRef] },
    });
    const vlan = vim('VmwareDistributedVirtualSwitchVlanIdSpec', { inherited: false, vlanId: 20 });
    const config = vim('DVPortgroupConfigInfo', {
      key: groupRef.id,
      name: 'DMZ',
      numPorts: 8,
      distributedVirtualSwitch: switchRef,
      defaultPortConfig: vim('VMwareDVSPortSetting', { vlan }),
    });
    const summary = vim('NetworkSummary', {
      network: groupRef,
      name: 'DMZ',
      accessible: true,
      ipPoolName: '',
    });
    this.entity({ type: groupRef.type, id: groupRef.id, name: 'DMZ' }, parent, {
      properties: { key: groupRef.id, config, summary },
      computed: this.#hostsAndVms(groupRef),
    });
  }

  #refs(type: string): readonly MoRef[] {
    return refsOf([...this.registry.all].filter((object) => object.isA(type)));
  }

  #vmsWhere(path: string, ref: MoRef): readonly MoRef[] {
    const holds = (value: VimValue | undefined): boolean =>
      value instanceof MoRef ? value.id === ref.id : Array.isArray(value) && value.some(holds);
    return refsOf(this.vms().filter((vm) => holds(vm.get(path))));
  }
}

function refsOf(objects: Iterable<ManagedObject>): readonly MoRef[] {
  return [...objects].map((object) => object.ref);
}

/** fact: vs 1.2: "/", "\" and "%" stand escaped in names. */
export function escapeName(name: string): string {
  return name.replaceAll('%', '%25').replaceAll('/', '%2f').replaceAll('\\', '%5c');
}
