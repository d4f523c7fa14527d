import { object, type StaticOf } from '../model/schema.ts';
import type { KubeObject } from './meta.ts';
import { openText } from './open-schema.ts';
import { inventoryRefFields, objectReference, statusFields } from './references.ts';

/** Host: an ESXi host whose disks are read from it directly, over a network of its own (forklift-api.md 1.4). vSphere only. */
export const HostSpecSchema = object({
  ...inventoryRefFields,
  provider: objectReference('The vSphere Provider that the host belongs to.'),
  ipAddress: openText({ description: 'Of the interface over which the disks are read.' }),
  secret: objectReference('Credentials of the host.'),
});
export type HostSpec = StaticOf<typeof HostSpecSchema>;

export const HostStatusSchema = object({ ...statusFields });
export type HostStatus = StaticOf<typeof HostStatusSchema>;

export interface Host extends KubeObject {
  readonly spec: HostSpec;
  readonly status?: HostStatus;
}
