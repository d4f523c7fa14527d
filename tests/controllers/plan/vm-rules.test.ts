import { describe, expect, test } from '@jest/globals';
import { gib, disk, nic, PlanFixture, typesOf } from './plan-fixture.ts';

describe('VMs that cannot be found', () => {
  test('by neither id nor name are refused', () => {
    expect(new PlanFixture().edit({ vms: [{}] }).condition('VMRefNotValid')).toMatchObject({
      category: 'Critical',
      reason: 'NotSet',
    });
  });

  test('in the inventory are listed as Forklift lists them', () => {
    const fixture = new PlanFixture().edit({ vms: [{ id: 'vm-9', name: 'gone' }, { name: 'lost' }] });
    expect(fixture.condition('VMNotFound')).toMatchObject({
      category: 'Critical',
      reason: 'NotFound',
      items: ["id:vm-9 name:'gone'", "name:'lost'"],
    });
  });

  test('because several bear the name are listed with the ids to choose from', () => {
    const fixture = new PlanFixture().edit({ vms: [{ name: 'web-01' }] });
    fixture.vm({ id: 'vm-102', path: '/dc/vm/old/web-01' });
    const condition = fixture.condition('VMRefNotValid');
    expect(condition).toMatchObject({ category: 'Critical', reason: 'Ambiguous' });
    expect(condition?.items).toEqual(["name:'web-01': id:vm-101 /dc/vm/web-01; id:vm-102 /dc/vm/old/web-01"]);
  });

  test('by a name alone are found by their whole path', () => {
    const fixture = new PlanFixture().edit({ vms: [{ name: '/dc/vm/old/web-01' }] });
    fixture.vm({ id: 'vm-102', path: '/dc/vm/old/web-01' });
    expect(typesOf(fixture.evaluate())).toEqual(['Ready']);
  });
});

describe('one VM', () => {
  test('on a datastore that the map does not name is refused, with the disk', () => {
    const fixture = new PlanFixture();
    fixture.vm({ disks: [disk(0), disk(1, { storage: { ids: ['datastore-2'], names: ['ds2'] } })] });
    const condition = fixture.condition('VMStorageNotMapped');
    expect(condition).toMatchObject({ category: 'Critical', reason: 'NotValid' });
    expect(condition?.items).toEqual([expect.stringMatching(/^id:vm-101 name:'web-01': .*web_1\.vmdk.*ds2/)]);
  });

  test('on a network that the map does not name is refused, with the network', () => {
    const fixture = new PlanFixture().vm({ nics: [nic(0, { network: { ids: ['n2'], names: ['DMZ'] } })] });
    expect(fixture.condition('VMNetworksNotMapped')).toMatchObject({
      category: 'Critical',
      items: [expect.stringContaining('DMZ')],
    });
  });

  test('with two NICs for the pod network is refused', () => {
    const fixture = new PlanFixture().vm({ nics: [nic(0), nic(1)] });
    expect(fixture.condition('VMMultiplePodNetworkMappings')).toMatchObject({ category: 'Critical' });
  });

  test('whose disk has no size is refused', () => {
    const fixture = new PlanFixture().vm({ disks: [disk(0, { sizeBytes: 0 })] });
    expect(fixture.condition('InvalidDiskSizes')).toMatchObject({ category: 'Critical' });
  });

  test('with a shared folder is refused', () => {
    const fixture = new PlanFixture().vm({ disks: [disk(0, { kind: 'filesystem' })] });
    expect(fixture.condition('VMStorageNotSupported')).toMatchObject({ category: 'Critical' });
  });

  test('with a targetName that is no name is refused', () => {
    const fixture = new PlanFixture().editVm({ targetName: 'Not A Name' });
    expect(fixture.condition('NotValid')).toMatchObject({
      category: 'Critical',
      message: expect.stringContaining('targetName "Not A Name"'),
      items: ["id:vm-101 name:'web-01'"],
    });
  });

  test('with a template that gives no name is refused', () => {
    const fixture = new PlanFixture().edit({ pvcNameTemplate: '{{.Nonsense' });
    expect(fixture.condition('NotValid')).toMatchObject({
      category: 'Critical',
      message: expect.stringContaining('pvcNameTemplate'),
    });
  });

  test('whose own name must be changed is told the new one', () => {
    const fixture = new PlanFixture().vm({ name: 'Windows Server 2022' });
    const condition = fixture.condition('TargetNameNotValid');
    expect(condition).toMatchObject({ category: 'Warn' });
    expect(condition?.items).toEqual([expect.stringContaining('windows-server-2022')]);
    expect(fixture.evaluate().ready).toBe(true);
  });

  test('of which the platform says something is listed with it', () => {
    const fixture = new PlanFixture().vm({ guest: { family: 'linux', agent: 'stopped', fileSystems: [] } });
    expect(fixture.condition('GuestToolsIssue')).toMatchObject({
      category: 'Critical',
      items: ["id:vm-101 name:'web-01'"],
      message: expect.stringContaining('VMware Tools'),
    });
  });

  test('without a VDDK image cannot be read, and the Plan is told what to set', () => {
    const fixture = new PlanFixture();
    fixture.provider('vcenter', { type: 'vsphere', url: 'u', secret: { name: 's' }, settings: {} });
    const condition = fixture.condition('VDDKInvalid');
    expect(condition).toMatchObject({
      category: 'Critical',
      reason: 'NotSet',
      message: expect.stringContaining('spec.settings.vddkInitImage'),
    });
    expect(condition).not.toHaveProperty('items');
  });

  test('that no way leads to is refused, image or not', () => {
    const fixture = new PlanFixture();
    Object.assign(fixture.transfer, { paths: () => [] });
    expect(fixture.condition('VMStorageNotSupported')).toMatchObject({ category: 'Critical' });
    expect(fixture.condition('VDDKInvalid')).toBeUndefined();
  });

  test('that an earlier run has moved is not asked about, even when it is gone from the source', () => {
    const fixture = new PlanFixture().edit({ vms: [{ id: 'vm-101' }, { id: 'vm-9', name: 'moved' }] });
    expect(fixture.evaluate().ready).toBe(false);
    const done = {
      id: 'vm-9',
      phase: 'Completed',
      pipeline: [],
      conditions: [
        {
          type: 'Succeeded',
          status: 'True',
          category: 'Advisory',
          lastTransitionTime: '2026-01-01T00:00:00Z',
        },
      ],
    };
    fixture.plan = { ...fixture.plan, status: { migration: { vms: [done] } } };
    expect(typesOf(fixture.evaluate())).toEqual(['Ready']);
  });
});

describe('several VMs', () => {
  const two = { vms: [{ id: 'vm-101' }, { id: 'vm-102' }] };

  test('with the same fault stand in one condition, in the order of the Plan', () => {
    const fixture = new PlanFixture().edit({ vms: [{ id: 'vm-102' }, { id: 'vm-101' }] });
    const guest = { family: 'linux', agent: 'stopped', fileSystems: [] } as const;
    fixture.vm({ guest }).vm({ id: 'vm-102', name: 'db-01', guest });
    expect(fixture.condition('GuestToolsIssue')?.items).toEqual([
      "id:vm-102 name:'db-01'",
      "id:vm-101 name:'web-01'",
    ]);
  });

  test('of which one only warns are listed in the condition of the worse', () => {
    const fixture = new PlanFixture().edit({
      vms: [
        { id: 'vm-101', rootDisk: '/dev/sdz' },
        { id: 'vm-102', targetName: 'Not A Name' },
      ],
    });
    fixture.vm({ id: 'vm-102', name: 'db-01' });
    const condition = fixture.condition('NotValid');
    expect(condition).toMatchObject({ category: 'Critical', message: expect.stringContaining('targetName') });
    expect(condition?.items).toEqual([
      expect.stringMatching(/^id:vm-101 name:'web-01': rootDisk/),
      "id:vm-102 name:'db-01'",
    ]);
  });

  test('that are too many to list are counted', () => {
    const fixture = new PlanFixture();
    fixture.edit({ vms: Array.from({ length: 250 }, (_, index) => ({ id: `gone-${index}` })) });
    const items = fixture.condition('VMNotFound')?.items ?? [];
    expect(items).toHaveLength(200);
    expect(items.at(-1)).toBe('and 51 more');
  });

  test('that are one, named by id and by name, are a duplicate', () => {
    const fixture = new PlanFixture().edit({ vms: [{ id: 'vm-101' }, { name: 'web-01' }] });
    const verdict = fixture.evaluate();
    expect(verdict.conditions).toEqual([
      expect.objectContaining({
        type: 'DuplicateVM',
        category: 'Critical',
        reason: 'NotUnique',
        items: ["id:vm-101 name:'web-01'"],
      }),
    ]);
  });

  test('of one name cannot both keep it', () => {
    const fixture = new PlanFixture().edit(two).vm({ id: 'vm-102', path: '/dc/vm/old/web-01' });
    expect(fixture.condition('DuplicateVM')).toMatchObject({
      category: 'Critical',
      reason: 'NotUnique',
      message: expect.stringContaining('targetName'),
      items: ["id:vm-101 name:'web-01' (web-01)", "id:vm-102 name:'web-01' (web-01)"],
    });
  });

  test('that choose one target name are refused', () => {
    const fixture = new PlanFixture().vm({ id: 'vm-102', name: 'db-01' });
    fixture.edit({
      vms: [
        { id: 'vm-101', targetName: 'same' },
        { id: 'vm-102', targetName: 'same' },
      ],
    });
    expect(fixture.condition('DuplicateVM')).toMatchObject({ category: 'Critical' });
  });

  test('whose names are made up alike give way to each other by themselves', () => {
    const fixture = new PlanFixture().edit(two);
    fixture.vm({ name: 'Web 01' }).vm({ id: 'vm-102', name: 'web_01' });
    expect(fixture.condition('DuplicateVM')).toBeUndefined();
  });

  test('with one MAC address are worth a warning, however it is written', () => {
    const fixture = new PlanFixture().edit(two);
    fixture.vm({ nics: [nic(0, { mac: '00:50:56:AA:00:01' })] });
    fixture.vm({ id: 'vm-102', name: 'db-01', nics: [nic(0, { mac: '00:50:56:aa:00:01' })] });
    expect(fixture.condition('MacConflicts')).toMatchObject({
      category: 'Warn',
      items: ["id:vm-101 name:'web-01' (00:50:56:aa:00:01)", "id:vm-102 name:'db-01' (00:50:56:aa:00:01)"],
    });
  });
});

describe('networks that NICs go to', () => {
  const to = (namespace: string, name: string) => ({
    map: [
      { source: { name: 'VM Network' }, destination: { type: 'multus' as const, namespace, name } },
      {
        source: { name: 'Unused' },
        destination: { type: 'multus' as const, namespace: 'far', name: 'away' },
      },
    ],
  });

  test.each(['target', 'default'])('may be in namespace %s', (namespace) => {
    const fixture = new PlanFixture().networkMap(to(namespace, 'vlan7')).network(namespace, 'vlan7');
    expect(typesOf(fixture.evaluate())).toEqual(['Ready']);
  });

  test('in any other namespace are refused', () => {
    const fixture = new PlanFixture().networkMap(to('mtv', 'vlan7')).network('mtv', 'vlan7');
    expect(fixture.condition('NetMapDestinationNADNotValid')).toMatchObject({
      category: 'Critical',
      reason: 'NotValid',
      items: ['mtv/vlan7'],
    });
  });

  test('that are not there are refused', () => {
    const fixture = new PlanFixture().networkMap(to('', 'vlan7'));
    expect(fixture.condition('NetMapDestinationNADNotValid')).toMatchObject({
      reason: 'NotFound',
      items: ['target/vlan7'],
    });
  });
});

describe('quotas of the target namespace', () => {
  const two = { vms: [{ id: 'vm-101' }, { id: 'vm-102' }] };
  const fixtureOfTwo = (): PlanFixture =>
    new PlanFixture().edit(two).vm({ id: 'vm-102', name: 'db-01', disks: [disk(0), disk(1)] });

  test('that hold all disks of the Plan say nothing', () => {
    expect(typesOf(fixtureOfTwo().quota({ 'requests.storage': '12Gi' }).evaluate())).toEqual(['Ready']);
  });

  test('that hold each VM but not all of them are told before anything is powered off', () => {
    const fixture = fixtureOfTwo().quota({ 'requests.storage': '15Gi' }, { 'requests.storage': '4Gi' });
    expect(fixture.condition('StorageHeadroom')).toMatchObject({
      category: 'Critical',
      reason: 'QuotaExceeded',
      items: [`limits: ${12 * gib} of requests.storage needed, ${11 * gib} left of 15Gi`],
    });
  });

  test.each([
    ['persistentvolumeclaims', '2'],
    ['count/persistentvolumeclaims', '2'],
    ['fast.storageclass.storage.k8s.io/requests.storage', '8Gi'],
    ['fast.storageclass.storage.k8s.io/persistentvolumeclaims', '2'],
  ])('are read for %s', (resource, hard) => {
    expect(
      fixtureOfTwo()
        .quota({ [resource]: hard })
        .condition('StorageHeadroom')?.items,
    ).toHaveLength(1);
  });

  test.each(['slow.storageclass.storage.k8s.io/requests.storage', 'pods', 'limits.cpu'])(
    'of what the Plan does not use say nothing: %s',
    (resource) => {
      expect(
        fixtureOfTwo()
          .quota({ [resource]: '0' })
          .condition('StorageHeadroom'),
      ).toBeUndefined();
    },
  );

  test('count a VM once that stands in the Plan twice', () => {
    const fixture = new PlanFixture().edit({ vms: [{ id: 'vm-101' }, { name: 'web-01' }] });
    expect(fixture.quota({ persistentvolumeclaims: '1' }).condition('StorageHeadroom')).toBeUndefined();
  });
});
