import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createFileDiskStore } from '../../../src/sandbox/disk-file.ts';
import { DiskHistory, type FrozenDisk } from '../../../src/sandbox/disk-history.ts';
import { createMemoryDiskStore } from '../../../src/sandbox/disk-memory.ts';
import type { DiskStore, Extent } from '../../../src/sandbox/disk-store.ts';

const block = 65_536;
const folder = mkdtempSync(join(tmpdir(), 'disk-history-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let stores = 0;

const kinds: readonly { readonly name: string; readonly make: () => DiskStore }[] = [
  { name: 'in memory', make: createMemoryDiskStore },
  { name: 'in files', make: () => createFileDiskStore(join(folder, String((stores += 1)))) },
];

type Step =
  | { readonly do: 'write'; readonly at: number; readonly length: number; readonly fill: number }
  | { readonly do: 'freeze' }
  | { readonly do: 'release' | 'restore'; readonly which: number };

const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('write' as const),
        at: fc.nat(),
        length: fc.nat(90_000),
        fill: fc.nat(3),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('freeze' as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constantFrom('release' as const, 'restore' as const), which: fc.nat() }),
    },
  ),
  { maxLength: 14 },
);

function covers(extents: readonly Extent[], offset: number): boolean {
  return extents.some((extent) => offset >= extent.offset && offset < extent.offset + extent.length);
}

/** Every byte that differs lies in an area that is reported as changed. */
function neverUnderReports(
  history: DiskHistory,
  then: Uint8Array,
  now: Uint8Array,
  generation: number,
): void {
  const changed = history.changedSince(generation);
  for (let offset = 0; offset < now.length; offset += 1) {
    if (then[offset] !== now[offset] && !covers(changed, offset))
      throw new Error(`${offset} is not reported`);
  }
}

interface Kept {
  readonly view: FrozenDisk;
  readonly bytes: Uint8Array;
}

function takeStep(history: DiskHistory, model: Uint8Array, views: Kept[], step: Step, name: string): void {
  if (step.do === 'write') {
    const offset = step.at % model.length;
    const bytes = new Uint8Array(Math.min(step.length, model.length - offset)).fill(step.fill);
    history.write(offset, bytes);
    model.set(bytes, offset);
  } else if (step.do === 'freeze') {
    views.push({ view: history.freeze(name), bytes: model.slice() });
  } else {
    const at = views.length === 0 ? 0 : step.which % views.length;
    const kept = views[at];
    if (kept === undefined) return;
    if (step.do === 'release') {
      history.release(kept.view);
      views.splice(at, 1);
    } else {
      history.restore(kept.view);
      model.set(kept.bytes);
    }
  }
}

describe.each(kinds)('the history of a disk $name', ({ make }) => {
  test('views hold what the disk held, whatever is written, released or restored later, and changes are never missed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 * block + 9 }), steps, (size, taken) => {
        using store = make();
        const history = new DiskHistory(store, store.create('a', size));
        const model = new Uint8Array(size);
        const views: Kept[] = [];
        for (const [index, step] of taken.entries()) takeStep(history, model, views, step, `s${index}`);
        expect(Buffer.compare(history.read(0, size), model)).toBe(0);
        for (const { view, bytes } of views) {
          expect(Buffer.compare(view.read(0, size), bytes)).toBe(0);
          neverUnderReports(history, bytes, model, view.generation);
          const covered = new Uint8Array(size);
          for (const { offset, length } of view.extents())
            covered.set(bytes.subarray(offset, offset + length), offset);
          expect(Buffer.compare(covered, bytes)).toBe(0);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('changes are told between any two views, in whole blocks', () => {
    using store = make();
    const history = new DiskHistory(store, store.create('a', 4 * block + 10));
    history.write(0, Uint8Array.of(1));
    const first = history.freeze('first');
    history.write(block + 5, Uint8Array.of(2));
    history.write(4 * block, Uint8Array.of(2));
    const second = history.freeze('second');
    history.write(2 * block, Uint8Array.of(3));
    expect(history.changedSince(first.generation, second.generation)).toEqual([
      { offset: block, length: block },
      { offset: 4 * block, length: 10 },
    ]);
    expect(history.changedSince(second.generation)).toEqual([{ offset: 2 * block, length: block }]);
    expect(history.changedSince(0, first.generation)).toEqual([{ offset: 0, length: block }]);
  });

  test('a view costs nothing until the disk is written, and leaves nothing behind', () => {
    using store = make();
    const history = new DiskHistory(store, store.create('a', 8 * block));
    history.write(0, new Uint8Array(8 * block).fill(1));
    const view = history.freeze('view');
    expect(store.ids).toEqual(['a']);
    history.write(3 * block, Uint8Array.of(9));
    expect(store.ids).toEqual(['a', 'frozen/view/a']);
    expect(store.get('frozen/view/a')?.extents()).toEqual([{ offset: 3 * block, length: block }]);
    history.release(view);
    expect(store.ids).toEqual(['a']);
  });

  test('a disk grows with its bytes, but not under a view', async () => {
    using store = make();
    const history = new DiskHistory(store, store.create('a', block));
    history.write(7, Uint8Array.of(1));
    const view = history.freeze('view');
    expect(() => history.grow(2 * block)).toThrow(RangeError);
    history.release(view);
    history.grow(2 * block);
    expect(() => history.grow(block)).toThrow(RangeError);
    expect(history.sizeBytes).toBe(2 * block);
    expect(history.read(7, 1)).toEqual(Uint8Array.of(1));
    expect(history.read(block, block)).toEqual(new Uint8Array(block));
    history.write(2 * block - 1, Uint8Array.of(5));
    expect(await history.sha256()).toHaveLength(64);
    history.remove();
    expect(store.ids).toEqual([]);
  });
});

test('a view in files is one more sparse file, which is gone with the disk', async () => {
  const directory = join(folder, 'views');
  using store = createFileDiskStore(directory);
  const history = new DiskHistory(store, store.create('a', 4 * block));
  const view = history.freeze('view');
  history.write(0, Uint8Array.of(1));
  expect(readdirSync(directory)).toHaveLength(2);
  expect(await view.sha256()).not.toBe(await history.sha256());
  history.remove();
  expect(readdirSync(directory)).toEqual([]);
});
