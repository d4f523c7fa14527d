import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { statusPatch } from '../../../src/controllers/run/status-patch.ts';
import { applyPatch } from '../../target/json-patch.ts';

const vm = fc.record({ id: fc.string({ minLength: 1, maxLength: 4 }), phase: fc.string({ maxLength: 3 }) });
const status = fc.record(
  {
    conditions: fc.array(fc.record({ type: fc.string({ maxLength: 3 }) }), { maxLength: 3 }),
    'odd/na~me': fc.nat(),
    vms: fc.array(vm, { maxLength: 4 }),
    migration: fc.record(
      { started: fc.string({ maxLength: 3 }), vms: fc.array(vm, { maxLength: 4 }) },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
);

describe('the patch of a status', () => {
  test('makes the old status the new one, whatever they are', () => {
    fc.assert(
      fc.property(fc.option(status, { nil: undefined }), status, (before, after) => {
        const object = before === undefined ? {} : { status: before };
        const patched = applyPatch(object, statusPatch(before, after));
        expect(patched).toEqual({ status: after });
      }),
    );
  });

  test('of a status that is as it should be is empty', () => {
    fc.assert(fc.property(status, (same) => expect(statusPatch(same, structuredClone(same))).toEqual([])));
  });

  test('touches only the VMs that changed, and tests that they stand where they stood', () => {
    const before = {
      migration: {
        vms: [
          { id: 'a', phase: 'x' },
          { id: 'b', phase: 'x' },
        ],
      },
    };
    const after = {
      migration: {
        vms: [
          { id: 'a', phase: 'x' },
          { id: 'b', phase: 'y' },
        ],
      },
    };
    expect(statusPatch(before, after)).toEqual([
      { op: 'test', path: '/status/migration/vms/1/id', value: 'b' },
      { op: 'replace', path: '/status/migration/vms/1', value: { id: 'b', phase: 'y' } },
    ]);
  });

  test('made for another order of the VMs is refused, not applied to the wrong one', () => {
    const before = { vms: [{ id: 'a' }, { id: 'b', phase: 'x' }] };
    const patch = statusPatch(before, { vms: [{ id: 'a' }, { id: 'b', phase: 'y' }] });
    expect(() => applyPatch({ status: { vms: [{ id: 'b', phase: 'x' }, { id: 'a' }] } }, patch)).toThrow();
  });
});
