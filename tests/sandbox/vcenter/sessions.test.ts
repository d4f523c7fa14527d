import { describe, expect, test } from '@jest/globals';
import { SourceError } from '../../../src/model/fault.ts';
import { seededRandom } from '../../../src/sandbox/random.ts';
import { golden } from '../../golden/vsphere/canonical.ts';
import { defaultCollector, envelopeOf, local, SoapFault, textOf, user, VCenterWorld } from './soap-caller.ts';
import type { Trust } from '../../../src/sources/source.ts';

const instance = ['ServiceInstance', 'ServiceInstance'] as const;
const minute = 60_000;

describe('sessions', () => {
  test('a call without a login is NotAuthenticated, but the service content is open to all', async () => {
    await using world = new VCenterWorld();
    const caller = world.caller();
    await expect(caller.call('CurrentTime', instance)).rejects.toThrow('NotAuthenticated');
    const [content] = await caller.call('RetrieveServiceContent', instance);
    expect(content && textOf(content, 'rootFolder')).toBe('group-d1');
  });

  test('the cookie counts with its quotes only', async () => {
    await using world = new VCenterWorld();
    const caller = await world.loggedIn();
    expect(caller.cookie).toMatch(/^vmware_soap_session="[0-9a-f]{40}"$/);
    caller.cookie = caller.cookie?.replaceAll('"', '');
    await expect(caller.call('CurrentTime', instance)).rejects.toThrow('NotAuthenticated');
  });

  test('a session dies after half an hour without a call, and a call keeps it', async () => {
    await using world = new VCenterWorld();
    const caller = await world.loggedIn();
    await world.clock.advance(25 * minute);
    await caller.call('CurrentTime', instance);
    await world.clock.advance(25 * minute);
    expect(world.vcenter.liveSessions).toBe(1);
    await caller.call('CurrentTime', instance);
    await world.clock.advance(31 * minute);
    expect(world.vcenter.liveSessions).toBe(0);
    await expect(caller.call('CurrentTime', instance)).rejects.toThrow('NotAuthenticated');
  });

  test('views and collectors of an ended session are gone, also for the next one', async () => {
    await using world = new VCenterWorld();
    const caller = await world.loggedIn();
    const inner = '<container type="Folder">group-d1</container><recursive>true</recursive>';
    const [view] = await caller.call('CreateContainerView', ['ViewManager', 'ViewManager'], inner);
    const id = view?.text ?? '';
    expect(await caller.property('ContainerView', id, 'view')).toBeDefined();
    world.vcenter.loseSessions();
    await expect(caller.property('ContainerView', id, 'view')).rejects.toThrow('NotAuthenticated');
    caller.cookie = undefined;
    await caller.login();
    await expect(caller.property('ContainerView', id, 'view')).rejects.toThrow('ManagedObjectNotFound');
  });

  test('what one session made another one cannot see', async () => {
    await using world = new VCenterWorld();
    const [one, two] = [await world.loggedIn(), await world.loggedIn()];
    const [collector] = await one.call('CreatePropertyCollector', defaultCollector);
    const on = ['PropertyCollector', collector?.text ?? ''] as const;
    await expect(two.call('CancelWaitForUpdates', on)).rejects.toThrow('ManagedObjectNotFound');
    expect(await one.call('CancelWaitForUpdates', on)).toEqual([]);
  });

  test('a second login in one session is refused', async () => {
    await using world = new VCenterWorld();
    const caller = await world.loggedIn();
    await expect(caller.login()).rejects.toThrow('InvalidLogin');
    expect(world.vcenter.liveSessions).toBe(1);
  });

  test('a lost session is told to the call and to the wait that hangs', async () => {
    await using world = new VCenterWorld();
    const [waiting, calling] = [await world.loggedIn(), await world.loggedIn()];
    const hanging = waiting.call('WaitForUpdatesEx', defaultCollector);
    const told = expect(hanging).rejects.toThrow('NotAuthenticated');
    world.faults.start('vcenter-session-lost', { times: 2 });
    await told;
    await expect(calling.call('CurrentTime', instance)).rejects.toThrow('NotAuthenticated');
    calling.cookie = undefined;
    await calling.login();
    await calling.call('CurrentTime', instance);
  });
});

describe('the account', () => {
  test('wrong passwords are counted and five in a row lock it, until somebody sets a new one', async () => {
    await using world = new VCenterWorld();
    const caller = world.caller();
    for (let count = 1; count <= 5; count += 1) {
      await expect(caller.login('wrong')).rejects.toThrow('InvalidLogin');
      expect(world.vcenter.account.wrongTries).toBe(count);
    }
    expect(world.vcenter.account.locked).toBe(true);
    await expect(caller.login()).rejects.toThrow('InvalidLogin');
    world.vcenter.setAccount('a new one');
    await caller.login('a new one');
    expect(world.vcenter.account.locked).toBe(false);
  });

  test('a locked account opens by itself after five minutes; slow tries never lock it', async () => {
    await using world = new VCenterWorld();
    for (let count = 0; count < 5; count += 1) await expect(world.caller().login('wrong')).rejects.toThrow();
    await world.clock.advance(4 * minute);
    await expect(world.caller().login()).rejects.toThrow('InvalidLogin');
    await world.clock.advance(minute);
    await world.caller().login();
    for (let count = 0; count < 20; count += 1) {
      await expect(world.caller().login('wrong')).rejects.toThrow();
      await world.clock.advance(minute);
    }
    await world.caller().login();
  });

  test('a right password in between starts the count anew', async () => {
    await using world = new VCenterWorld();
    for (let count = 0; count < 4; count += 1) await expect(world.caller().login('wrong')).rejects.toThrow();
    await world.caller().login();
    for (let count = 0; count < 4; count += 1) await expect(world.caller().login('wrong')).rejects.toThrow();
    await world.caller().login();
  });

  test('a changed password refuses the next login and leaves live sessions alone', async () => {
    await using world = new VCenterWorld();
    const caller = await world.loggedIn();
    world.vcenter.setAccount('rotated');
    await caller.call('CurrentTime', instance);
    await expect(world.caller().login()).rejects.toThrow('InvalidLogin');
    world.vcenter.setAccount('p&ss<word>1');
    const changed = world.faults.start('vcenter-password-changed');
    await expect(world.caller().login()).rejects.toThrow('InvalidLogin');
    changed[Symbol.dispose]();
    await world.caller().login();
  });

  test('a password is nowhere in the trace', async () => {
    await using world = new VCenterWorld();
    await expect(world.caller().login('very-secret-try')).rejects.toThrow();
    await world.loggedIn();
    expect(JSON.stringify(world.trace.entries)).not.toMatch(/very-secret-try|p&ss/);
    expect(world.story).toEqual([
      `${user} login refused vcenter`,
      'VSPHERE.LOCAL\\Administrator Login vcenter',
    ]);
  });
});

describe('envelopes', () => {
  const wrong: readonly [name: string, inner: string, text: string][] = [
    [
      'out of order',
      '<password>x</password><userName>a</userName>',
      'Required parameter userName is missing',
    ],
    ['missing', '<userName>a</userName>', 'Required parameter password is missing'],
    [
      'unknown',
      '<userName>a</userName><password>x</password><colour>red</colour>',
      'Unexpected element tag "colour"',
    ],
    [
      'given twice',
      '<userName>a</userName><userName>b</userName><password>x</password>',
      'password is missing',
    ],
    ['nested', '<userName><a/></userName><password>x</password>', 'userName'],
  ];
  test.each(wrong)('an element that is %s is a fault', async (_name, inner, text) => {
    await using world = new VCenterWorld();
    const call = world.caller().call('Login', ['SessionManager', 'SessionManager'], inner);
    await expect(call).rejects.toThrow(text);
    expect(world.vcenter.account.wrongTries).toBe(0);
  });

  test('a subclass without its xsi:type is a fault', async () => {
    await using world = new VCenterWorld();
    const caller = await world.loggedIn();
    const envelope = golden('create-filter.request').replace(' xsi:type="TraversalSpec"', '');
    const { status, text } = await caller.post(envelope);
    expect([status, text.includes('InvalidRequest')]).toEqual([500, true]);
  });

  test('a method on the wrong object, an unknown method and broken XML are faults', async () => {
    await using world = new VCenterWorld();
    const caller = await world.loggedIn();
    await expect(caller.call('CurrentTime', ['Folder', 'group-d1'])).rejects.toThrow('ManagedObjectNotFound');
    await expect(caller.call('PowerOffVM_Task', ['VirtualMachine', 'vm-9'])).rejects.toThrow(
      'ManagedObjectNotFound',
    );
    await expect(caller.call('Fly', instance)).rejects.toThrow('Fly');
    expect((await caller.post('<Envelope>')).status).toBe(500);
  });

  test.each(['urn:vim25/7.0', '"urn:vim25/99.0"'])(
    'SOAPAction %p is answered at the server’s level',
    async (SOAPAction) => {
      await using world = new VCenterWorld();
      const envelope = envelopeOf('RetrieveServiceContent', instance, '');
      expect((await world.caller().post(envelope, { SOAPAction })).status).toBe(200);
    },
  );

  test.each([undefined, '', 'urn:vim25/', 'urn:vim26/8.0'])('SOAPAction %p is refused', async (action) => {
    await using world = new VCenterWorld();
    const envelope = envelopeOf('RetrieveServiceContent', instance, '');
    const { status, text } = await world.caller().post(envelope, { SOAPAction: action ?? '' });
    expect([status, text.includes('Unsupported version URI')]).toEqual([500, true]);
  });

  test('sessions are listed, and each client sees which one is its own', async () => {
    await using world = new VCenterWorld();
    const [first, second] = [await world.loggedIn(), await world.loggedIn()];
    const manager = ['SessionManager', 'SessionManager'] as const;
    const listed = (await first.property(...manager, 'sessionList'))?.children ?? [];
    const keys = listed.map((session) => textOf(session, 'key'));
    const own = await Promise.all(
      [first, second].map(async (caller) => {
        const current = await caller.property(...manager, 'currentSession');
        return current === undefined ? '' : textOf(current, 'key');
      }),
    );
    expect(own).toEqual(keys);
    expect(new Set(keys).size).toBe(2);
  });

  test('a fault says its type in the detail', async () => {
    await using world = new VCenterWorld();
    const failure: unknown = await world
      .caller()
      .call('CurrentTime', instance)
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SoapFault);
    if (failure instanceof SoapFault) expect(local(failure.detail.name)).toBe('NotAuthenticatedFault');
  });
});

describe('the way in', () => {
  test('a wrong thumbprint, a foreign CA and the system roots are refused before anything is sent', async () => {
    await using world = new VCenterWorld();
    await using other = new VCenterWorld({ random: seededRandom(8) });
    const wrong: Trust[] = [
      { by: 'thumbprint', sha1: other.vcenter.thumbprint },
      { by: 'ca', pem: other.vcenter.caPem },
      { by: 'ca', pem: 'no certificate' },
      { by: 'system' },
    ];
    for (const trust of wrong) {
      const failure: unknown = await world
        .caller(trust)
        .login()
        .catch((error: unknown) => error);
      expect(failure instanceof SourceError && failure.kind).toBe('auth');
    }
    expect(world.trace.entries).toEqual([]);
    const { thumbprint, caPem } = world.vcenter;
    await world.caller({ by: 'thumbprint', sha1: thumbprint.toLowerCase() }).login();
    await world.caller({ by: 'ca', pem: `${other.vcenter.caPem}${caPem}` }).login();
    await world.caller({ by: 'nothing' }).login();
  });

  test('one seed gives one certificate, and a renewed one is another', async () => {
    await using one = new VCenterWorld();
    await using same = new VCenterWorld();
    expect(same.vcenter.thumbprint).toBe(one.vcenter.thumbprint);
    const caller = await one.loggedIn();
    one.vcenter.renewCertificate();
    expect(one.vcenter.thumbprint).not.toBe(same.vcenter.thumbprint);
    await expect(caller.call('CurrentTime', instance)).rejects.toThrow(one.vcenter.thumbprint);
  });

  test('a vCenter that is down answers nobody, and breaks the wait that hangs', async () => {
    await using world = new VCenterWorld();
    const caller = await world.loggedIn();
    const hanging = caller.call('WaitForUpdatesEx', defaultCollector);
    const broken = expect(hanging).rejects.toMatchObject({ kind: 'transient' });
    const down = world.faults.start('vcenter-down');
    await broken;
    await expect(caller.call('CurrentTime', instance)).rejects.toMatchObject({ kind: 'transient' });
    down[Symbol.dispose]();
    await caller.call('CurrentTime', instance);
  });

  test('another host name is nobody', async () => {
    await using world = new VCenterWorld();
    const endpoint = world.vcenter.connect('https://elsewhere.example/sdk', { by: 'nothing' });
    await expect(endpoint.peerThumbprint(new AbortController().signal)).rejects.toMatchObject({
      kind: 'transient',
    });
    const ours = world.vcenter.connect(world.vcenter.url, { by: 'system' });
    expect(await ours.peerThumbprint(new AbortController().signal)).toBe(world.vcenter.thumbprint);
  });

  test('an aborted call ends with the reason of the abort', async () => {
    await using world = new VCenterWorld();
    const caller = await world.loggedIn();
    const endpoint = world.vcenter.connect(world.vcenter.url, { by: 'nothing' });
    const abort = new AbortController();
    const headers = { SOAPAction: 'urn:vim25/8.0.2.0', Cookie: caller.cookie ?? '' };
    const body = envelopeOf('WaitForUpdatesEx', defaultCollector, '');
    const call = endpoint.call({ method: 'POST', path: '/sdk', headers, body }, abort.signal);
    abort.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
  });
});
