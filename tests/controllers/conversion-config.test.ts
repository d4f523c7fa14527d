import { expect, test } from '@jest/globals';
import { conversionConfig } from '../../src/controllers/conversion-config.ts';

test('the environment says how guests are converted, as Forklift’s operator sets it', () => {
  expect(
    conversionConfig({
      VIRT_V2V_IMAGE: 'v2v:1',
      VIRT_V2V_IMAGE_XFS: 'v2v:xfs',
      VIRT_V2V_DONT_REQUEST_KVM: 'true',
      VIRT_V2V_SECCOMP_PROFILE: 'profiles/unshare.json',
    }),
  ).toEqual({
    image: 'v2v:1',
    xfsImage: 'v2v:xfs',
    requestsKvm: false,
    seccompProfile: 'profiles/unshare.json',
  });
});

test('an empty variable is the same as none, and the KVM device is asked for unless it is not wanted', () => {
  expect(conversionConfig({ VIRT_V2V_IMAGE: '' })).toEqual({ requestsKvm: true });
});
