import { describe, expect, test } from '@jest/globals';
import type { HistoryEntry, PlanMigration } from '../../src/api/plan.ts';
import type {
  DiskStatus,
  VirtualMachineImport,
  VirtualMachineImportStatus,
} from '../../src/api/virtual-machine-import.ts';
import { freshVm, projectVm } from '../../src/migration/projection/vm.ts';
import { beginRun, outcomeOf, planConditions, projectPlan } from '../../src/migration/projection/run.ts';
import { sizeOf } from '../../src/migration/projection/shedding.ts';
import { cold } from '../../src/migration/itineraries.ts';
import { frozenDisk, importSpec, vmModel } from './import-spec.ts';

const t0 = '2026-01-01T00:00:00Z';
const t1 = '2026-01-01T00:01:00Z';
const mib = 2 ** 20;

function diskStatus(index: number, changes: Partial<DiskStatus> = {}): DiskStatus {
  const { key, claimName, sizeBytes } = frozenDisk(index);
  return {
    key,
    claim: claimName,
    round: 1,
    state: 'waiting',
    doneBytes: 0,
    totalBytes: sizeBytes,
    ...changes,
  };
}

/** As long as they are in the field. */
function taskName(id: string, index: number): string {
  const folder = `production-frontend-${id}-eu-central`;
  return `[nfs-datastore-gold-07] ${folder}/${folder}_${index}.vmdk`;
}

function vmImport(status: VirtualMachineImportStatus, disks = 1, id = 'vm-1'): VirtualMachineImport {
  const frozen = Array.from({ length: disks }, (_, index) => frozenDisk(index));
  const modelDisks = frozen.map(({ key, sourceId, index, sizeBytes }) => ({
    key,
    sourceId,
    taskName: taskName(id, index),
    index,
    sizeBytes,
    storage: { ids: ['ds'], names: [] },
    kind: 'image' as const,
    bus: 'scsi' as const,
    shared: false,
    snapshotable: true,
    needsScratch: 'never' as const,
  }));
  const model = vmModel({ id, name: `name-of-${id}`, disks: modelDisks });
  return {
    apiVersion: 'gantry.dev/v1alpha1',
    kind: 'VirtualMachineImport',
    metadata: { name: `plan-${id}`, namespace: 'mtv', uid: `uid-${id}` },
    spec: importSpec({ vm: { id, name: model.name }, model, disks: frozen }),
    status: { records: { itinerary: cold }, ...status },
  };
}

const copying: VirtualMachineImportStatus = {
  phase: 'CopyDisks',
  started: t0,
  steps: [
    { name: 'Initialize', startedAt: t0, completedAt: t1 },
    { name: 'DiskTransfer', startedAt: t1 },
  ],
};

describe('the status of a VM', () => {
  test('shows the steps of a cold plan in order, as clients know them', () => {
    const { pipeline, phase } = projectVm(vmImport(copying), { id: 'vm-1' });
    expect(phase).toBe('CopyDisks');
    expect(pipeline.map(({ name, phase: state }) => [name, state])).toEqual([
      ['Initialize', 'Completed'],
      ['DiskTransfer', 'Running'],
      ['VirtualMachineCreation', 'Pending'],
    ]);
    expect(pipeline.map(({ progress }) => progress)).toEqual([
      { total: 1, completed: 1 },
      { total: 4096, completed: 0 },
      { total: 1, completed: 0 },
    ]);
  });

  test('counts disks in MiB, rounded up, with one task each and the sum in their step', () => {
    const disks = [
      diskStatus(0, { state: 'copying', percent: 50 }),
      diskStatus(1, { state: 'done', percent: 100 }),
    ];
    const object = vmImport({ ...copying, disks }, 2);
    const odd = {
      ...object,
      spec: { ...object.spec, disks: [frozenDisk(0, { sizeBytes: 10 * mib + 1 }), frozenDisk(1)] },
    };
    const step = projectVm(odd, { id: 'vm-1' }).pipeline[1]!;
    expect(step.annotations).toEqual({ unit: 'MB' });
    expect(step.progress).toEqual({ total: 11 + 4096, completed: 6 + 4096 });
    expect(step.tasks?.map(({ name, progress, phase, reason }) => [name, progress, phase, reason])).toEqual([
      [taskName('vm-1', 0), { total: 11, completed: 6 }, 'Running', undefined],
      [taskName('vm-1', 1), { total: 4096, completed: 4096 }, 'Completed', 'Transfer completed.'],
    ]);
    expect(step.tasks?.every(({ annotations }) => annotations?.['unit'] === 'MB')).toBe(true);
  });

  test('is Started without a time while it waits for its slot', () => {
    const queued = vmImport({
      phase: 'Started',
      conditions: [{ type: 'Pending', status: 'True', category: 'Advisory', lastTransitionTime: t0 }],
    });
    const entry = projectVm(queued, { id: 'vm-1' });
    expect(entry).toMatchObject({ phase: 'Started', conditions: [{ type: 'Pending' }] });
    expect(entry).not.toHaveProperty('started');
  });

  test('shows phases of our own under names that clients know', () => {
    const shown = (phase: string) => projectVm(vmImport({ ...copying, phase }), {}).phase;
    expect(['Preflight', 'ReleaseVolumes', 'StartVM', 'WaitForTargetRunning', 'CreateVM'].map(shown)).toEqual(
      ['Started', 'CreateVM', 'CreateVM', 'CreateVM', 'CreateVM'],
    );
  });

  test('of a failure tells the first error first, in the step where it happened', () => {
    const failed = vmImport({
      ...copying,
      completed: t1,
      steps: [...copying.steps!.slice(0, 1), { name: 'DiskTransfer', startedAt: t1, error: 'pod failed' }],
      error: {
        code: 'ImporterFailed',
        phase: 'CopyDisks',
        class: 'terminal',
        message: 'pod failed',
        firstError: 'no route to host',
        hint: 'see the log',
      },
    });
    const entry = projectVm(failed, { id: 'vm-1' });
    expect(entry.phase).toBe('Completed');
    expect(entry.error).toEqual({
      phase: 'CopyDisks',
      reasons: ['no route to host', 'pod failed', 'see the log'],
    });
    expect(entry.pipeline[1]).toMatchObject({
      phase: 'Completed',
      error: { phase: 'CopyDisks', reasons: ['pod failed'] },
    });
  });

  test('leaves out empty objects of the plan entry, and the new name where it is the old one', () => {
    const same = vmImport({ ...copying, records: { itinerary: cold, targetName: 'name-of-vm-1' } });
    const entry = projectVm(same, { id: 'vm-1', luks: {}, hooks: [], targetName: 'x' });
    expect(Object.keys(entry)).not.toEqual(expect.arrayContaining(['luks']));
    expect(entry).not.toHaveProperty('hooks');
    expect(entry).not.toHaveProperty('newName');
    const renamed = vmImport({ ...copying, records: { itinerary: cold, targetName: 'other' } });
    expect(projectVm(renamed, {}).newName).toBe('other');
  });

  test('says that disks are copied only while they are true to the source', () => {
    const records = { itinerary: cold, copyCompleteAt: t1 };
    const disks = [diskStatus(0, { state: 'done' })];
    const shown = (status: VirtualMachineImportStatus) =>
      projectVm(vmImport({ ...copying, ...status }), {}).disksCopied;
    expect(shown({ records, disks })).toBe(true);
    expect(shown({ records, disks: [{ ...disks[0]!, dirty: true }] })).toBeUndefined();
    expect(
      shown({ records: { ...records, power: { before: 'On', restoredAt: t1 } }, disks }),
    ).toBeUndefined();
  });

  test('never shows a Critical condition', () => {
    const critical = {
      type: 'NewerVersionNeeded',
      status: 'True',
      category: 'Critical',
      lastTransitionTime: t0,
    };
    const entry = projectVm(vmImport({ ...copying, conditions: [critical] }), {});
    expect(entry.conditions).toEqual([{ ...critical, category: 'Warn' }]);
  });
});

// ---- runs -----------------------------------------------------------------------------------------------------------------------

const ref = { namespace: 'mtv', name: 'x', uid: 'u', generation: 1 };
const executing: HistoryEntry = {
  plan: ref,
  migration: ref,
  provider: { source: ref, destination: ref },
  map: { network: ref, storage: ref },
  conditions: [
    { type: 'Executing', status: 'True', category: 'Advisory', durable: true, lastTransitionTime: t0 },
  ],
};

function ended(id: string, outcome: 'Succeeded' | 'Failed' | 'Canceled'): VirtualMachineImport {
  return vmImport(
    {
      ...copying,
      completed: t1,
      outcome,
      conditions: [
        { type: outcome, status: 'True', category: 'Advisory', durable: true, lastTransitionTime: t1 },
      ],
    },
    1,
    id,
  );
}

function byVm(...imports: readonly VirtualMachineImport[]): ReadonlyMap<string, VirtualMachineImport> {
  return new Map(imports.map((object) => [object.spec.vm.id, object]));
}

const planVms = [{ id: 'vm-1' }, { id: 'vm-2' }];

describe('the status of a run', () => {
  const begun = beginRun(planVms, undefined, [executing]);

  test('begins with a fresh entry for each VM of the plan, in its order', () => {
    expect(begun.vms).toEqual(planVms.map((vm) => freshVm(vm)));
    expect(planConditions(begun).map(({ type }) => type)).toEqual(['Executing']);
  });

  test('ends when every VM has ended, and any failure makes it one', () => {
    const half = projectPlan(begun, planVms, byVm(ended('vm-1', 'Succeeded')), t1).migration;
    expect(half).not.toHaveProperty('completed');
    expect(half.started).toBe(t0);
    const whole = projectPlan(half, planVms, byVm(ended('vm-2', 'Failed')), t1).migration;
    expect(whole.completed).toBe(t1);
    expect(planConditions(whole).map(({ type }) => type)).toEqual(['Failed']);
  });

  test('of a VM that has ended is never computed again', () => {
    const first = projectPlan(begun, planVms, byVm(ended('vm-1', 'Succeeded')), t1).migration;
    const again = projectPlan(first, planVms, byVm(vmImport(copying)), t1).migration;
    expect(again.vms![0]).toBe(first.vms![0]);
  });

  test('begins anew for those alone that have not succeeded; what left the plan is dropped', () => {
    const first = projectPlan(
      begun,
      planVms,
      byVm(ended('vm-1', 'Succeeded'), ended('vm-2', 'Failed')),
      t1,
    ).migration;
    const retry = beginRun([{ id: 'vm-3' }, { id: 'vm-2' }, { id: 'vm-1' }], first, [executing]);
    expect(retry.vms?.map(({ id, completed }) => [id, completed])).toEqual([
      ['vm-3', undefined],
      ['vm-2', undefined],
      ['vm-1', t1],
    ]);
    expect(retry.vms![2]).toBe(first.vms![0]);
    expect(beginRun([{ id: 'vm-2' }], first, [executing]).vms).toHaveLength(1);
  });

  test('is cancelled only if nothing succeeded or failed', () => {
    const vms = (...outcomes: readonly ('Succeeded' | 'Failed' | 'Canceled')[]) =>
      outcomes.map((outcome, index) => projectVm(ended(`vm-${index}`, outcome), {}));
    expect(outcomeOf(vms('Canceled', 'Canceled'))).toBe('Canceled');
    expect(outcomeOf(vms('Canceled', 'Succeeded'))).toBe('Succeeded');
    expect(outcomeOf(vms('Canceled', 'Succeeded', 'Failed'))).toBe('Failed');
  });
});

describe('a large plan', () => {
  function project(
    count: number,
    disks: number,
    status: VirtualMachineImportStatus,
  ): ReturnType<typeof projectPlan> {
    const vms = Array.from({ length: count }, (_, index) => ({ id: `vm-${10_000 + index}` }));
    const withDisks = {
      ...status,
      disks: Array.from({ length: disks }, (_, index) =>
        diskStatus(index, { state: 'copying', percent: 42 }),
      ),
    };
    const imports = byVm(...vms.map(({ id }) => vmImport(withDisks, disks, id)));
    return projectPlan(beginRun(vms, undefined, [executing]), vms, imports, t1);
  }

  const states: readonly [string, VirtualMachineImportStatus][] = [
    ['copy', copying],
    [
      'have succeeded',
      {
        ...copying,
        completed: t1,
        records: { itinerary: cold, power: { before: 'On' }, targetName: 'another-name', copyCompleteAt: t1 },
        steps: ['Initialize', 'DiskTransfer', 'VirtualMachineCreation'].map((name) => ({
          name,
          startedAt: t0,
          completedAt: t1,
        })),
        conditions: [
          {
            type: 'Succeeded',
            status: 'True',
            category: 'Advisory',
            durable: true,
            message: 'The VM runs on as target/another-name.',
            lastTransitionTime: t1,
          },
        ],
      },
    ],
    [
      'have failed with long words',
      {
        ...copying,
        completed: t1,
        error: { code: 'X', phase: 'CopyDisks', class: 'terminal', message: 'm'.repeat(300) },
      },
    ],
  ];

  test.each(states)('of 500 VMs with 3 disks stays under 1.2 MiB while they %s', (_, status) => {
    expect(sizeOf(project(500, 3, status).migration)).toBeLessThan(1.2 * mib);
  });

  test.each(states)('of 1,000 VMs with 1 disk stays under 1.4 MiB while they %s', (_, status) => {
    expect(sizeOf(project(1000, 1, status).migration)).toBeLessThan(1.4 * mib);
  });

  test('keeps what clients count by: id, phase, step names and their sums', () => {
    const { migration, level } = project(1000, 3, copying);
    expect(level).toBeGreaterThan(0);
    for (const { id, phase, pipeline } of migration.vms!) {
      expect([id, phase]).toEqual([expect.stringMatching(/^vm-/), 'CopyDisks']);
      expect(pipeline[1]).toMatchObject({
        name: 'DiskTransfer',
        progress: { total: 3 * 4096, completed: 3 * 1720 },
      });
    }
  });

  test('of few VMs loses nothing', () => {
    const shed = project(50, 3, copying);
    expect(shed.level).toBe(0);
    const step = shed.migration.vms![0]!.pipeline[1]!;
    expect(step.tasks).toHaveLength(3);
  });

  test('that is shed again comes out the same', () => {
    const { migration } = project(1000, 3, copying);
    const again: PlanMigration = projectPlan(migration, [], new Map(), t1).migration;
    expect(again).toEqual(migration);
  });
});
