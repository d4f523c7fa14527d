import type { StorageProfile } from '../../../src/api/external/cdi.ts';
import type { Condition, ConditionDraft } from '../../../src/api/conditions.ts';
import type {
  NetworkAttachmentDefinition,
  ResourceQuota,
  StorageClass,
} from '../../../src/api/external/core.ts';
import type { Hook } from '../../../src/api/hook.ts';
import type { KubeObject, Stored } from '../../../src/api/meta.ts';
import type { NetworkMap, NetworkMapSpec } from '../../../src/api/network-map.ts';
import type { Plan, PlanSpec } from '../../../src/api/plan.ts';
import type { PlanVm } from '../../../src/api/plan-vm.ts';
import type { Provider, ProviderSpec } from '../../../src/api/provider.ts';
import type { StorageMap, StorageMapSpec } from '../../../src/api/storage-map.ts';
import { evaluatePlan, type PlanMemo, type PlanVerdict } from '../../../src/controllers/plan/evaluate.ts';
import { planInputs, type PlanInputs, type PlanWorld } from '../../../src/controllers/plan/inputs.ts';
import { InventoryStore } from '../../../src/inventory/store.ts';
import { ObjectCache } from '../../../src/kube/cache.ts';
import { SourceError } from '../../../src/model/fault.ts';
import type { DiskModel, NicModel, VmModel } from '../../../src/model/vm.ts';
import { RecordingLogger } from '../../../src/runtime/recording-logger.ts';
import type { SourcePlatform } from '../../../src/sources/source.ts';
import { createVspherePlatform } from '../../../src/sources/vsphere/platform.ts';
import { vmModel } from '../../migration/import-spec.ts';

export const gib = 2 ** 30;
const noRaw = {};
const logger = new RecordingLogger();
let versions = 1000;

/** An object as a server would have stored it, newer than any before. */
export function stored<T extends KubeObject>(object: T, uid = `${object.metadata.name}-uid`): Stored<T> {
  versions += 1;
  return {
    ...object,
    metadata: {
      uid,
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...object.metadata,
      resourceVersion: String(versions),
    },
  };
}

export const isReady: readonly Condition[] = [
  { type: 'Ready', status: 'True', category: 'Required', lastTransitionTime: '2026-01-01T00:00:00Z' },
];

export function forklift<T extends KubeObject>(
  kind: string,
  name: string,
  rest: Omit<T, 'apiVersion' | 'kind' | 'metadata'>,
): T {
  return {
    apiVersion: 'forklift.konveyor.io/v1beta1',
    kind,
    metadata: { name, namespace: 'mtv' },
    ...rest,
  } as unknown as T;
}

export function disk(index: number, changes: Partial<DiskModel> = {}): DiskModel {
  return {
    key: `200${index}`,
    sourceId: `[ds1] web/web_${index}.vmdk`,
    taskName: `[ds1] web/web_${index}.vmdk`,
    index,
    sizeBytes: 4 * gib,
    storage: { ids: ['datastore-1'], names: ['ds1'] },
    kind: 'image',
    bus: 'scsi',
    shared: false,
    snapshotable: true,
    needsScratch: 'never',
    ...changes,
  };
}

export function nic(position: number, changes: Partial<NicModel> = {}): NicModel {
  return {
    key: `400${position}`,
    network: { ids: ['network-1'], names: ['VM Network'] },
    model: 'vmxnet3',
    linkUp: true,
    sriov: false,
    multiqueue: false,
    addresses: [{ ip: '10.0.0.5', prefix: 24, origin: 'dhcp', dns: [] }],
    ...changes,
  };
}

const providerPair = {
  source: { namespace: 'mtv', name: 'vcenter' },
  destination: { namespace: 'mtv', name: 'host' },
};

/** A Plan and its world in which all is well: one VM on one datastore and one network. Tests spoil one thing each. */
export class PlanFixture {
  readonly inventory = new InventoryStore();
  readonly providers = new ObjectCache<Provider>({ logger, freeze: true });
  readonly networkMaps = new ObjectCache<NetworkMap>({ logger, freeze: true });
  readonly storageMaps = new ObjectCache<StorageMap>({ logger, freeze: true });
  readonly hooks = new ObjectCache<Hook>({ logger, freeze: true });
  readonly cluster = {
    storageClasses: new ObjectCache<StorageClass>({ logger }),
    storageProfiles: new ObjectCache<StorageProfile>({ logger }),
    quotas: new ObjectCache<ResourceQuota>({ logger }),
    networks: new ObjectCache<NetworkAttachmentDefinition>({ logger }),
  };
  platform: SourcePlatform = createVspherePlatform();
  isConnected = true;
  readonly memo: PlanMemo = new Map();
  plan: Stored<Plan>;

  constructor() {
    this.provider('vcenter', {
      type: 'vsphere',
      url: 'https://vcenter/sdk',
      secret: { name: 'vcenter' },
      settings: { vddkInitImage: 'registry/vddk:8' },
    });
    this.provider('host', { type: 'openshift', url: '', secret: {} });
    this.networkMap({ map: [{ source: { name: 'VM Network' }, destination: { type: 'pod' } }] });
    this.storageMap({ map: [{ source: { name: 'ds1' }, destination: { storageClass: 'fast' } }] });
    this.cluster.storageClasses.put(
      stored({
        apiVersion: 'storage.k8s.io/v1',
        kind: 'StorageClass',
        metadata: { name: 'fast' },
        provisioner: 'x',
      }),
    );
    this.inventory.begin();
    this.inventory.upsert('networks', 'network-1', { _type: 'Network', name: 'VM Network' });
    this.inventory.upsert('datastores', 'datastore-1', { _type: 'Datastore', name: 'ds1' });
    this.vm({});
    this.inventory.parity();
    const spec: PlanSpec = {
      provider: providerPair,
      map: { network: { namespace: 'mtv', name: 'nets' }, storage: { namespace: 'mtv', name: 'stores' } },
      targetNamespace: 'target',
      type: 'cold',
      skipGuestConversion: true,
      preserveStaticIPs: false,
      vms: [{ id: 'vm-101' }],
    };
    this.plan = stored(forklift<Plan>('Plan', 'plan', { spec }));
  }

  readonly world: PlanWorld = {
    providers: this.providers,
    networkMaps: this.networkMaps,
    storageMaps: this.storageMaps,
    hooks: this.hooks,
    hub: {
      source: () => {
        if (!this.isConnected)
          throw new SourceError({
            code: 'ProviderNotConnected',
            kind: 'transient',
            message: 'not connected',
          });
        return { transfer: this.transfer };
      },
      inventory: (uid) => (uid === 'vcenter-uid' ? this.inventory : undefined),
    },
    platformOf: (type) => (type === this.platform.type ? this.platform : undefined),
    cluster: this.cluster,
  };
  readonly transfer: NonNullable<PlanInputs['transfer']> = {
    paths: (_vm, run) => (run.vddkImage === undefined ? [] : ['vddk']),
  };

  /** Changes the spec as a user would: under a new generation. */
  edit(changes: Partial<PlanSpec>): this {
    const { generation = 1, ...metadata } = this.plan.metadata;
    const spec = { ...this.plan.spec, ...changes };
    this.plan = stored({ ...this.plan, spec, metadata: { ...metadata, generation: generation + 1 } });
    return this;
  }

  /** Changes the first VM of the Plan. */
  editVm(changes: Partial<PlanVm>): this {
    return this.edit({ vms: [{ id: 'vm-101', ...changes }] });
  }

  provider(name: string, spec: ProviderSpec, conditions = isReady): this {
    const generation = (this.providers.get({ namespace: 'mtv', name })?.metadata.generation ?? 0) + 1;
    const object = forklift<Provider>('Provider', name, { spec, status: { conditions } });
    this.providers.put(stored({ ...object, metadata: { ...object.metadata, generation } }));
    return this;
  }

  networkMap(spec: Partial<NetworkMapSpec>, conditions = isReady): this {
    const whole = { provider: providerPair, map: [], ...spec };
    const generation =
      (this.networkMaps.get({ namespace: 'mtv', name: 'nets' })?.metadata.generation ?? 0) + 1;
    const object = forklift<NetworkMap>('NetworkMap', 'nets', { spec: whole, status: { conditions } });
    this.networkMaps.put(stored({ ...object, metadata: { ...object.metadata, generation } }));
    return this;
  }

  storageMap(spec: Partial<StorageMapSpec>, conditions = isReady): this {
    const whole = { provider: providerPair, map: [], ...spec };
    const generation =
      (this.storageMaps.get({ namespace: 'mtv', name: 'stores' })?.metadata.generation ?? 0) + 1;
    const object = forklift<StorageMap>('StorageMap', 'stores', { spec: whole, status: { conditions } });
    this.storageMaps.put(stored({ ...object, metadata: { ...object.metadata, generation } }));
    return this;
  }

  /** Puts a VM into the inventory: vm-101 "web-01", unless the changes say otherwise. */
  vm(changes: Partial<VmModel>, raw: object = noRaw): this {
    const model = vmModel({
      id: 'vm-101',
      disks: [disk(0)],
      nics: [nic(0)],
      ...changes,
    });
    this.inventory.upsert('vms', model.id, raw as never, model);
    return this;
  }

  network(namespace: string, name: string, annotations: Record<string, string> = {}, config?: string): this {
    this.cluster.networks.put(
      stored<NetworkAttachmentDefinition>({
        apiVersion: 'k8s.cni.cncf.io/v1',
        kind: 'NetworkAttachmentDefinition',
        metadata: { namespace, name, annotations },
        ...(config !== undefined && { spec: { config } }),
      }),
    );
    return this;
  }

  quota(hard: Record<string, string>, used: Record<string, string> = {}): this {
    this.cluster.quotas.put(
      stored<ResourceQuota>({
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { namespace: 'target', name: 'limits' },
        spec: { hard },
        status: { hard, used },
      }),
    );
    return this;
  }

  inputs(): PlanInputs {
    return planInputs(this.plan, this.world);
  }

  evaluate(options: { readonly executing?: boolean; readonly memo?: PlanMemo } = {}): PlanVerdict {
    return evaluatePlan(this.inputs(), {
      executing: options.executing ?? false,
      memo: options.memo ?? this.memo,
    });
  }

  condition(type: string): ConditionDraft | undefined {
    return this.evaluate().conditions.find((condition) => condition.type === type);
  }
}

export function typesOf({ conditions }: PlanVerdict): readonly string[] {
  return conditions.map(({ type }) => type);
}
