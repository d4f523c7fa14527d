import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { PlanMemo } from '../../../src/controllers/plan/evaluate.ts';
import { disk, nic, PlanFixture, typesOf } from './plan-fixture.ts';

describe('a Plan that executes', () => {
  const spoil = (fixture: PlanFixture): PlanFixture =>
    fixture.edit({ targetNamespace: 'Not_A_Name', vms: [{ id: 'gone' }], rdmAsLun: true });

  test('has nothing Critical said of it, whatever is wrong', () => {
    const verdict = spoil(new PlanFixture()).evaluate({ executing: true });
    expect(typesOf(verdict)).toEqual(['NamespaceNotValid', 'PlanFieldsNotSupported', 'VMNotFound', 'Ready']);
    expect(verdict.conditions.map(({ category }) => category)).toEqual(['Warn', 'Warn', 'Warn', 'Required']);
    expect(verdict.ready).toBe(true);
  });

  test('is not told of a quota that its own disks are filling', () => {
    const fixture = new PlanFixture().quota({ 'requests.storage': '1Gi' });
    expect(fixture.evaluate().ready).toBe(false);
    expect(typesOf(fixture.evaluate({ executing: true }))).toEqual(['Ready']);
  });
});

describe('several things wrong at once', () => {
  test('are all told, each type once, and what blocks is told with what to do', () => {
    const fixture = new PlanFixture().edit({
      skipGuestConversion: false,
      type: 'live',
      vms: [{ id: 'vm-101', targetName: 'Not A Name' }, { id: 'gone' }],
    });
    const { conditions, ready } = fixture.evaluate();
    const types = conditions.map(({ type }) => type);
    expect(ready).toBe(false);
    expect(new Set(types).size).toBe(types.length);
    expect(types).toEqual(
      expect.arrayContaining(['MigrationTypeNotValid', 'ConversionImageNotSet', 'NotValid', 'VMNotFound']),
    );
    const notValid = conditions.find(({ type }) => type === 'NotValid');
    expect(notValid?.message).toMatch(/targetName/);
  });
});

describe('the memo', () => {
  test('spares the VMs that have not changed', () => {
    const fixture = new PlanFixture();
    const ids = Array.from({ length: 1000 }, (_, index) => `vm-${1000 + index}`);
    for (const id of ids) fixture.vm({ id, name: id, path: `/dc/vm/${id}` });
    fixture.edit({ vms: ids.map((id) => ({ id })) });
    let asked = 0;
    const { platform } = fixture;
    fixture.platform = {
      ...platform,
      checkVm: (...about) => {
        asked += 1;
        return platform.checkVm(...about);
      },
    };
    expect(fixture.evaluate().ready).toBe(true);
    expect(asked).toBe(1000);
    fixture.evaluate();
    expect(asked).toBe(1000);
    fixture.vm({ id: 'vm-1500', name: 'vm-1500', disks: [disk(0, { sizeBytes: 0 })] });
    expect(fixture.evaluate().ready).toBe(false);
    expect(asked).toBe(1001);
    fixture.edit({ preserveStaticIPs: true });
    fixture.evaluate();
    expect(asked).toBe(2001);
  });

  test('does not take a VM that came back for the one that went', () => {
    const fixture = new PlanFixture();
    expect(fixture.evaluate().ready).toBe(true);
    fixture.inventory.remove('vms', 'vm-101');
    expect(fixture.condition('VMNotFound')).toBeDefined();
    fixture.vm({ disks: [disk(0, { sizeBytes: 0 })] });
    expect(fixture.condition('InvalidDiskSizes')).toBeDefined();
  });

  test('holds no more VMs than the Plan', () => {
    const fixture = new PlanFixture().vm({ id: 'vm-102', name: 'db-01' });
    fixture.edit({ vms: [{ id: 'vm-101' }, { id: 'vm-102' }] }).evaluate();
    expect(fixture.memo.size).toBe(2);
    fixture.edit({ vms: [{ id: 'vm-101' }] }).evaluate();
    expect(fixture.memo.size).toBe(1);
  });

  test('is not trusted beyond a change of the connection', () => {
    const fixture = new PlanFixture();
    fixture.evaluate();
    fixture.isConnected = false;
    expect(fixture.evaluate().ready).toBe(true);
    Object.assign(fixture.transfer, { paths: () => [] });
    fixture.isConnected = true;
    expect(fixture.condition('VMStorageNotSupported')).toBeDefined();
  });

  const ids = ['vm-101', 'vm-102', 'vm-103'];
  const change: fc.Arbitrary<(fixture: PlanFixture) => unknown> = fc.oneof(
    fc
      .record({
        id: fc.constantFrom(...ids),
        name: fc.constantFrom('web-01', 'Web 01', 'db'),
        size: fc.constantFrom(0, 2 ** 30),
        store: fc.constantFrom('ds1', 'ds2'),
        nics: fc.integer({ min: 0, max: 2 }),
        agent: fc.constantFrom('running', 'stopped'),
      })
      .map(
        ({ id, name, size, store, nics, agent }) =>
          (fixture: PlanFixture) =>
            fixture.vm({
              id,
              name,
              disks: [disk(0, { sizeBytes: size, storage: { ids: [store], names: [store] } })],
              nics: Array.from({ length: nics }, (_, position) => nic(position)),
              guest: { family: 'linux', agent, fileSystems: [] },
            }),
      ),
    fc.constantFrom(...ids).map((id) => (fixture: PlanFixture) => fixture.inventory.remove('vms', id)),
    fc
      .array(
        fc.record(
          { id: fc.constantFrom(...ids), targetName: fc.constantFrom('', 'web', 'Not A Name') },
          { requiredKeys: ['id'] },
        ),
        { maxLength: 4 },
      )
      .map((vms) => (fixture: PlanFixture) => fixture.edit({ vms })),
    fc
      .constantFrom<'cold' | 'warm' | 'live'>('cold', 'warm', 'live')
      .map((type) => (fixture: PlanFixture) => {
        fixture.edit({ type });
      }),
    fc.constantFrom('ds1', 'ds2', '').map((name) => (fixture: PlanFixture) => {
      fixture.storageMap({ map: [{ source: { name }, destination: { storageClass: 'fast' } }] });
    }),
    fc.boolean().map((isPod) => (fixture: PlanFixture) => {
      const destination = isPod
        ? ({ type: 'pod' } as const)
        : ({ type: 'multus', namespace: 'target', name: 'vlan7' } as const);
      fixture.networkMap({ map: [{ source: { name: 'VM Network' }, destination }] });
    }),
    fc
      .constantFrom('1Gi', '9Gi')
      .map((hard) => (fixture: PlanFixture) => fixture.quota({ 'requests.storage': hard })),
    fc.constantFrom({}, { vddkInitImage: 'image' }).map((settings) => (fixture: PlanFixture) => {
      fixture.provider('vcenter', { type: 'vsphere', url: 'u', secret: { name: 's' }, settings });
    }),
    fc.boolean().map((isConnected) => (fixture: PlanFixture) => {
      fixture.isConnected = isConnected;
    }),
  );

  test('never changes what is said, in whatever order things change', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), fc.boolean(), (changes, executing) => {
        const fixture = new PlanFixture();
        const memo: PlanMemo = new Map();
        for (const apply of changes) {
          apply(fixture);
          const remembered = fixture.evaluate({ executing, memo });
          expect(remembered).toEqual(fixture.evaluate({ executing, memo: new Map() }));
          expect(remembered).toEqual(fixture.evaluate({ executing, memo }));
          const blocking = remembered.conditions.filter(({ category }) => category === 'Critical');
          expect(remembered.ready).toBe(blocking.length === 0);
          if (executing) expect(blocking).toEqual([]);
        }
      }),
      { numRuns: 100 },
    );
  });
});
