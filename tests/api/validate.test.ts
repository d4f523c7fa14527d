import { describe, expect, test } from '@jest/globals';
import { networkMaps, plans, providers, secrets, virtualMachineImports } from '../../src/api/kinds.ts';
import { validate } from '../../src/api/validate.ts';

const reference = { namespace: 'demo', name: 'x' };
const networkMap = (map: readonly unknown[]) => ({
  apiVersion: 'forklift.konveyor.io/v1beta1',
  kind: 'NetworkMap',
  metadata: { name: 'm' },
  spec: { provider: { source: reference, destination: reference }, map },
});

describe('validate', () => {
  test('finds nothing in a good object', () => {
    const pair = { source: { name: 'VM Network', vlan: '4094' }, destination: { type: 'pod' } };
    expect(validate(networkMaps, networkMap([pair]))).toEqual([]);
  });

  test('names the field that is wrong and the words that are allowed', () => {
    const pair = { source: {}, destination: { type: 'bridge' } };
    expect(validate(networkMaps, networkMap([pair]))).toEqual([
      { path: 'spec.map[0].destination.type', message: 'must be one of: pod, multus, ignored' },
    ]);
  });

  test('names each field that is missing', () => {
    const plan = { apiVersion: 'forklift.konveyor.io/v1beta1', kind: 'Plan', metadata: {}, spec: {} };
    expect(validate(plans, plan).map(({ path, message }) => `${path} ${message}`)).toEqual([
      'spec.provider is required',
      'spec.map is required',
      'spec.targetNamespace is required',
      'spec.vms is required',
    ]);
  });

  test.each(['0', '4095', '07', '', 'x'])('refuses the VLAN %j', (vlan) => {
    const pair = { source: { vlan }, destination: { type: 'pod' } };
    expect(validate(networkMaps, networkMap([pair])).map(({ path }) => path)).toEqual([
      'spec.map[0].source.vlan',
    ]);
  });

  test('writes a key that is no identifier in quotes', () => {
    const provider = {
      apiVersion: 'forklift.konveyor.io/v1beta1',
      kind: 'Provider',
      metadata: { name: 'p', labels: { 'a/b': 1 } },
      spec: { type: 'vsphere', secret: {} },
    };
    expect(validate(providers, provider)).toEqual([
      { path: 'metadata.labels["a/b"]', message: 'must be string' },
    ]);
  });

  test('never repeats a value, since it might be secret', () => {
    const provider = {
      apiVersion: 'forklift.konveyor.io/v1beta1',
      kind: 'Provider',
      metadata: {},
      spec: { type: 'vsphere', secret: 'hunter2', settings: { password: ['hunter2'] } },
    };
    const problems = validate(providers, provider);
    expect(problems.map(({ path }) => path)).toEqual(['spec.secret', 'spec.settings.password']);
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });

  test('lets an object of Forklift go without a spec, and an import not', () => {
    const bare = { metadata: {} };
    expect(validate(plans, { ...bare, apiVersion: 'forklift.konveyor.io/v1beta1', kind: 'Plan' })).toEqual(
      [],
    );
    expect(
      validate(virtualMachineImports, {
        ...bare,
        apiVersion: 'gantry.dev/v1alpha1',
        kind: 'VirtualMachineImport',
      }),
    ).toEqual([{ path: 'spec', message: 'is required' }]);
  });

  test('refuses another kind, and what is no object at all', () => {
    const paths = validate(plans, networkMap([])).map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['kind', 'spec.targetNamespace']));
    expect(validate(plans, 'text')).toEqual([{ path: '', message: 'must be object' }]);
  });

  test('accepts what an older Forklift has stored: empty references, warm, diskBus', () => {
    const plan = {
      apiVersion: 'forklift.konveyor.io/v1beta1',
      kind: 'Plan',
      metadata: { name: 'old' },
      spec: {
        provider: { source: reference, destination: reference },
        map: { network: reference, storage: reference },
        targetNamespace: 'x',
        warm: true,
        diskBus: 'scsi',
        transferNetwork: {},
        vms: [{ id: 'vm-1', luks: {}, hooks: [] }],
      },
    };
    expect(validate(plans, plan)).toEqual([]);
  });

  test('has no schema for a kind that others define', () => {
    expect(() => validate(secrets, {})).toThrow('secrets');
  });
});
