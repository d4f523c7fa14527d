import { readdirSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { readCall } from '../../../src/sandbox/vcenter/soap-request.ts';
import { faultEnvelope } from '../../../src/sandbox/vcenter/soap-answer.ts';
import {
  invalidCollectorVersion,
  invalidLogin,
  invalidPowerState,
  invalidProperty,
  invalidRequest,
  noPermission,
  notAuthenticated,
  notFound,
  requestCanceled,
  toolsUnavailable,
  type VimFault,
} from '../../../src/sandbox/vcenter/vim-fault.ts';
import { MoRef } from '../../../src/sandbox/vcenter/vim-value.ts';
import type { VmInput } from '../../../src/sandbox/vcenter/vm-spec.ts';
import { bodyOf, golden, type CanonicalElement } from '../../golden/vsphere/canonical.ts';
import { local, VCenterWorld, type SoapCaller } from './soap-caller.ts';

const folder = new URL('../../golden/vsphere/', import.meta.url);
const requests = readdirSync(folder).filter((name) => name.endsWith('.request.xml'));

/** The VM "web-1" of the golden envelopes. */
const web1: VmInput = {
  name: 'web-1',
  power: 'on',
  firmware: 'efi',
  secureBoot: true,
  tpm: true,
  cpu: 2,
  memoryMiB: 2048,
  changeTracking: true,
  host: 'esx1.example',
  disks: [{ sizeBytes: 1_048_576 }],
  nics: [
    {
      network: 'VM Network',
      mac: '00:50:56:00:00:01',
      addresses: [{ ip: '10.0.0.11', prefix: 24 }],
      gateway: '10.0.0.1',
      dns: ['10.0.0.2'],
    },
    { network: 'DMZ', mac: '00:50:56:00:00:02', model: 'e1000e', connected: false },
  ],
  guest: { hostname: 'web-1.example' },
  extraConfig: { 'disk.EnableUUID': 'TRUE' },
  custom: { owner: 'shop' },
  bootDisks: [0],
};

/** Ids that a server makes up: what they are does not matter, only where they stand. */
const madeUp = new Set(['key', 'version', 'token', 'filter', 'returnval', 'changeId']);

function masked(element: CanonicalElement): CanonicalElement {
  const isId = madeUp.has(local(element.name)) && element.children.length === 0;
  return { ...element, text: isId ? '*' : element.text, children: element.children.map(masked) };
}

async function answered(
  caller: SoapCaller,
  request: string,
  from: ReadonlyMap<string, string> = new Map(),
): Promise<CanonicalElement> {
  let envelope = golden(request);
  for (const [old, now] of from) envelope = envelope.replaceAll(old, now);
  return masked(bodyOf((await caller.post(envelope)).text));
}

describe('golden envelopes', () => {
  test.each(requests)('%s is a call that the server understands', (name) => {
    const envelope = golden(name.replace(/\.xml$/, ''));
    expect(readCall(envelope).method.name).toBe(local(bodyOf(envelope).name));
  });

  test.each<[string, VimFault]>([
    ['login.invalid-login', invalidLogin()],
    ['shutdown-guest.tools-unavailable', toolsUnavailable()],
    ['shutdown-guest.invalid-power-state', invalidPowerState('poweredOff', 'poweredOff')],
    ['create-filter.invalid-property', invalidProperty('runtime.colour')],
    ['wait-for-updates-ex.request-canceled', requestCanceled()],
    ['wait-for-updates-ex.invalid-collector-version', invalidCollectorVersion()],
    [
      'not-authenticated',
      notAuthenticated(new MoRef('VirtualMachine', 'vm-101'), 'VirtualMachine.Interact.PowerOff'),
    ],
    [
      'no-permission',
      noPermission(new MoRef('VirtualMachine', 'vm-101'), 'VirtualMachine.Interact.PowerOff'),
    ],
    ['managed-object-not-found', notFound(new MoRef('VirtualMachine', 'vm-101'))],
    ['invalid-request', invalidRequest('Required parameter password is missing while parsing Login')],
  ])('%s is what the server answers for that fault', (name, fault) => {
    expect(bodyOf(faultEnvelope(fault))).toEqual(bodyOf(golden(`${name}.fault`)));
  });

  test('service content, clock, login and logout are answered to the letter', async () => {
    await using world = new VCenterWorld();
    const caller = world.caller();
    for (const name of ['retrieve-service-content', 'login', 'current-time', 'logout']) {
      expect(await answered(caller, `${name}.request`)).toEqual(masked(bodyOf(golden(`${name}.response`))));
    }
  });

  test('all properties of a VM are answered to the letter, with and without a snapshot', async () => {
    await using world = new VCenterWorld();
    const vm = world.vcenter.addVm(web1);
    const caller = await world.loggedIn();
    const answer = await answered(caller, 'vm-properties.request');
    expect(answer).toEqual(masked(bodyOf(golden('vm-properties.response'))));
    vm.takeSnapshot('before update');
    const after = await caller.property('VirtualMachine', vm.id, 'snapshot');
    const expected = bodyOf(golden('vm-properties.snapshot.response')).children[0]?.children[0]?.children[1]
      ?.children[1];
    expect(after).toEqual(expected);
  });

  test('views, filters and waits are answered to the letter', async () => {
    await using world = new VCenterWorld();
    const web = world.vcenter.addVm({ ...web1 });
    const db = world.vcenter.addVm({ name: 'db/1' });
    const caller = await world.loggedIn();
    const ids = new Map<string, string>();
    const made = async (request: string, placeholder: string): Promise<void> => {
      const text = (await caller.post(ids.size === 0 ? golden(request) : replaced(golden(request), ids)))
        .text;
      ids.set(placeholder, bodyOf(text).children[0]?.text ?? '');
    };
    await made('create-property-collector.request', 'session[52aa]52bb');
    await made('create-container-view.request', 'session[52aa]52cc');
    await made('create-filter.request', 'session[52aa]52dd');
    const wait = 'wait-for-updates-ex.initial.request';
    const enters = await caller.post(
      replaced(golden(wait).replace('>2</maxObjectUpdates>', '>100</maxObjectUpdates>'), ids),
    );
    const [update] = bodyOf(enters.text).children;
    const version = update?.children[0]?.text ?? '';
    const objects = update?.children[1]?.children.slice(1) ?? [];
    expect(objects.map((object) => object.children[1]?.text)).toEqual([
      'vm-101',
      'vm-102',
      'host-11',
      'host-12',
    ]);
    expect([objects[0], objects[1]]).toEqual([
      bodyOf(golden('wait-for-updates-ex.truncated.response')).children[0]?.children[1]?.children[2],
      bodyOf(golden('wait-for-updates-ex.rest.response')).children[0]?.children[1]?.children[1],
    ]);
    web.powerOff();
    db.remove();
    ids.set('<version>1:2</version>', `<version>${version}</version>`);
    const modify = await answered(caller, 'wait-for-updates-ex.next.request', ids);
    expect(modify).toEqual(masked(bodyOf(golden('wait-for-updates-ex.modify.response'))));
  });

  test('power, tasks, searches and privileges are answered to the letter', async () => {
    await using world = new VCenterWorld({ latencies: { powerOffMs: 2_000 } });
    const vm = world.vcenter.addVm(web1);
    world.vcenter.addVm({ name: 'db/1' });
    const caller = await world.loggedIn();
    const exactly = async (request: string, response = request): Promise<void> => {
      const { text } = await caller.post(golden(`${request}.request`));
      expect(bodyOf(text)).toEqual(bodyOf(golden(`${response}.response`)));
    };
    world.vcenter.privileges.deny('VirtualMachine.Provisioning.DiskRandomRead');
    await exactly('has-privilege-on-entity');
    await exactly('find-by-uuid');
    await exactly('find-by-uuid.datacenter', 'find-by-uuid');
    await exactly('shutdown-guest');
    await caller.call('PowerOnVM_Task', ['VirtualMachine', 'vm-102']);
    await exactly('power-off-vm-task');
    const info = 'retrieve-properties-ex.no-options';
    await exactly(info, 'task-info.queued');
    await world.clock.advance(300);
    await exactly(info, 'task-info.running');
    await world.clock.advance(2_000);
    await exactly(info, 'task-info.success');
    vm.remove();
    await exactly('find-by-uuid', 'find-by-uuid.absent');
  });

  test('a failed task is answered to the letter', async () => {
    await using world = new VCenterWorld({ latencies: { taskStartMs: 2_000 } });
    world.vcenter.addVm({ ...web1, power: 'off' });
    const caller = await world.loggedIn();
    for (let count = 0; count < 2; count += 1)
      await caller.call('PowerOffVM_Task', ['VirtualMachine', 'vm-101']);
    await world.clock.advance(2_000);
    const { text } = await caller.post(
      golden('retrieve-properties-ex.no-options.request').replace('task-42', 'task-41'),
    );
    const asFirst = golden('task-info.error.response')
      .replaceAll('task-42', 'task-41')
      .replace('>42</eventChainId>', '>41</eventChainId>')
      .replace('12:00:00Z</startTime>', '12:00:02Z</startTime>');
    expect(bodyOf(text)).toEqual(bodyOf(asFirst));
  });

  test('paged reads, list views and their ends are answered to the letter', async () => {
    await using world = new VCenterWorld();
    world.vcenter.addVm(web1);
    world.vcenter.addVm({ name: 'db/1' });
    const caller = await world.loggedIn();
    const ids = new Map<string, string>();
    const run = async (request: string, response: string, placeholder?: string): Promise<void> => {
      const { text } = await caller.post(replaced(golden(`${request}.request`), ids));
      expect(masked(bodyOf(text))).toEqual(masked(bodyOf(golden(`${response}.response`))));
      const [made] = bodyOf(text).children;
      if (placeholder !== undefined) ids.set(placeholder, (made?.children[0] ?? made)?.text ?? '');
    };
    await run('create-container-view', 'create-container-view', 'session[52aa]52cc');
    await run('retrieve-properties-ex', 'retrieve-properties-ex.paged', '52ff-1');
    await run('continue-retrieve-properties-ex', 'continue-retrieve-properties-ex');
    await run('create-list-view', 'create-list-view', 'session[52aa]52ee');
    await run('modify-list-view', 'modify-list-view');
    await run('destroy-view', 'destroy-view');
    await run('create-property-collector', 'create-property-collector', 'session[52aa]52bb');
    await run('cancel-wait-for-updates', 'cancel-wait-for-updates');
    await run('destroy-property-collector', 'destroy-property-collector');
    await run('session-is-active', 'session-is-active');
  });
});

function replaced(text: string, ids: ReadonlyMap<string, string>): string {
  return [...ids].reduce((now, [old, id]) => now.replaceAll(old, id), text);
}
