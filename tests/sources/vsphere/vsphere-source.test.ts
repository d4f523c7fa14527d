import { describe, expect, test } from '@jest/globals';
import type { VmHandle } from '../../../src/model/source-data.ts';
import type { SourceEntry } from '../../../src/sources/source.ts';
import { createVspherePlatform } from '../../../src/sources/vsphere/platform.ts';
import { connectionWith, envelope, FakeVcenter, vmAnswer } from './fake-vcenter.ts';
import { instance, modelWith } from './raw-vm.ts';
import { golden } from './xml-text.ts';

const never = new AbortController().signal;
const uuid = '50200000-0000-4000-8000-000000000101';
const handle: VmHandle = { vmId: 'vm-101', identity: `${instance}/${uuid}`, endpoint: 'provider' };
const powered = (state: string): string =>
  vmAnswer({ 'config.instanceUuid': uuid, 'runtime.powerState': state });

async function open(vcenter: FakeVcenter, connection = connectionWith(), platform = createVspherePlatform()) {
  const secrets = [connection.secret.get('password') ?? ''];
  return platform.open(connection, vcenter.deps({ secrets }), never);
}

describe('opening a vCenter', () => {
  test('logs in once, speaks the negotiated version and keeps the cookie as it was given', async () => {
    const vcenter = new FakeVcenter().on('RetrievePropertiesEx', powered('poweredOn'));
    await using source = await open(vcenter);
    await source.power(handle, never);
    expect(vcenter.count('Login')).toBe(1);
    expect(vcenter.calls.at(-1)).toMatchObject({
      method: 'RetrievePropertiesEx',
      cookie: 'vmware_soap_session="1"',
      action: 'urn:vim25/8.0.2.0',
    });
  });

  test.each([
    [{ insecureSkipVerify: 'true', cacert: 'PEM' }, { by: 'nothing' }],
    [
      { insecureSkipVerify: 'false', cacert: 'PEM', thumbprint: 'AA' },
      { by: 'ca', pem: 'PEM' },
    ],
    [
      { insecureSkipVerify: '', 'ca.crt': 'NEW', cacert: 'OLD' },
      { by: 'ca', pem: 'NEW' },
    ],
    [
      { insecureSkipVerify: '', thumbprint: 'AA' },
      { by: 'thumbprint', sha1: 'AA' },
    ],
  ])('with %j is verified by %j', async (secret, trust) => {
    const vcenter = new FakeVcenter();
    await using _source = await open(vcenter, connectionWith(secret));
    expect(vcenter.trusts).toEqual([trust]);
  });

  test('offers a wrong password once, and again only when the Secret has changed', async () => {
    const vcenter = new FakeVcenter();
    const platform = createVspherePlatform();
    const wrong = connectionWith({ password: 'wrong-one' }, '7');
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await expect(open(vcenter, wrong, platform)).rejects.toMatchObject({
        kind: 'auth',
        code: 'InvalidLogin',
      });
    }
    expect(vcenter.count('Login')).toBe(1);
    await using _source = await open(vcenter, connectionWith({}, '8'), platform);
    expect(vcenter.count('Login')).toBe(2);
  });

  test('that turns out to be another kind of server than was said is refused', async () => {
    const connection = { ...connectionWith(), settings: { sdkEndpoint: 'esxi' } };
    await expect(open(new FakeVcenter(), connection)).rejects.toMatchObject({ code: 'SdkEndpointMismatch' });
  });

  test('tells its version, its id, its certificate and the privileges that are missing', async () => {
    const vcenter = new FakeVcenter();
    await using source = await open(vcenter);
    expect(await source.probe(never)).toMatchObject({
      version: '8.0.2',
      instance,
      fingerprint: 'AA:BB',
      findings: [
        { code: 'InsufficientPrivileges', severity: 'Warn', items: ['VirtualMachine.Interact.PowerOn'] },
      ],
    });
  });

  test('whose account may not ask for privileges is warned of and used', async () => {
    const vcenter = new FakeVcenter().on('HasPrivilegeOnEntity', golden('no-permission.fault'));
    await using source = await open(vcenter);
    expect(await source.probe(never)).toMatchObject({
      findings: [{ code: 'InsufficientPrivileges', severity: 'Warn' }],
    });
  });
});

describe('a session that the server has forgotten', () => {
  test('is renewed once, however many calls notice at the same time', async () => {
    const vcenter = new FakeVcenter().on('RetrievePropertiesEx', powered('poweredOn'));
    await using source = await open(vcenter);
    vcenter.sessions.clear();
    const readings = await Promise.all(Array.from({ length: 5 }, () => source.power(handle, never)));
    expect(readings).toEqual(Array(5).fill({ state: 'On' }));
    expect(vcenter.count('Login')).toBe(2);
  });

  test('and forgets at once again is not renewed for ever', async () => {
    const vcenter = new FakeVcenter().on('RetrievePropertiesEx', () => golden('not-authenticated.fault'));
    await using source = await open(vcenter);
    await expect(source.power(handle, never)).rejects.toMatchObject({
      kind: 'transient',
      code: 'NotAuthenticated',
    });
    expect(vcenter.count('Login')).toBe(2);
  });

  test('while the password was changed is answered from memory after one try', async () => {
    const vcenter = new FakeVcenter().on('RetrievePropertiesEx', powered('poweredOn'));
    await using source = await open(vcenter);
    vcenter.sessions.clear();
    vcenter.password = 'another';
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await expect(source.power(handle, never)).rejects.toMatchObject({ kind: 'auth', code: 'InvalidLogin' });
    }
    expect(vcenter.count('Login')).toBe(2);
  });

  test('that still lives is not refused because a newer login with the same Secret was', async () => {
    const vcenter = new FakeVcenter().on('RetrievePropertiesEx', powered('poweredOn'));
    const platform = createVspherePlatform();
    await using source = await open(vcenter, connectionWith(), platform);
    vcenter.password = 'another';
    await expect(open(vcenter, connectionWith(), platform)).rejects.toMatchObject({ kind: 'auth' });
    expect(await source.power(handle, never)).toEqual({ state: 'On' });
  });

  test('is not renewed once the source is closed', async () => {
    const vcenter = new FakeVcenter().on('RetrievePropertiesEx', powered('poweredOn'));
    const source = await open(vcenter);
    await source[Symbol.asyncDispose]();
    expect(vcenter.count('Logout')).toBe(1);
    vcenter.sessions.clear();
    await expect(source.power(handle, never)).rejects.toMatchObject({ code: 'SessionClosed' });
    expect(vcenter.count('Login')).toBe(1);
  });

  test('shows the certificate that the server has now', async () => {
    const vcenter = new FakeVcenter().on('RetrievePropertiesEx', powered('poweredOn'));
    await using source = await open(vcenter);
    vcenter.thumbprint = 'CC:DD';
    vcenter.sessions.clear();
    await source.power(handle, never);
    const step = source.transfer.nextPreparation(modelWith(), new Map());
    const feeds = 'ready' in step ? [...step.ready.values()] : [];
    expect(feeds.map((feed) => feed.address['thumbprint'])).toEqual(['CC:DD']);
  });
});

describe('power', () => {
  test.each([
    ['poweredOn', 'On'],
    ['poweredOff', 'Off'],
    ['suspended', 'Suspended'],
  ])('%s reads as %s', async (state, expected) => {
    const vcenter = new FakeVcenter().on('RetrievePropertiesEx', powered(state));
    await using source = await open(vcenter);
    expect(await source.power(handle, never)).toEqual({ state: expected });
  });

  test('is not asked for when it is there already', async () => {
    const vcenter = new FakeVcenter().on('RetrievePropertiesEx', powered('poweredOff'));
    await using source = await open(vcenter);
    await source.requestPowerOff(handle, 'guest', never);
    await source.requestPowerOff(handle, 'hard', never);
    vcenter.on('RetrievePropertiesEx', powered('poweredOn'));
    await source.requestPowerOn(handle, undefined, never);
    const asked = ['ShutdownGuest', 'PowerOffVM_Task', 'PowerOnVM_Task'];
    expect(asked.map((method) => vcenter.count(method))).toEqual([0, 0, 0]);
  });

  test('is asked for once, through the guest or hard', async () => {
    const vcenter = new FakeVcenter().on('RetrievePropertiesEx', powered('poweredOn'));
    await using source = await open(vcenter);
    await source.requestPowerOff(handle, 'guest', never);
    await source.requestPowerOff(handle, 'hard', never);
    expect(vcenter.count('ShutdownGuest')).toBe(1);
    expect(vcenter.count('PowerOffVM_Task')).toBe(1);
    vcenter.on('RetrievePropertiesEx', powered('poweredOff'));
    await source.requestPowerOn(handle, undefined, never);
    expect(vcenter.count('PowerOnVM_Task')).toBe(1);
  });

  test('that someone else has changed meanwhile is no error', async () => {
    let state = 'poweredOn';
    const vcenter = new FakeVcenter()
      .on('RetrievePropertiesEx', () => powered(state))
      .on('ShutdownGuest', () => {
        state = 'poweredOff';
        return golden('shutdown-guest.invalid-power-state.fault');
      });
    await using source = await open(vcenter);
    await source.requestPowerOff(handle, 'guest', never);
    expect(vcenter.count('ShutdownGuest')).toBe(1);
  });

  test('cannot be taken from a guest without tools', async () => {
    const vcenter = new FakeVcenter()
      .on('RetrievePropertiesEx', powered('poweredOn'))
      .on('ShutdownGuest', golden('shutdown-guest.tools-unavailable.fault'));
    await using source = await open(vcenter);
    const refused = source.requestPowerOff(handle, 'guest', never);
    await expect(refused).rejects.toMatchObject({ kind: 'unsupported', code: 'ToolsUnavailable' });
  });

  test('of another VM that now has this id is never touched', async () => {
    const other = vmAnswer({ 'config.instanceUuid': 'another', 'runtime.powerState': 'poweredOn' });
    const vcenter = new FakeVcenter().on('RetrievePropertiesEx', other);
    await using source = await open(vcenter);
    await expect(source.requestPowerOff(handle, 'hard', never)).rejects.toMatchObject({ kind: 'gone' });
    expect(vcenter.count('PowerOffVM_Task')).toBe(0);
  });
});

describe('trouble', () => {
  test.each([
    [golden('managed-object-not-found.fault'), 'gone'],
    [golden('no-permission.fault'), 'denied'],
    [{ status: 503 }, 'transient'],
    [{ status: 502, body: '<html>Bad gateway</html>' }, 'transient'],
    [{ status: 200, body: 'not even XML' }, 'transient'],
  ])('is told by its kind', async (answer, kind) => {
    const vcenter = new FakeVcenter().on('RetrievePropertiesEx', answer);
    await using source = await open(vcenter);
    await expect(source.power(handle, never)).rejects.toMatchObject({ name: 'SourceError', kind });
  });

  test('is told without the password', async () => {
    const fault = golden('no-permission.fault').replace(
      'Permission to',
      'For p&amp;ss&lt;word&gt;1 permission to',
    );
    const vcenter = new FakeVcenter().on('RetrievePropertiesEx', fault);
    await using source = await open(vcenter);
    const error = await source.power(handle, never).catch((caught: unknown) => caught);
    expect(String(error)).toContain('For *** permission to');
    expect(JSON.stringify(vcenter.log.lines)).not.toContain('p&ss');
  });

  test('ends a call with the reason of its signal', async () => {
    const abort = new AbortController();
    const vcenter = new FakeVcenter().on('RetrievePropertiesEx', (_call, signal) => {
      abort.abort(new Error('no longer wanted'));
      signal.throwIfAborted();
      return '';
    });
    await using source = await open(vcenter);
    await expect(source.power(handle, abort.signal)).rejects.toThrow('no longer wanted');
  });
});

describe('the way of the data', () => {
  const run = {
    marker: 'gantry-0123abcd',
    targetIsLocal: true,
    plan: {
      warm: false,
      skipGuestConversion: true,
      preserveStaticIps: false,
      migrateSharedDisks: true,
      networkMap: [],
      storageMap: [],
    },
  };

  test('is VDDK, and there is none without an image', async () => {
    await using source = await open(new FakeVcenter());
    expect(source.transfer.paths(modelWith(), { ...run, vddkImage: 'registry.example/vddk:8' })).toEqual([
      'vddk',
    ]);
    expect(source.transfer.paths(modelWith(), run)).toEqual([]);
  });

  test('needs no preparation: the feeds name VM, file, server and pin', async () => {
    await using source = await open(new FakeVcenter());
    const model = modelWith();
    const step = source.transfer.nextPreparation(
      model,
      await source.transfer.observePreparation(handle, [], never),
    );
    expect('ready' in step && [...step.ready]).toEqual([
      [
        model.disks[0]?.key,
        {
          path: 'vddk',
          sizeBytes: 1048576,
          address: {
            url: 'https://vcenter.example/sdk',
            uuid: '42200000-0000-4000-8000-000000000101',
            backingFile: '[datastore1] web-1/web-1.vmdk',
            thumbprint: 'AA:BB',
            vddkImage: 'registry.example/vddk:8',
          },
        },
      ],
    ]);
  });

  test("becomes CDI's vddk source without any secret in it", async () => {
    await using source = await open(new FakeVcenter());
    const model = modelWith();
    const step = source.transfer.nextPreparation(model, new Map());
    const [disk] = model.disks;
    const feed = disk !== undefined && 'ready' in step ? step.ready.get(disk.key) : undefined;
    if (disk === undefined || feed === undefined) throw new Error('no feed');
    expect(source.transfer.dataVolumeSource(disk, feed, { secret: 's', configMap: 'c' })).toEqual({
      vddk: {
        url: 'https://vcenter.example/sdk',
        uuid: '42200000-0000-4000-8000-000000000101',
        backingFile: '[datastore1] web-1/web-1.vmdk',
        thumbprint: 'AA:BB',
        secretRef: 's',
        certConfigMap: 'c',
        initImageURL: 'registry.example/vddk:8',
      },
    });
  });

  test('gives importers the account, and the authority under both names that they look for', async () => {
    const secret = { insecureSkipVerify: 'false', cacert: 'PEM' };
    await using source = await open(new FakeVcenter(), connectionWith(secret));
    expect(await source.transfer.importerAccess(handle, never)).toEqual({
      secret: { accessKeyId: 'administrator@vsphere.local', secretKey: 'p&ss<word>1' },
      trust: { 'ca.pem': 'PEM', 'tls.crt': 'PEM' },
    });
  });

  test('of a disk without a file is closed, and says so', async () => {
    await using source = await open(new FakeVcenter());
    const device = [{ _type: 'VirtualDisk', key: '2000', capacityInBytes: '512', backing: { _type: 'Odd' } }];
    const step = source.transfer.nextPreparation(modelWith({ 'config.hardware.device': device }), new Map());
    expect(step).toMatchObject({ failed: { code: 'DiskWithoutFile', kind: 'unsupported' } });
  });
});

describe('what is owed at the source', () => {
  const entry: SourceEntry = { key: 'k', kind: 'Image', marker: 'gantry-1' };

  test('of a kind that vSphere does not have is refused, not waited for', async () => {
    await using source = await open(new FakeVcenter());
    await expect(source.disposal(handle, entry, never)).rejects.toMatchObject({ kind: 'unsupported' });
    await expect(source.dispose(handle, entry, never)).rejects.toMatchObject({ kind: 'unsupported' });
    const preparing = source.transfer.performPreparation(handle, entry, never);
    await expect(preparing).rejects.toMatchObject({ kind: 'unsupported' });
  });

  test('is found again by the start of its name', async () => {
    const tree = golden('vm-properties.snapshot.response').replace('before update', 'gantry-0123abcd-1');
    const vcenter = new FakeVcenter().on('RetrievePropertiesEx', tree);
    await using source = await open(vcenter);
    expect(await source.findMarked('gantry-', never)).toEqual([
      {
        key: 'Snapshot/vm-101/snapshot-51',
        kind: 'Snapshot',
        marker: 'gantry-0123abcd-1',
        id: 'snapshot-51',
        endpoint: 'provider',
      },
    ]);
    expect(await source.findMarked('gantry-ffff', never)).toEqual([]);
    expect(vcenter.count('DestroyView')).toBe(2);
  });

  test('is read page by page', async () => {
    const page = (token: string, id: string): string =>
      `<RetrievePropertiesExResponse xmlns="urn:vim25"><returnval>${token}<objects><obj type="VirtualMachine">${id}</obj></objects></returnval></RetrievePropertiesExResponse>`;
    const vcenter = new FakeVcenter()
      .on('RetrievePropertiesEx', envelope(page('<token>t-1</token>', 'vm-1')))
      .on(
        'ContinueRetrievePropertiesEx',
        envelope(page('', 'vm-2').replaceAll('Retrieve', 'ContinueRetrieve')),
      );
    await using source = await open(vcenter);
    await source.findMarked('gantry-', never);
    expect(vcenter.calls.find((call) => call.method === 'ContinueRetrievePropertiesEx')?.body).toContain(
      '<token>t-1</token>',
    );
  });
});

describe('a fresh look at a VM', () => {
  test('gives the same digest as the inventory has', async () => {
    const vcenter = new FakeVcenter().on('RetrievePropertiesEx', (call) =>
      call.body.includes('config.hardware.device')
        ? golden('vm-properties.response')
        : envelope(surroundings),
    );
    await using source = await open(vcenter);
    const model = await source.describe(handle, never);
    expect(model).toMatchObject({ name: 'web-1', path: '/DC/0/vm/web-1', power: 'On' });
    expect(model.digest).toBe(modelWith().digest);
  });

  test('of a VM that is no longer there is told as gone', async () => {
    const vcenter = new FakeVcenter().on('RetrievePropertiesEx', golden('managed-object-not-found.fault'));
    await using source = await open(vcenter);
    await expect(source.describe(handle, never)).rejects.toMatchObject({ kind: 'gone' });
  });
});

const named = (type: string, id: string, name: string, more = ''): string =>
  `<objects><obj type="${type}">${id}</obj><propSet><name>name</name><val xsi:type="xsd:string">${name}</val></propSet>${more}</objects>`;
const parent = (type: string, id: string): string =>
  `<propSet><name>parent</name><val xsi:type="ManagedObjectReference" type="${type}">${id}</val></propSet>`;
const text = (name: string, value: string): string =>
  `<propSet><name>${name}</name><val xsi:type="xsd:string">${value}</val></propSet>`;
const surroundings = `<RetrievePropertiesExResponse xmlns="urn:vim25"><returnval>${[
  named('Datastore', 'datastore-21', 'datastore1'),
  named('Network', 'network-31', 'VM Network'),
  named('DistributedVirtualPortgroup', 'dvportgroup-33', 'web', text('key', 'dvportgroup-33')),
  named('HostSystem', 'host-11', 'esx1.example', text('config.dateTimeInfo.timeZone.name', 'Europe/Berlin')),
  named('Folder', 'group-v3', 'vm', parent('Datacenter', 'datacenter-2')),
  named('Datacenter', 'datacenter-2', 'DC%2f0', parent('Folder', 'group-d1')),
  named('Folder', 'group-d1', 'Datacenters'),
].join('')}</returnval></RetrievePropertiesExResponse>`;
