import { int, object, optional, type StaticOf } from '../model/schema.ts';
import { ConditionSchema } from './conditions.ts';
import { openList, openText, unbounded } from './open-schema.ts';

/** Parts that several of Forklift's kinds have in common (forklift-api.md 1.1, 1.2). */

/** core/v1 ObjectReference as Forklift has it: all optional, replaced as a whole by a server-side apply. */
export const objectReference = (description?: string) =>
  object(
    {
      apiVersion: optional(openText()),
      fieldPath: optional(openText()),
      kind: optional(openText()),
      name: optional(openText()),
      namespace: optional(openText()),
      resourceVersion: optional(openText()),
      uid: optional(openText()),
    },
    { 'x-kubernetes-map-type': 'atomic', ...(description === undefined ? {} : { description }) },
  );

/** Fields of a reference into the inventory of a source; they stand inline in whatever refers. */
export const inventoryRefFields = {
  id: optional(openText({ description: 'The id in the inventory; wins over the name.' })),
  name: optional(
    openText({
      description: 'A name, or a path that ends in it where the name alone is not unique.',
    }),
  ),
  namespace: optional(openText({ description: 'Of the VM, where the source is a cluster.' })),
  type: optional(openText({ description: 'Tells apart what shares an id or a name.' })),
};
export const InventoryRefSchema = object({ ...inventoryRefFields });
export type InventoryRef = StaticOf<typeof InventoryRefSchema>;

export const ProviderPairSchema = object(
  {
    source: objectReference('The Provider that the VMs come from.'),
    destination: objectReference('The Provider of the cluster that they go to.'),
  },
  { description: 'Source and target.' },
);
export type ProviderPair = StaticOf<typeof ProviderPairSchema>;

export const conditions = () =>
  optional(openList(unbounded(ConditionSchema), { description: 'What holds now; absent means not so.' }));

/** What every status of Forklift's has. */
export const statusFields = {
  conditions: conditions(),
  observedGeneration: optional(
    int({ description: 'The generation of the spec that this status speaks of.' }),
  ),
};
