import { describe, expect, test } from '@jest/globals';
import type { Stored } from '../../../src/api/meta.ts';
import type { Migration } from '../../../src/api/migration.ts';
import type { Plan } from '../../../src/api/plan.ts';
import type { ImportControl, VirtualMachineImport } from '../../../src/api/virtual-machine-import.ts';
import { cancelFindings, wantedControl, type Wishes } from '../../../src/controllers/run/control.ts';

const stamp = { uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };

function importOf(control?: ImportControl): VirtualMachineImport {
  const spec = {
    vm: { id: 'vm-1', name: 'web' },
    run: { migration: { name: 'run', uid: 'run-uid' } },
    control,
  };
  return { metadata: { name: 'i' }, spec } as unknown as VirtualMachineImport;
}

function wishes(spec: Partial<Migration['spec']> = {}, more: Partial<Wishes> = {}): Wishes {
  const migration = { metadata: { name: 'run', ...stamp, uid: 'run-uid' }, spec: { plan: {}, ...spec } };
  const plan = { metadata: { name: 'plan', ...stamp }, spec: {} };
  return {
    plan: plan as unknown as Stored<Plan>,
    migration: migration as unknown as Stored<Migration>,
    sourceProvider: undefined,
    ambiguousNames: new Set(),
    ...more,
  };
}

describe('what an import is told', () => {
  test('is nothing while nobody wishes anything', () => {
    expect(wantedControl(importOf(), wishes())).toEqual({});
  });

  test('is to cancel when the Migration names it by id or by name', () => {
    const told = { cancel: true, cancelReason: 'UserRequested' };
    expect(wantedControl(importOf(), wishes({ cancel: [{ id: 'vm-1' }] }))).toEqual(told);
    expect(wantedControl(importOf(), wishes({ cancel: [{ name: 'web' }] }))).toEqual(told);
    expect(wantedControl(importOf(), wishes({ cancel: [{ id: 'vm-2', name: 'web' }] }))).toEqual({});
    expect(wantedControl(importOf(), wishes({ cancel: [{}] }))).toEqual({});
  });

  test('is no cancel by a name that several VMs bear', () => {
    const ambiguous = wishes({ cancel: [{ name: 'web' }] }, { ambiguousNames: new Set(['web']) });
    expect(wantedControl(importOf(), ambiguous)).toEqual({});
  });

  test('stays a cancel when the list is edited afterwards', () => {
    const told = { cancel: true, cancelReason: 'UserRequested' };
    expect(wantedControl(importOf(told), wishes({ cancel: [] }))).toEqual(told);
  });

  test('is to cancel when its Migration is gone, going, or another one of that name', () => {
    const gone = { cancel: true, cancelReason: 'Deleted' };
    expect(wantedControl(importOf(), wishes({}, { migration: undefined }))).toEqual(gone);
    const other = wishes().migration as Stored<Migration>;
    const replaced = { ...other, metadata: { ...other.metadata, uid: 'another' } };
    expect(wantedControl(importOf(), wishes({}, { migration: replaced }))).toEqual(gone);
    const going = { ...other, metadata: { ...other.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
    expect(wantedControl(importOf(), wishes({}, { migration: going }))).toEqual(gone);
  });

  test('is the cutover of its own VM before that of all', () => {
    const cutover = '2026-03-01T00:00:00Z';
    const own = '2026-02-01T00:00:00Z';
    expect(wantedControl(importOf(), wishes({ cutover }))).toEqual({ cutoverAt: cutover });
    expect(wantedControl(importOf(), wishes({ cutover, vmCutover: [{ id: 'vm-1', cutover: own }] }))).toEqual(
      {
        cutoverAt: own,
      },
    );
  });

  test('is to pause when the Plan or the source Provider says so', () => {
    const paused = {
      metadata: { name: 'x', ...stamp, annotations: { 'gantry.dev/paused': 'true' } },
      spec: {},
    };
    expect(wantedControl(importOf(), wishes({}, { plan: paused as never }))).toEqual({ paused: true });
    expect(wantedControl(importOf(), wishes({}, { sourceProvider: paused as never }))).toEqual({
      paused: true,
    });
  });

  test('is to go when the Plan is archived', () => {
    const archived = { metadata: { name: 'plan', ...stamp }, spec: { archived: true } };
    expect(wantedControl(importOf(), wishes({}, { plan: archived as never }))).toEqual({
      cancel: true,
      cancelReason: 'Archived',
      disposal: 'Discard',
    });
  });
});

describe('a list of cancels', () => {
  const vms = [
    { id: 'vm-1', name: 'web' },
    { id: 'vm-2', name: 'web' },
    { id: 'vm-3', name: 'db' },
  ];
  const findings = (cancel: Migration['spec']['cancel']) =>
    cancelFindings({ spec: { plan: {}, cancel } } as unknown as Migration, vms).map(({ type, items }) => [
      type,
      items,
    ]);

  test('that is clear says nothing', () => {
    expect(findings([{ id: 'vm-1' }, { name: 'db' }])).toEqual([]);
  });

  test('that names nobody or several says which', () => {
    expect(findings([{ id: 'vm-9' }, { name: 'web' }])).toEqual([
      ['VMNotFound', ['vm-9']],
      ['VMNotUnique', ['web']],
    ]);
  });
});
