import { describe, expect, test } from '@jest/globals';
import { freezeInput } from '../../../src/controllers/plan/freeze-input.ts';
import { freezeImport } from '../../../src/migration/freeze/freeze.ts';
import { PlanFixture } from './plan-fixture.ts';
import { vmModel } from '../../migration/import-spec.ts';

const migration = { name: 'run-1', uid: 'run-uid' };

function input(fixture: PlanFixture) {
  const model = fixture.inventory.vm('vm-101')?.model ?? vmModel();
  return freezeInput(fixture.inputs(), fixture.plan.spec.vms[0]!, model, migration, 0);
}

describe('what an import is frozen from', () => {
  test('is what the rules have judged: a Plan that is Ready can be frozen', () => {
    const fixture = new PlanFixture();
    expect(fixture.evaluate().ready).toBe(true);
    const { spec } = freezeImport(input(fixture)!);
    expect(spec).toMatchObject({
      source: { provider: { namespace: 'mtv', name: 'vcenter', uid: 'vcenter-uid' }, type: 'vsphere' },
      target: { provider: { uid: 'host-uid' }, namespace: 'target' },
      strategy: { type: 'cold', path: 'vddk', conversion: 'none' },
      vddkImage: 'registry/vddk:8',
      disks: [{ class: 'fast' }],
      nics: [{ action: 'pod' }],
    });
  });

  test.each(['NetworkMap', 'StorageMap'])('is nothing without a %s', (kind) => {
    const { network, storage } = new PlanFixture().plan.spec.map;
    const map =
      kind === 'NetworkMap' ? { network: { name: 'gone' }, storage } : { network, storage: { name: 'gone' } };
    expect(input(new PlanFixture().edit({ map }))).toBeUndefined();
  });

  test.each([
    [{ 'forklift.konveyor.io/route': '10.1.0.1' }, [{ 'default-route': ['10.1.0.1'] }]],
    [{ 'forklift.konveyor.io/route': 'none' }, [{}]],
  ])('tells copies the transfer network with its route: %p', (annotations, route) => {
    const fixture = new PlanFixture().network('default', 'lane', annotations);
    fixture.edit({ transferNetwork: { namespace: 'default', name: 'lane' } });
    const network = input(fixture)?.transferNetwork;
    expect(network?.annotation).toBe('k8s.v1.cni.cncf.io/networks');
    expect(JSON.parse(network?.value ?? '')).toEqual([{ name: 'lane', namespace: 'default', ...route[0] }]);
  });

  test('takes the route from the address management of the network where no annotation gives one', () => {
    const config = JSON.stringify({ ipam: { routes: [{ dst: '0.0.0.0/0', gw: '10.9.0.1' }] } });
    const fixture = new PlanFixture().network('default', 'lane', {}, config);
    fixture.edit({ transferNetwork: { namespace: 'default', name: 'lane' } });
    expect(JSON.parse(input(fixture)?.transferNetwork?.value ?? '')).toEqual([
      { name: 'lane', namespace: 'default', 'default-route': ['10.9.0.1'] },
    ]);
  });

  test.each(['', 'not json', '{"ipam":{}}', 'null'])(
    'tells copies a network without a route by the older annotation: config %p',
    (config) => {
      const fixture = new PlanFixture().network('default', 'lane', {}, config);
      fixture.edit({ transferNetwork: { namespace: 'default', name: 'lane' } });
      expect(input(fixture)?.transferNetwork).toEqual({
        annotation: 'v1.multus-cni.io/default-network',
        value: 'default/lane',
      });
    },
  );
});
