import { describe, expect, test } from '@jest/globals';
import type { ConversionRecord, DiskStatus } from '../../src/api/virtual-machine-import.ts';
import type { ConversionPodFact, FactName, Facts, FactTable, VolumeFact } from '../../src/migration/facts.ts';
import { phaseByName } from '../../src/migration/itineraries.ts';
import type { Context, Decision } from '../../src/migration/phase.ts';
import { rfc3339 } from '../../src/migration/time.ts';
import { deleteConversionPod } from '../../src/migration/unwind/delete-conversion-pod.ts';
import { keepsClaim } from '../../src/migration/unwind/whole-claims.ts';
import { vmwareGuestId } from '../../src/migration/projection/guest-id.ts';
import { importSpec } from './import-spec.ts';
import { later, phaseContext } from './phase-context.ts';

const spec = importSpec(
  {
    strategy: { type: 'cold', path: 'vddk', conversion: 'inPlace' },
    conversion: { image: 'v2v', requestsKvm: true, clevis: false, labels: {}, nodeSelector: {} },
  },
  2,
);
const disk = (index: number): DiskStatus => ({
  key: `200${index}`,
  claim: `web-01-disk-${index}`,
  round: 0,
  state: 'done',
  doneBytes: 1,
  totalBytes: 1,
});
const disks = [disk(0), disk(1)];
const start = Date.UTC(2026, 0, 1);
const begun: ConversionRecord = {
  startedAt: rfc3339(start),
  startedDisks: ['2000', '2001'],
  tries: 1,
  podUid: 'p',
};
const slot = { resource: 'conversion/host-uid', cost: 1, grantedAt: rfc3339(start) };
const pod: ConversionPodFact = {
  name: 'gantry-x-convert',
  uid: 'p',
  isHeld: true,
  phase: 'Pending',
  createdMs: start,
  isReady: false,
  isScheduled: true,
  saysUntouched: false,
};
const running = { ...pod, phase: 'Running', startedMs: start };
const removed = [
  { do: 'deletePod', name: pod.name, uid: 'p' },
  { do: 'releasePod', name: pod.name, uid: 'p', forget: false },
];

function contextWith(conversion?: Partial<ConversionRecord>, slots = [slot]): Context {
  const records = conversion === undefined ? {} : { conversion: { ...begun, ...conversion } };
  return phaseContext({ records, disks, slots }, {}, spec);
}
function decide(phase: string, facts: Partial<FactTable>, context: Context): Decision {
  return phaseByName(phase)!.decide(facts as Facts<FactName>, context);
}

const volumes: readonly VolumeFact[] = [0, 1].map((index) => ({
  diskKey: `200${index}`,
  claimName: `web-01-disk-${index}`,
  claim: {
    uid: `c${index}`,
    ours: true,
    deleting: false,
    phase: 'Bound',
    owner: { kind: 'DataVolume', uid: 'd' },
    describedAs: 'claim',
  },
}));

const importer = { name: 'i', uid: 'i', phase: 'Succeeded', restarts: 0, createdMs: start };

describe('an importer over a disk that was converted', () => {
  const imported = volumes.map((volume) => ({ ...volume, pod: importer }));
  const completedAt = rfc3339(start);
  const vm = { state: 'ours', uid: 'vm', deleting: false, runStrategy: 'Halted' } as const;
  const make = (context: Context) =>
    decide('CreateVM', { targetVm: { state: 'absent' }, liveVolumes: imported }, context);
  const handOver = ({ records, ...context }: Context) =>
    decide(
      'ReleaseVolumes',
      { targetVm: vm, liveVolumes: imported },
      { ...context, records: { ...records, targetUid: 'vm' } },
    );

  test('ends the run when it came after the converter, though it has ended well', () => {
    const context = contextWith({ completedAt, importerPods: ['another'] });
    for (const decision of [make(context), handOver(context)]) {
      expect(decision).toMatchObject({ kind: 'fail', class: 'terminal', code: 'DiskOverwritten' });
      expect(decision.kind === 'fail' && decision.message).toContain('web-01-disk-0, web-01-disk-1');
    }
  });

  test('is none that was there before the converter', () => {
    const context = contextWith({ completedAt, importerPods: ['i'] });
    for (const decision of [make(context), handOver(context)])
      expect(decision).toMatchObject({ kind: 'act' });
  });

  test('is not looked for in a run that an older version has begun', () => {
    expect(make(contextWith({ completedAt }))).toMatchObject({ kind: 'act' });
  });
});

describe('CreateGuestConversionPod', () => {
  const make = (context: Context, conversionPod?: ConversionPodFact, liveVolumes = volumes) =>
    decide('CreateGuestConversionPod', { conversionPod, liveVolumes }, context);

  test('saves that it begins, and that the disks are no copies any more, with what it is about to make', () => {
    expect(make(contextWith())).toEqual({
      kind: 'act',
      records: {
        conversion: {
          startedAt: '2026-01-01T00:00:00.000Z',
          startedDisks: ['2000', '2001'],
          importerPods: [],
          tries: 1,
        },
      },
      disks: disks.map((one) => ({ ...one, dirty: true })),
      ledger: [expect.objectContaining({ op: 'add' })],
      actions: [{ do: 'createConversionPod' }],
    });
  });

  test('waits for its turn in the target cluster', () => {
    expect(make(contextWith(undefined, []))).toMatchObject({
      kind: 'acquire',
      slots: [{ resource: 'conversion/host-uid', cost: 1, capacity: 20 }],
    });
  });

  test('lets the last importer end first, and makes nothing over a claim that is gone', () => {
    const busy = volumes.map((volume) => ({ ...volume, pod: { ...importer, phase: 'Running' } }));
    expect(make(contextWith(), undefined, busy)).toMatchObject({ kind: 'wait', reason: 'ImporterEnd' });
    const bare = volumes.map(({ diskKey, claimName }) => ({ diskKey, claimName }));
    expect(make(contextWith(), undefined, bare)).toMatchObject({ kind: 'fail', code: 'ClaimLost' });
  });

  test('writes down whose copies are converted', () => {
    const imported = volumes.map((volume) => ({ ...volume, pod: importer }));
    expect(make(contextWith(), undefined, imported)).toMatchObject({
      records: { conversion: { importerPods: ['i', 'i'] } },
    });
  });

  test('writes down which pod it is before it goes on', () => {
    expect(make(contextWith({ podUid: undefined as never }), pod)).toMatchObject({
      kind: 'advance',
      records: { conversion: { podUid: 'p' } },
    });
  });

  test('a pod that was there and is gone by force may have written: nothing is tried again', () => {
    expect(make(contextWith())).toMatchObject({ kind: 'act' });
    expect(make(contextWith({}))).toMatchObject({
      kind: 'fail',
      class: 'terminal',
      code: 'ConversionPodLost',
    });
  });

  test('after a pod that has written nothing comes another, when that one is gone and a while is over', () => {
    const again = contextWith({ untouchedPod: 'p', tries: 2, retryAt: rfc3339(start + 10_000) });
    expect(make(again, pod)).toMatchObject({ kind: 'act', actions: removed });
    expect(make(again, { ...pod, deletingMs: start, isHeld: false })).toMatchObject({ kind: 'wait' });
    expect(make(again)).toMatchObject({ kind: 'wait', reason: 'ConversionRetry', until: start + 10_000 });
    const decision = make(later(again, 10));
    expect(decision).toMatchObject({ kind: 'act', actions: [{ do: 'createConversionPod' }] });
    // Of the new pod nothing is proven.
    expect(decision.kind === 'act' && decision.records?.conversion?.podUid).toBeUndefined();
  });

  test('a pod that the cluster refuses has written nothing', () => {
    const making = phaseByName('CreateGuestConversionPod')!;
    const refusal = { action: { do: 'createConversionPod' } as const, code: 'Forbidden', text: 'quota' };
    expect(making.refused?.(refusal, contextWith({ podUid: undefined as never }))).toMatchObject({
      kind: 'fail',
      class: 'retryable',
      disks,
      forget: ['conversion'],
    });
    expect(making.refused?.({ ...refusal, code: 'AlreadyExists' }, contextWith({}))).toMatchObject({
      class: 'terminal',
      code: 'ConversionPodNameTaken',
    });
  });
});

describe('ConvertGuest', () => {
  const look = (
    context: Context,
    conversionPod: ConversionPodFact | undefined,
    conversionResult?: FactTable['conversionResult'],
  ) => decide('ConvertGuest', { conversionPod, conversionResult }, context);
  const result = { osId: 'rhel9.4', bootDisk: 1, warnings: [{ reason: 'R', message: 'm' }] };

  test('saves what it is told before it lets the converter end', () => {
    expect(look(contextWith({}), running, result)).toMatchObject({
      kind: 'act',
      records: { conversion: { osId: 'rhel9.4', bootDisk: 1, warnings: result.warnings, podUid: 'p' } },
      actions: [{ do: 'finishConversion', name: pod.name }],
    });
  });

  test('asks again when the request to end came to nothing, and does not wait for a server for ever', () => {
    const answered = contextWith({ answeredAt: rfc3339(start), finishAskedAt: rfc3339(start) });
    expect(look(answered, running, result)).toMatchObject({ kind: 'wait', until: start + 10_000 });
    expect(look(later(answered, 10), running)).toMatchObject({ actions: [{ do: 'finishConversion' }] });
    expect(look(later(answered, 300), running)).toMatchObject({ actions: [{ do: 'deletePod' }] });
  });

  test('what it has found holds, however its pod ends after that', () => {
    const answered = contextWith({ answeredAt: rfc3339(start) });
    for (const end of [undefined, { ...running, phase: 'Failed' }, { ...running, phase: 'Succeeded' }]) {
      expect(look(answered, end)).toMatchObject({
        kind: 'act',
        records: { conversion: { completedAt: '2026-01-01T00:00:00.000Z' } },
        disks,
      });
    }
  });

  test('its pod goes, or is the user’s from then on', () => {
    const done = { ...running, phase: 'Succeeded' };
    expect(look(contextWith({}), done)).toMatchObject({ actions: removed });
    const keeping = contextWith({});
    const kept = { ...keeping, spec: { ...spec, options: { ...spec.options, keepConversionPod: true } } };
    expect(look(kept, done)).toMatchObject({
      actions: [{ do: 'releasePod', name: pod.name, uid: 'p', forget: true }],
    });
  });

  test('goes on with its slot freed, and shows for good what it was warned of', () => {
    const done = contextWith({ completedAt: rfc3339(start), warnings: result.warnings });
    expect(look(done, undefined)).toMatchObject({
      kind: 'advance',
      free: ['conversion/host-uid'],
      conditions: [{ type: 'ConversionHasWarnings', category: 'Warn', reason: 'R', durable: true }],
    });
  });

  test('a pod that does not run is said why, and taken away after five minutes to see how it ended', () => {
    const waiting = { ...pod, pendingText: '0/3 nodes are available' };
    const early = look(contextWith({}), waiting);
    expect(early).toMatchObject({ kind: 'wait', until: start + 300_000 });
    expect(early.kind === 'wait' && early.for).toContain('0/3 nodes');
    expect(look(later(contextWith({}), 300), waiting)).toMatchObject({
      kind: 'act',
      records: { conversion: { firstError: expect.stringContaining('0/3 nodes') } },
      actions: [{ do: 'deletePod' }],
    });
  });

  test.each([
    ['never began', { ...pod, phase: 'Failed' }, 3],
    ['had no node', { ...pod, isScheduled: false, deletingMs: start }, 3],
    ['says that the disks are as they were', { ...running, phase: 'Failed', saysUntouched: true }, 2],
  ])('a pod that %s has written nothing: another try, but not for ever', (_what, ended, most) => {
    for (let tries = 1; tries < most; tries += 1) {
      expect(look(contextWith({ tries }), ended)).toMatchObject({
        kind: 'act',
        records: { conversion: { untouchedPod: 'p', tries: tries + 1 } },
        disks,
      });
    }
    expect(look(contextWith({ tries: most }), ended)).toMatchObject({
      kind: 'fail',
      class: 'terminal',
      disks,
    });
    expect(look(contextWith({ untouchedPod: 'p' }), undefined)).toEqual({
      kind: 'advance',
      to: 'CreateGuestConversionPod',
    });
  });

  test('a converter that ran and failed is not tried again: its disks stay marked', () => {
    const failed = { ...running, phase: 'Failed', lastWords: 'virt-v2v: error' };
    const dirty = disks.map((one) => ({ ...one, dirty: true }));
    const context = { ...contextWith({}), status: { disks: dirty } };
    const decision = look(context, failed);
    expect(decision).toMatchObject({
      kind: 'fail',
      class: 'terminal',
      code: 'ConversionFailed',
      disks: dirty,
    });
    expect(decision.kind === 'fail' && decision.message).toContain('virt-v2v: error');
  });

  test('a pod that was taken away by force may have written', () => {
    expect(look(contextWith({}), undefined)).toMatchObject({ kind: 'fail', code: 'ConversionPodLost' });
    expect(look(contextWith({}), { ...running, uid: 'another' })).toMatchObject({
      code: 'ConversionPodLost',
    });
  });

  test('a pod that somebody deleted is judged when it has ended, and given up when it does not', () => {
    const deleted = { ...running, deletingMs: start };
    expect(look(contextWith({}), deleted)).toMatchObject({ kind: 'wait', reason: 'ConversionPodEnd' });
    expect(look(later(contextWith({}), 300), deleted)).toMatchObject({
      kind: 'fail',
      code: 'ConversionPodStuck',
    });
  });

  test('takes as long as it takes, and says so after four hours', () => {
    expect(look(contextWith({}), running)).not.toHaveProperty('conditions');
    expect(look(later(contextWith({}), 4 * 3600), running)).toMatchObject({
      kind: 'wait',
      conditions: [{ type: 'SlowConversion', category: 'Warn' }],
    });
  });
});

describe('taking back', () => {
  test('the pod is deleted, released, and waited for until the server knows it no more', () => {
    const context = contextWith({});
    expect(deleteConversionPod.applies(contextWith())).toBe(false);
    expect(deleteConversionPod.applies(context)).toBe(true);
    const step = (conversionPod: ConversionPodFact | undefined) =>
      deleteConversionPod.decide({ conversionPod } as Facts<FactName>, context);
    expect(step(running)).toEqual({ kind: 'act', actions: removed });
    expect(step({ ...running, deletingMs: start })).toEqual({ kind: 'act', actions: removed.slice(1) });
    expect(step({ ...running, deletingMs: start, isHeld: false })).toMatchObject({ kind: 'wait' });
    expect(step(undefined)).toEqual({ kind: 'done' });
  });

  test('no claim stays that may be half converted, whatever the plan wants kept', () => {
    const keeping = (conversion: Partial<ConversionRecord>) => ({
      ...contextWith(conversion),
      spec: { ...spec, options: { ...spec.options, deleteOnFail: false } },
    });
    const whole = volumes.map((volume) => ({
      ...volume,
      claim: { ...volume.claim!, owner: { kind: 'none' as const } },
    }));
    const keeps = (conversion: Partial<ConversionRecord>) =>
      keepsClaim('web-01-disk-0', whole, keeping(conversion));
    expect(keeps({})).toBe(false);
    expect(keeps({ untouchedPod: 'p' })).toBe(true);
    expect(keeps({ completedAt: rfc3339(start) })).toBe(true);
  });
});

test.each([
  ['rhel9.4', 'linux', 'rhel9_64Guest'],
  ['centos7.0', 'linux', 'centos7_64Guest'],
  ['rocky9', 'linux', 'rockylinux_64Guest'],
  ['ubuntu22.04', 'linux', 'ubuntu64Guest'],
  ['win2k12r2', 'windows', 'windows8Server64Guest'],
  ['win10', 'windows', 'windows9_64Guest'],
  ['gentoo', 'linux', 'genericLinuxGuest'],
  ['freebsd14', 'freebsd', 'otherGuest64'],
  [undefined, undefined, undefined],
])('%s (%s) is shown under VMware’s id %s', (osId, osFamily, id) => {
  expect(
    vmwareGuestId({ ...(osId !== undefined && { osId }), ...(osFamily !== undefined && { osFamily }) }),
  ).toBe(id);
});
