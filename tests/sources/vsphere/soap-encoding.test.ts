import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import * as requests from '../../../src/sources/vsphere/soap/requests.ts';
import { decodeXml } from '../../../src/sources/vsphere/soap/xml-decode.ts';
import { encodeEnvelope, leaf, type VimRequest } from '../../../src/sources/vsphere/soap/xml-encode.ts';
import { member } from '../../../src/sources/vsphere/soap/values.ts';
import { golden, meaningOf } from './xml-text.ts';

const ref = (type: string, value: string) => ({ type, value });
const collector = ref('PropertyCollector', 'session[52aa]52bb');
const shared = ref('PropertyCollector', 'propertyCollector');
const view = ref('ContainerView', 'session[52aa]52cc');
const vm = ref('VirtualMachine', 'vm-101');

const cases: readonly (readonly [string, VimRequest])[] = [
  [
    'login',
    requests.login(ref('SessionManager', 'SessionManager'), 'administrator@vsphere.local', 'p&ss<word>1'),
  ],
  ['logout', requests.logout(ref('SessionManager', 'SessionManager'))],
  ['retrieve-service-content', requests.retrieveServiceContent()],
  ['create-property-collector', requests.createPropertyCollector(shared)],
  ['destroy-property-collector', requests.destroyPropertyCollector(collector)],
  [
    'create-container-view',
    requests.createContainerView(ref('ViewManager', 'ViewManager'), ref('Folder', 'group-d1'), [
      'HostSystem',
      'VirtualMachine',
    ]),
  ],
  ['destroy-view', requests.destroyView(view)],
  [
    'create-filter',
    requests.createFilter(
      collector,
      {
        propSet: [
          { type: 'HostSystem', paths: ['name'] },
          { type: 'VirtualMachine', paths: ['name', 'runtime.powerState', 'guest.hostName'] },
        ],
        objectSet: [requests.throughView(view)],
      },
      false,
    ),
  ],
  [
    'wait-for-updates-ex.initial',
    requests.waitForUpdatesEx(collector, '', { maxWaitSeconds: 60, maxObjectUpdates: 2 }),
  ],
  [
    'retrieve-properties-ex',
    requests.retrievePropertiesEx(
      shared,
      {
        propSet: [{ type: 'VirtualMachine', paths: ['name', 'runtime.powerState'] }],
        objectSet: [requests.throughView(view)],
      },
      1,
    ),
  ],
  ['continue-retrieve-properties-ex', requests.continueRetrievePropertiesEx(shared, '52ff-1')],
  [
    'has-privilege-on-entity',
    requests.hasPrivilegeOnEntity(
      ref('AuthorizationManager', 'AuthorizationManager'),
      ref('Folder', 'group-d1'),
      '52aa0c7e-0000-4000-8000-000000000001',
      ['VirtualMachine.Interact.PowerOff', 'VirtualMachine.Provisioning.DiskRandomRead'],
    ),
  ],
  ['power-off-vm-task', requests.powerOffTask(vm)],
  ['power-on-vm-task', requests.powerOnTask(vm)],
  ['shutdown-guest', requests.shutdownGuest(vm)],
];

describe('a request', () => {
  test.each(cases)('%s is written as the golden envelope has it', (name, request) => {
    expect(meaningOf(encodeEnvelope(request))).toEqual(meaningOf(golden(`${name}.request`)));
  });

  test('carries any text that XML can hold, unchanged', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const carried = text.replace(/[^\t\n\r -\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '');
        const xml = encodeEnvelope({ method: 'Login', on: vm, args: [leaf('password', text)] });
        expect(member(decodeXml(xml).value, 'Body', 'Login', 'password')).toBe(carried);
      }),
    );
  });
});
