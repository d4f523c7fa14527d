import type { ConversionConfig } from '../migration/freeze/conversion.ts';

/**
 * How guests are converted, from the environment as Forklift's operator sets it for its controller (fact: pkg/settings of 2.12);
 * VIRT_V2V_SECCOMP_PROFILE is ours: a profile on the nodes, for OpenShift "profiles/unshare.json".
 */
export function conversionConfig(env: Readonly<Record<string, string | undefined>>): ConversionConfig {
  const given = (name: string): string | undefined => (env[name] === '' ? undefined : env[name]);
  const image = given('VIRT_V2V_IMAGE');
  const xfsImage = given('VIRT_V2V_IMAGE_XFS');
  const seccompProfile = given('VIRT_V2V_SECCOMP_PROFILE');
  return {
    ...(image !== undefined && { image }),
    ...(xfsImage !== undefined && { xfsImage }),
    requestsKvm: !['true', '1'].includes(given('VIRT_V2V_DONT_REQUEST_KVM') ?? ''),
    ...(seccompProfile !== undefined && { seccompProfile }),
  };
}
