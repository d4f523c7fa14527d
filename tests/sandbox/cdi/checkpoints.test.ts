import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { DataVolumeCheckpoint } from '../../../src/api/external/cdi.ts';
import { afterStage, firstStage, isStaged, withStages } from '../../../src/sandbox/cdi/checkpoints.ts';
import { importerPodName } from '../../../src/sandbox/cdi/importer-pod.ts';
import { dataVolume, ns } from './cluster.ts';

const prefix = 'cdi.kubevirt.io/storage.';
type Annotations = Readonly<Record<string, string>>;

const entry = (current: string, previous = ''): DataVolumeCheckpoint => ({ current, previous });
const asking = (checkpoints: readonly DataVolumeCheckpoint[], finalCheckpoint = false) =>
  dataVolume('disk-0', { checkpoints, finalCheckpoint });
const copiedBy = (annotations: Annotations, podId: string): Annotations => ({
  ...annotations,
  [`${prefix}checkpoint.pod.id`]: podId,
  [`${prefix}import.importPodName`]: 'pod',
  [`${prefix}pod.phase`]: 'Succeeded',
});

describe('the books of an import in stages', () => {
  test('begin with the first entry, final only when it is the only one and that is said', () => {
    const begun = (count: number, final: boolean) =>
      firstStage(asking([entry('a'), entry('b', 'a')].slice(0, count), final))[`${prefix}checkpoint.final`];
    expect([begun(1, true), begun(1, false), begun(2, true)]).toEqual(['true', 'false', 'false']);
    expect(firstStage(asking([]))).toEqual({});
  });

  test('mark the entry with its pod, drop the pod’s name and turn its phase to Unknown for the next', () => {
    const volume = asking([entry('a'), entry('b', 'a')], true);
    expect(afterStage(copiedBy(firstStage(volume), 'uid-1'), volume)).toEqual({
      [`${prefix}checkpoint.current`]: 'b',
      [`${prefix}checkpoint.previous`]: 'a',
      [`${prefix}checkpoint.final`]: 'true',
      [`${prefix}checkpoint.pod.id`]: 'uid-1',
      [`${prefix}checkpoint.copied.a`]: 'uid-1',
      [`${prefix}pod.phase`]: 'Unknown',
    });
  });

  test('do not mark a second entry with a pod that marked one already', () => {
    const volume = asking([entry('a'), entry('b', 'a')]);
    const next = afterStage(copiedBy(firstStage(volume), 'uid-1'), volume);
    const again = afterStage(copiedBy(next, 'uid-1'), volume);
    expect(again).not.toHaveProperty([`${prefix}checkpoint.copied.b`]);
  });

  test('stand still when nothing is left to do', () => {
    const volume = asking([entry('a')]);
    const paused = afterStage(copiedBy(firstStage(volume), 'uid-1'), volume);
    expect(afterStage(paused, volume)).toEqual(paused);
    expect(afterStage(paused, asking([entry('a')], true))).toEqual(paused);
    expect(afterStage(paused, asking([entry('a'), entry('a', 'a')], true))).toEqual(paused);
  });

  test('lose every mark but done when the final entry is copied', () => {
    const volume = asking([entry('a')], true);
    const marked = afterStage(copiedBy(firstStage(volume), 'uid-1'), volume);
    expect(isStaged(marked)).toBe(true);
    const done = afterStage(marked, volume);
    expect(Object.keys(done).filter((key) => key.startsWith(`${prefix}checkpoint.`))).toEqual([
      `${prefix}checkpoint.done`,
    ]);
    expect(isStaged(done)).toBe(false);
    expect(withStages(done, volume)).toBe(done);
  });

  test('are opened on a claim that was there before', () => {
    expect(withStages({}, asking([entry('a')]))).toMatchObject({ [`${prefix}checkpoint.current`]: 'a' });
    expect(withStages({}, asking([]))).toEqual({});
  });

  test('come to an end for any list of different entries whose last one is final, after each has been copied once', () => {
    const ids = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9-]{0,8}[a-z0-9]$/), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(ids, (names) => {
        const volume = asking(
          names.map((current, index) => entry(current, names[index - 1] ?? '')),
          true,
        );
        let annotations = firstStage(volume);
        const served: (string | undefined)[] = [];
        for (let pod = 0; isStaged(annotations) && pod <= names.length; pod += 1) {
          served.push(annotations[`${prefix}checkpoint.current`]);
          annotations = afterStage(copiedBy(annotations, `uid-${pod}`), volume);
          if (annotations[`${prefix}pod.phase`] === 'Succeeded')
            annotations = afterStage(annotations, volume);
        }
        expect(served).toEqual(names);
        expect(isStaged(annotations)).toBe(false);
      }),
    );
  });
});

describe('a pod’s name', () => {
  const claimNamed = (name: string, annotations: Annotations = {}) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: ns, annotations },
    spec: {},
  });

  test('holds the checkpoint', () => {
    const claim = claimNamed('disk-0', { [`${prefix}checkpoint.current`]: 'snapshot-1' });
    expect(importerPodName(claim)).toBe('importer-disk-0-checkpoint-snapshot-1');
  });

  test('is a mere hash when it would be longer than 253 characters', () => {
    const long = importerPodName(claimNamed('d'.repeat(245)));
    expect(long).toMatch(/^importer-[0-9a-f]{8}$/);
    expect(importerPodName(claimNamed(`${'d'.repeat(244)}e`))).not.toBe(long);
    expect(importerPodName(claimNamed('d'.repeat(244)))).toHaveLength(253);
  });
});
