import type { SourcePlatform } from '../source.ts';
import { vsphereNamed } from './named.ts';
import { checkVsphereProvider } from './provider-rules.ts';
import { RejectedLogins } from './rejected-logins.ts';
import { checkVsphereVm } from './vm-rules.ts';
import { openVsphereSource } from './vsphere-source.ts';

/** The words of the fault InvalidLogin, which the importer passes on (fact: vs 1.6, cdi 3.3). */
const loginRefusal = /InvalidLogin|incorrect user name or password/i;

/**
 * vCenter, or one ESXi host. Its only memory is which logins were refused: opening a source again with the same Secret must not offer
 * the same wrong password again (see RejectedLogins).
 */
export function createVspherePlatform(): SourcePlatform {
  const rejected = new RejectedLogins();
  return {
    type: 'vsphere',
    traits: {
      warm: 'changeId',
      conversion: 'always',
      staticIps: true,
      hosts: true,
      onlyConversion: true,
      luks: true,
      slot: 'diskPerHost',
      minPollSeconds: 0,
    },
    named: vsphereNamed,
    checkProvider: checkVsphereProvider,
    checkVm: checkVsphereVm,
    isLoginRefusal: (text) => loginRefusal.test(text),
    open: (connection, deps, signal) => openVsphereSource(connection, deps, rejected, signal),
  };
}
