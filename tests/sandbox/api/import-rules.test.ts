import { describe, expect, test } from '@jest/globals';
import { virtualMachineImports } from '../../../src/api/kinds.ts';
import { CelRule, CelValues } from '../../../src/sandbox/api/cel-rule.ts';
import { readSchema } from '../../../src/sandbox/api/schema-node.ts';
import { validate } from '../../../src/sandbox/api/schema-validation.ts';
import { importSpec } from '../../migration/import-spec.ts';
import { Harness } from './harness.ts';

describe('an import', () => {
  async function made(world: Harness): Promise<void> {
    const answer = await world.create(virtualMachineImports, { metadata: { name: 'i' }, spec: importSpec() });
    expect(answer.body.message).toBeUndefined();
  }

  test('keeps its spec as it was made, in every field but control', async () => {
    await using world = new Harness();
    await made(world);
    const refused = await world.merge(virtualMachineImports, 'i', { spec: { vm: { name: 'other' } } });
    expect(refused.status).toBe(422);
    expect(refused.body.message).toBe(
      'VirtualMachineImport.gantry.dev "i" is invalid: spec.vm: Invalid value: vm cannot be changed',
    );
    const allowed = await world.merge(virtualMachineImports, 'i', { spec: { control: { paused: true } } });
    expect(allowed.status).toBe(200);
  });

  test('gets no field that it was made without', async () => {
    await using world = new Harness();
    await made(world);
    const { body } = await world.merge(virtualMachineImports, 'i', { spec: { vddkImage: 'registry/vddk' } });
    expect(body.message).toContain('spec: Invalid value: vddkImage can be neither added nor removed');
  });

  test('stays cancelled', async () => {
    await using world = new Harness();
    await made(world);
    expect(
      (await world.merge(virtualMachineImports, 'i', { spec: { control: { cancel: true } } })).status,
    ).toBe(200);
    const { body } = await world.merge(virtualMachineImports, 'i', { spec: { control: { cancel: false } } });
    expect(body.message).toContain('a cancel cannot be taken back');
  });

  test('takes a new status without its spec being judged again', async () => {
    await using world = new Harness();
    await made(world);
    const { body } = await world.mergeStatus(virtualMachineImports, 'i', { phase: 'CopyDisks', percent: 3 });
    expect(body.status).toEqual({ phase: 'CopyDisks', percent: 3 });
    expect(body.metadata.generation).toBe(1);
  });
});

describe('rules in CEL', () => {
  const node = readSchema({
    type: 'object',
    properties: {
      fixed: {
        type: 'string',
        'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'fixed cannot be changed' }],
      },
      count: { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self > 3', message: 'too few' }] },
      control: { type: 'object', properties: { cancel: { type: 'boolean' } } },
    },
    'x-kubernetes-validations': [
      {
        rule: '!(has(oldSelf.control) && oldSelf.control.cancel) || (has(self.control) && self.control.cancel)',
        message: 'a cancel cannot be taken back',
      },
    ],
  });

  test('a transition rule is judged only where there was a value before', () => {
    expect(validate(node, { fixed: 'a' }, undefined, 'spec')).toEqual([]);
    expect(validate(node, { fixed: 'a' }, {}, 'spec')).toEqual([]);
    expect(validate(node, { fixed: 'b' }, { fixed: 'a' }, 'spec')).toEqual([
      { type: 'FieldValueInvalid', field: 'spec.fixed', detail: 'fixed cannot be changed', value: 'b' },
    ]);
  });

  test('whole numbers are integers of CEL', () => {
    expect(validate(node, { count: 4 }, undefined, 'spec')).toEqual([]);
    expect(validate(node, { count: 3 }, undefined, 'spec')).toHaveLength(1);
  });

  test('a rule over the whole object sees what was and what is to be', () => {
    const cancelled = { control: { cancel: true } };
    expect(validate(node, { control: { cancel: false } }, cancelled, 'spec')).toEqual([
      { type: 'FieldValueInvalid', field: 'spec', detail: 'a cancel cannot be taken back' },
    ]);
    expect(validate(node, { ...cancelled, fixed: 'a' }, cancelled, 'spec')).toEqual([]);
  });

  test('a rule that fails to evaluate refuses', () => {
    const rule = new CelRule({ rule: 'self.missing == 1', message: 'm' });
    expect(rule.judge(new CelValues(node, {}, undefined))).toBe('no such key: missing evaluating rule: m');
  });
});
