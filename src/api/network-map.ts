import { choice, object, optional, type StaticOf } from '../model/schema.ts';
import type { KubeObject } from './meta.ts';
import { openList, openText } from './open-schema.ts';
import { InventoryRefSchema, inventoryRefFields, ProviderPairSchema, statusFields } from './references.ts';

/** NetworkMap (forklift-api.md 1.5). */
export const networkDestinationTypes = ['pod', 'multus', 'ignored'] as const;
export type NetworkDestinationType = (typeof networkDestinationTypes)[number];

const NetworkPairSchema = object({
  source: object({
    ...inventoryRefFields,
    vlan: optional(
      openText({
        pattern: '^([1-9]|[1-9][0-9]{1,2}|[1-3][0-9]{3}|40[0-8][0-9]|409[0-4])$',
        description: 'Tells apart networks of one name: 1 to 4094.',
      }),
    ),
  }),
  destination: object({
    type: choice(networkDestinationTypes),
    namespace: optional(openText({ description: 'Of the NetworkAttachmentDefinition; multus only.' })),
    name: optional(openText({ description: 'Of the NetworkAttachmentDefinition; multus only.' })),
  }),
});
export type NetworkPair = StaticOf<typeof NetworkPairSchema>;

export const NetworkMapSpecSchema = object({
  provider: ProviderPairSchema,
  map: openList(NetworkPairSchema, { description: 'Where each network of the source goes.' }),
});
export type NetworkMapSpec = StaticOf<typeof NetworkMapSpecSchema>;

export const NetworkMapStatusSchema = object({
  ...statusFields,
  references: optional(
    openList(InventoryRefSchema, { description: 'The sources, as found in the inventory.' }),
  ),
});
export type NetworkMapStatus = StaticOf<typeof NetworkMapStatusSchema>;

export interface NetworkMap extends KubeObject {
  readonly spec: NetworkMapSpec;
  readonly status?: NetworkMapStatus;
}
