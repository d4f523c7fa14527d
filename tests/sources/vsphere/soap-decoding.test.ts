import { describe, expect, test } from '@jest/globals';
import { negotiateVersion } from '../../../src/sources/vsphere/soap/api-version.ts';
import { faultToError } from '../../../src/sources/vsphere/soap/faults.ts';
import { member } from '../../../src/sources/vsphere/soap/values.ts';
import { decodeEnvelope, decodeXml } from '../../../src/sources/vsphere/soap/xml-decode.ts';
import { serviceContentFrom } from '../../../src/sources/vsphere/service-content.ts';
import { updatePageOf } from '../../../src/sources/vsphere/update-page.ts';
import { golden } from './xml-text.ts';

function returnvalOf(name: string) {
  const body = decodeEnvelope(golden(`${name}.response`));
  if (body.kind !== 'answer') throw new Error(`${name} is a fault`);
  return body.returnval;
}

describe('an answer', () => {
  test('names the managers of the server and what it is', () => {
    expect(serviceContentFrom(returnvalOf('retrieve-service-content'))).toMatchObject({
      rootFolder: { type: 'Folder', value: 'group-d1' },
      about: {
        apiType: 'VirtualCenter',
        version: '8.0.2',
        instanceUuid: '5a3bd7f2-2f9b-4b5d-9d0c-1c1f6c0e8a11',
      },
    });
  });

  test('that is void has no value', () => {
    expect(returnvalOf('destroy-view')).toBeUndefined();
    expect(updatePageOf(returnvalOf('wait-for-updates-ex.none'))).toBeUndefined();
  });

  test('of privileges keeps their order', () => {
    expect(returnvalOf('has-privilege-on-entity')).toEqual(['true', 'false']);
  });

  test('holds typed values by their type and others as text', () => {
    const value = decodeXml(
      '<a xmlns:xsi="x" xmlns:xsd="y"><name>007</name><n xsi:type="xsd:int">7</n><s xsi:type="xsd:string">007</s>' +
        '<big xsi:type="xsd:long">9223372036854775807</big><flag xsi:type="xsd:boolean">true</flag>' +
        '<none xsi:type="ArrayOfString"/><one xsi:type="ArrayOfString"><string>x</string></one></a>',
    ).value;
    expect(value).toEqual({
      name: '007',
      n: 7,
      s: '007',
      big: '9223372036854775807',
      flag: true,
      none: [],
      one: ['x'],
    });
  });

  test('gives a list where there may be many, even of one', () => {
    const devices = member(returnvalOf('vm-properties'), 'objects');
    expect(Array.isArray(devices)).toBe(true);
    expect(JSON.stringify(devices)).toContain('"ipAddress":["10.0.0.11"]');
  });

  test('that is cut off is no envelope', () => {
    const whole = golden('login.response');
    expect(() => decodeEnvelope(whole.slice(0, whole.length / 2))).toThrow();
    expect(() => decodeEnvelope('<html>Bad gateway</html>')).toThrow();
  });
});

describe('a page of updates', () => {
  test('says that more is to come', () => {
    expect(updatePageOf(returnvalOf('wait-for-updates-ex.truncated'))).toMatchObject({
      version: '1:2',
      truncated: true,
      changes: [
        { kind: 'enter', ref: { type: 'HostSystem', value: 'host-11' } },
        {
          kind: 'enter',
          ref: { type: 'VirtualMachine', value: 'vm-101' },
          set: [
            ['guest.hostName', 'web-1.example'],
            ['name', 'web-1'],
            ['runtime.powerState', 'poweredOn'],
          ],
        },
      ],
    });
  });

  test('tells what was unset and what has gone', () => {
    expect(updatePageOf(returnvalOf('wait-for-updates-ex.modify'))).toEqual({
      version: '2',
      truncated: false,
      changes: [
        {
          kind: 'modify',
          ref: { type: 'VirtualMachine', value: 'vm-101' },
          set: [['runtime.powerState', 'poweredOff']],
          unset: ['guest.hostName'],
        },
        { kind: 'leave', ref: { type: 'VirtualMachine', value: 'vm-102' }, set: [], unset: [] },
      ],
    });
  });
});

describe('a fault', () => {
  test.each([
    ['login.invalid-login', 'InvalidLogin', 'auth'],
    ['not-authenticated', 'NotAuthenticated', 'transient'],
    ['no-permission', 'NoPermission', 'denied'],
    ['managed-object-not-found', 'ManagedObjectNotFound', 'gone'],
    ['shutdown-guest.tools-unavailable', 'ToolsUnavailable', 'unsupported'],
    ['shutdown-guest.invalid-power-state', 'InvalidPowerState', 'invalid'],
    ['create-filter.invalid-property', 'InvalidProperty', 'invalid'],
    ['wait-for-updates-ex.invalid-collector-version', 'InvalidCollectorVersion', 'invalid'],
    ['wait-for-updates-ex.request-canceled', 'RequestCanceled', 'transient'],
    ['invalid-request', 'InvalidRequest', 'invalid'],
  ])('%s is %s, of kind %s', (name, code, kind) => {
    const body = decodeEnvelope(golden(`${name}.fault`));
    if (body.kind !== 'fault') throw new Error('not a fault');
    const attempt = { method: 'PowerOffVM_Task', on: { type: 'VirtualMachine', value: 'vm-101' } };
    const error = faultToError(attempt, body, (text) => text);
    expect(error).toMatchObject({ code, kind });
    expect(error.message).toContain('PowerOffVM_Task on VirtualMachine vm-101');
  });

  test('names the privilege that is missing', () => {
    const body = decodeEnvelope(golden('no-permission.fault'));
    if (body.kind !== 'fault') throw new Error('not a fault');
    const error = faultToError({ method: 'M', on: { type: 'T', value: 'v' } }, body, (text) => text);
    expect(error.message).toContain('VirtualMachine.Interact.PowerOff');
  });

  test('that nobody knows may be tried again and is scrubbed', () => {
    const fault = { type: 'NewInVersion9', text: 'bad token hunter22', detail: {} };
    const error = faultToError({ method: 'M', on: { type: 'T', value: 'v' } }, fault, (text) =>
      text.replace('hunter22', '***'),
    );
    expect(error.kind).toBe('transient');
    expect(error.message).toContain('bad token ***');
  });
});

describe('the version that is spoken', () => {
  test('is the newest that both sides know', () => {
    expect(negotiateVersion(golden('vim-service-versions'))).toBe('8.0.2.0');
    const newer = golden('vim-service-versions').replace('8.0.2.0', '9.1.0.0');
    expect(negotiateVersion(newer)).toBe('8.0.1.0');
  });

  test('is an old one where the server names none', () => {
    expect(negotiateVersion('<html>no</html>')).toBe('6.5');
    expect(negotiateVersion('garbage')).toBe('6.5');
  });
});
