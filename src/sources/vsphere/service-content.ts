import { SourceError } from '../../model/fault.ts';
import type { Json } from '../../model/vm.ts';
import { asMoRef, asText, member, type MoRef } from './soap/values.ts';

/** Where everything is on this server, and what it says of itself. Never guessed: ESXi names its objects differently (fact: vs 1.3). */
export interface ServiceContent {
  readonly rootFolder: MoRef;
  readonly propertyCollector: MoRef;
  readonly viewManager: MoRef;
  readonly sessionManager: MoRef;
  /** vCenter only. */
  readonly authorizationManager?: MoRef;
  readonly about: {
    readonly fullName: string;
    readonly version: string;
    readonly apiVersion: string;
    readonly apiType: 'VirtualCenter' | 'HostAgent';
    /** vCenter only. */
    readonly instanceUuid?: string;
  };
}

export function serviceContentFrom(returnval: Json | undefined): ServiceContent {
  const need = (name: string): MoRef => {
    const ref = asMoRef(member(returnval, name));
    if (ref !== undefined) return ref;
    throw new SourceError({
      code: 'ServiceContentIncomplete',
      kind: 'unsupported',
      message: `RetrieveServiceContent named no ${name}: the URL is not that of a vCenter or ESXi.`,
    });
  };
  const about = (name: string): string => asText(member(returnval, 'about', name)) ?? '';
  const authorizationManager = asMoRef(member(returnval, 'authorizationManager'));
  const instanceUuid = about('instanceUuid');
  return {
    rootFolder: need('rootFolder'),
    propertyCollector: need('propertyCollector'),
    viewManager: need('viewManager'),
    sessionManager: need('sessionManager'),
    ...(authorizationManager === undefined ? {} : { authorizationManager }),
    about: {
      fullName: about('fullName'),
      version: about('version'),
      apiVersion: about('apiVersion'),
      apiType: about('apiType') === 'HostAgent' ? 'HostAgent' : 'VirtualCenter',
      ...(instanceUuid === '' ? {} : { instanceUuid }),
    },
  };
}
