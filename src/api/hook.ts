import { int, object, optional, type StaticOf } from '../model/schema.ts';
import type { KubeObject } from './meta.ts';
import { openText, plainInt } from './open-schema.ts';
import { objectReference, statusFields } from './references.ts';

/** Hook (forklift-api.md 1.11): a playbook in a pod, or a job template of an automation platform; never both. */
export const HookSpecSchema = object({
  image: optional(openText()),
  playbook: optional(openText({ description: 'Ansible playbook in base64.' })),
  serviceAccount: optional(openText()),
  deadline: optional(int({ description: 'Seconds.' })),
  aap: optional(
    object({
      jobTemplateId: plainInt(),
      url: optional(openText()),
      tokenSecret: optional(objectReference()),
      timeout: optional(int({ description: 'Seconds.' })),
    }),
  ),
});
export type HookSpec = StaticOf<typeof HookSpecSchema>;

export const HookStatusSchema = object({ ...statusFields });
export type HookStatus = StaticOf<typeof HookStatusSchema>;

export interface Hook extends KubeObject {
  readonly spec: HookSpec;
  readonly status?: HookStatus;
}
