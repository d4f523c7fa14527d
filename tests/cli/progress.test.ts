import { describe, expect, test } from '@jest/globals';
import { progressOf, type VmProgress } from '../../src/cli/import-progress.ts';
import { progressTable, runSummary } from '../../src/cli/progress-table.ts';
import { LiveBlock } from '../../src/cli/screen.ts';
import { renderTable } from '../../src/cli/table.ts';
import { textWidth } from '../../src/cli/text-width.ts';
import { Transitions } from '../../src/cli/transitions.ts';
import type { VirtualMachineImport } from '../../src/api/virtual-machine-import.ts';

const mebibyte = 1_048_576;
const now = Date.UTC(2026, 0, 2, 3, 4, 10);

function vm(name: string, fields: Partial<VmProgress> = {}): VmProgress {
  return { name, phase: 'Pending', step: '', waitsFor: '', doneBytes: 0, totalBytes: 0, ...fields };
}
const copying = vm('web-01', {
  phase: 'CopyDisks',
  step: 'DiskTransfer',
  waitsFor: 'the disks to be copied',
  waitsSince: now - 4000,
  doneBytes: 461 * mebibyte,
  totalBytes: 1024 * mebibyte,
  bytesPerSecond: 95 * mebibyte,
  secondsLeft: 5.9,
});

describe('a table', () => {
  test('columns stand under each other, numbers to the right, and no line ends in spaces', () => {
    const lines = renderTable(
      [{ title: 'NAME' }, { title: 'N', align: 'right' }, { title: 'NOTE' }],
      [
        ['a', '10', ''],
        ['long', '5', 'x'],
      ],
    );
    expect(lines).toEqual(['NAME   N  NOTE', 'a     10', 'long   5  x']);
  });

  test('the last column that may be cut gives way first, and no line is wider than the screen', () => {
    const lines = renderTable(
      [
        { title: 'A', least: 3 },
        { title: 'B', least: 4 },
      ],
      [['aaaaaa', 'bbbbbbbb']],
      12,
    );
    expect(lines[1]).toBe('aaaaaa  bbb…');
    const narrow = renderTable(
      [
        { title: 'A', least: 3 },
        { title: 'B', least: 4 },
      ],
      [['aaaaaa', 'bbbbbbbb']],
      5,
    );
    expect(narrow.every((line) => textWidth(line) <= 5)).toBe(true);
  });
});

describe('the progress of a run', () => {
  test('a line tells phase, step, what is waited for, how much is done, how fast and how long still', () => {
    const [titles, line] = progressTable([copying], { now, width: 160, height: 10 });
    expect(titles?.text).toMatch(/^NAME +PHASE +STEP +WAITS FOR +DONE +BYTES +RATE +LEFT$/);
    expect(line?.text).toMatch(
      /^web-01 +CopyDisks +DiskTransfer +the disks to be copied, 4 s +45% +461 MiB of 1\.0 GiB +95 MiB\/s +5 s$/,
    );
  });

  test.each([60, 80, 100, 120, 150])(
    'on %d columns no line is wider, and name and phase are there',
    (width) => {
      const lines = progressTable([copying, vm('Windows Server 2022')], { now, width, height: 10 });
      expect(lines.every(({ text }) => textWidth(text) <= width)).toBe(true);
      expect(lines[1]?.text).toMatch(/^web-01 +CopyDisks/);
    },
  );

  test('a table stays where it is while its VMs go on', () => {
    const at = (state: VmProgress) => progressTable([state], { now, width: 160, height: 10 })[0]?.text;
    expect(at(vm('web-01'))).toBe(at(copying));
  });

  test('of many VMs those that move are shown, and the others are counted', () => {
    const vms = [
      ...Array.from({ length: 50 }, (_, index) => vm(`done-${index}`, { outcome: 'Succeeded' })),
      { ...copying, name: 'moving' },
      vm('failed', { outcome: 'Failed', waitsFor: 'no space' }),
      ...Array.from({ length: 50 }, (_, index) => vm(`later-${index}`)),
    ];
    const lines = progressTable(vms, { now, width: 120, height: 6 }).map(({ text }) => text);
    expect(lines).toHaveLength(6);
    expect(lines[1]).toMatch(/^moving/);
    expect(lines[2]).toMatch(/^failed +Failed +no space/);
    expect(lines.at(-1)).toBe('and 98 more VMs: 48 to begin, 50 done');
    expect(runSummary(vms)).toBe('50 of 102 VMs moved, 1 failed, 461 MiB of 1.0 GiB copied');
  });

  test('what an import waits for is told without times and without the amounts that have columns', () => {
    const object = {
      spec: {
        disks: [
          { mode: 'copy', sizeBytes: 100 },
          { mode: 'skip', sizeBytes: 7 },
        ],
      },
      status: {
        phase: 'CopyDisks',
        phaseSince: '2026-01-02T03:04:05Z',
        waitingFor: 'DiskTransfer',
        message:
          'Waiting for the disks to be copied: 10 B of 100 B copied (no node fits) since 2026-01-02T03:04:05Z, until 2026-01-02T04:04:05Z.',
        disks: [{ state: 'copying', doneBytes: 10, rateBytesPerSecond: 30 }],
      },
    } as unknown as VirtualMachineImport;
    expect(progressOf('web-01', object)).toMatchObject({
      waitsFor: 'the disks to be copied (no node fits)',
      doneBytes: 10,
      totalBytes: 100,
      secondsLeft: 3,
    });
    expect(progressOf('web-01', undefined)).toMatchObject({ phase: 'Pending', totalBytes: 0 });
  });
});

describe('where nothing can be drawn in place', () => {
  test('each change is one line without control characters, and no change is no line', () => {
    const transitions = new Transitions(['web-01', 'x\u001b']);
    expect(transitions.next([vm('web-01')], 0)).toEqual(['     0.0 s  web-01  Pending']);
    expect(transitions.next([vm('web-01')], 500)).toEqual([]);
    expect(transitions.next([copying], 1200)).toEqual([
      '     1.2 s  web-01  CopyDisks 45%: waits for the disks to be copied',
    ]);
    expect(transitions.next([{ ...copying, doneBytes: 470 * mebibyte }], 1300)).toEqual([]);
    expect(
      transitions.next([vm('web-01', { outcome: 'Failed', waitsFor: 'no\u001bspace' })], 12_000),
    ).toEqual(['      12 s  web-01  Failed: no?space']);
  });
});

describe('a block that is drawn again', () => {
  const screen = (columns = 80) => {
    const written: string[] = [];
    const output = { isTTY: true, columns, rows: 24, write: (text: string) => written.push(text) };
    return { output, written };
  };

  test('begins where it began, overwrites each line, and says nothing when nothing has changed', () => {
    const { output, written } = screen();
    const block = new LiveBlock(output, { withColours: false });
    block.draw([{ text: 'one' }, { text: 'two' }]);
    block.draw([{ text: 'one' }, { text: 'two' }]);
    block.draw([{ text: 'three' }]);
    expect(written).toHaveLength(2);
    expect(written[1]).toContain('\u001b[2A\rthree\u001b[K\n\u001b[J');
  });

  test('goes up by the lines into which a narrower terminal has wrapped it', () => {
    const { output, written } = screen();
    const block = new LiveBlock(output, { withColours: false });
    block.draw([{ text: 'x'.repeat(70) }]);
    output.columns = 20;
    block.draw([{ text: 'y' }]);
    expect(written[1]).toContain('\u001b[4A\r');
  });

  test('gives the cursor back, and what is printed stays above', () => {
    const { output, written } = screen();
    const block = new LiveBlock(output, { withColours: true });
    block.draw([{ text: 'busy' }]);
    block.print([{ text: 'stays', tone: 'good' }]);
    block.draw([{ text: 'busy' }]);
    block.close();
    expect(written.join('')).toContain('\u001b[1A\r\u001b[32mstays\u001b[0m');
    expect(written.at(-1)).toBe('\u001b[?25h');
  });
});

describe('a warm VM', () => {
  const rounds = (kind: 'initial' | 'next' | 'final', n: number, copiedAt?: string) => ({
    spec: { disks: [{ mode: 'copy', sizeBytes: 100 * mebibyte }] },
    status: {
      phase: 'CopyDisks',
      disks: [{ doneBytes: 20 * mebibyte, state: 'copying', rateBytesPerSecond: mebibyte }],
      records: { rounds: [{ n, kind, ...(copiedAt !== undefined && { copiedAt }) }] },
    },
  });
  const progress = (object: ReturnType<typeof rounds>): VmProgress =>
    progressOf('web-01', object as unknown as VirtualMachineImport);

  test('has bytes to copy in its first round, and is copied from then on, round after round', () => {
    expect(progress(rounds('initial', 1))).toMatchObject({
      round: 1,
      doneBytes: 20 * mebibyte,
      secondsLeft: 80,
    });
    const second = progress(rounds('next', 2));
    expect(second).toMatchObject({ round: 2, doneBytes: 100 * mebibyte });
    expect(second.secondsLeft).toBeUndefined();
  });

  test('shows its round in a column that is there for warm VMs only', () => {
    const view = { now, width: 140, height: 10 };
    const lines = progressTable([copying, vm('web-02', { phase: 'CopyDisks', round: 3 })], view);
    expect(lines[0]?.text).toMatch(/PHASE +ROUND/);
    expect(lines[2]?.text).toMatch(/CopyDisks +3/);
    const last = progressTable([vm('web-02', { phase: 'Finalize', round: 4, isFinalRound: true })], view);
    expect(last[1]?.text).toMatch(/Finalize +last/);
    expect(progressTable([copying], view)[0]?.text).not.toContain('ROUND');
  });

  test('is told of once for each round where nothing can be drawn', () => {
    const transitions = new Transitions(['web-01']);
    const at = (round: number) => transitions.next([vm('web-01', { phase: 'CopyDisks', round })], 0);
    expect(at(2)).toEqual([expect.stringContaining('CopyDisks, round 2')]);
    expect(at(2)).toEqual([]);
    expect(at(3)).toEqual([expect.stringContaining('CopyDisks, round 3')]);
  });
});
