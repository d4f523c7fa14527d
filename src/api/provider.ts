import { object, optional, type StaticOf } from '../model/schema.ts';
import type { KubeObject } from './meta.ts';
import { openMap, openText } from './open-schema.ts';
import { objectReference, statusFields } from './references.ts';

/** Provider (forklift-api.md 1.3). The type has no enum: an unknown one is told by a condition. */
export const ProviderSpecSchema = object({
  type: openText({ description: 'vsphere, ovirt, openstack, ova, openshift, hyperv, nutanix or ec2.' }),
  url: optional(openText({ description: 'API endpoint; empty for the cluster that Gantry itself runs in.' })),
  secret: objectReference('Credentials; empty for the cluster that Gantry itself runs in.'),
  settings: optional(
    openMap({ description: 'Per type, such as vddkInitImage and sdkEndpoint for vsphere.' }),
  ),
});
export type ProviderSpec = StaticOf<typeof ProviderSpecSchema>;

export const providerPhases = ['Staging', 'ValidationFailed', 'ConnectionFailed', 'Ready'] as const;
export type ProviderPhase = (typeof providerPhases)[number];

export const ProviderStatusSchema = object({
  ...statusFields,
  phase: optional(openText({ description: 'Staging, ValidationFailed, ConnectionFailed or Ready.' })),
  fingerprint: optional(
    openText({ description: 'SHA-1 of the certificate that the source shows: upper-case hex with colons.' }),
  ),
  service: optional(objectReference('Of the server that serves OVA or Hyper-V disks.')),
  secretResourceVersion: optional(
    openText({ description: 'The version of the Secret that was tried last.' }),
  ),
});
export type ProviderStatus = StaticOf<typeof ProviderStatusSchema>;

export interface Provider extends KubeObject {
  readonly spec: ProviderSpec;
  readonly status?: ProviderStatus;
}
