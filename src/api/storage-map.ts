import { choice, object, optional, type StaticOf } from '../model/schema.ts';
import type { KubeObject } from './meta.ts';
import { openList, openText } from './open-schema.ts';
import { InventoryRefSchema, ProviderPairSchema, statusFields } from './references.ts';

/** StorageMap (forklift-api.md 1.6). */
export const volumeModes = ['Filesystem', 'Block'] as const;
export const accessModes = ['ReadWriteOnce', 'ReadWriteMany', 'ReadOnlyMany'] as const;

/** Copies that the storage array makes itself: accepted, so that maps made for Forklift stay valid. */
const OffloadPluginSchema = object({
  vsphereXcopyConfig: optional(
    object({
      secretRef: openText(),
      storageVendorProduct: choice([
        'flashsystem',
        'vantara',
        'ontap',
        'primera3par',
        'pureFlashArray',
        'powerflex',
        'powermax',
        'powerstore',
        'infinibox',
      ]),
      dedicatedMigrationHosts: optional(openList(openText())),
    }),
  ),
  csiVolumeImport: optional(
    object({ secretRef: openText(), storageVendorProduct: choice(['primera3par', 'ontap']) }),
  ),
});

const StoragePairSchema = object({
  source: InventoryRefSchema,
  destination: object({
    storageClass: openText(),
    volumeMode: optional(choice(volumeModes)),
    accessMode: optional(choice(accessModes)),
  }),
  offloadPlugin: optional(OffloadPluginSchema),
});
export type StoragePair = StaticOf<typeof StoragePairSchema>;

export const StorageMapSpecSchema = object({
  provider: ProviderPairSchema,
  map: openList(StoragePairSchema, {
    description: 'Which storage class takes the disks of each datastore, storage domain or volume type.',
  }),
});
export type StorageMapSpec = StaticOf<typeof StorageMapSpecSchema>;

export const StorageMapStatusSchema = object({
  ...statusFields,
  references: optional(
    openList(InventoryRefSchema, { description: 'The sources, as found in the inventory.' }),
  ),
});
export type StorageMapStatus = StaticOf<typeof StorageMapStatusSchema>;

export interface StorageMap extends KubeObject {
  readonly spec: StorageMapSpec;
  readonly status?: StorageMapStatus;
}
