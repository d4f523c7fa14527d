import { describe, expect, test } from '@jest/globals';
import { count, formatBytes, formatDuration, formatElapsed, formatPercent } from '../../src/cli/format.ts';
import { clipText, printable, textWidth } from '../../src/cli/text-width.ts';

const mebibyte = 1_048_576;

describe('amounts', () => {
  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1.5 * mebibyte, '1.5 MiB'],
    [256 * mebibyte, '256 MiB'],
    [1023.7 * 1024, '1.0 MiB'],
    [1024 * mebibyte, '1.0 GiB'],
    [-5, '0 B'],
  ])('%d bytes are shown as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  test.each([
    [0, '0.0 s'],
    [940, '0.9 s'],
    [9949, '9.9 s'],
    [9950, '10 s'],
    [59_600, '1 min 00 s'],
    [200_000, '3 min 20 s'],
    [7_500_000, '2 h 05 min'],
    [86_400_000 + 4 * 3_600_000, '1 d 04 h'],
  ])('%d ms are shown as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test('what runs on a screen changes once a second', () => {
    expect([0, 999, 1000, 59_999, 61_000].map((ms) => formatElapsed(ms))).toEqual([
      '0 s',
      '0 s',
      '1 s',
      '59 s',
      '1 min 01 s',
    ]);
  });

  test('100% is said only when all is done', () => {
    expect(formatPercent(999_999, 1_000_000)).toBe('99%');
    expect(formatPercent(1_000_000, 1_000_000)).toBe('100%');
    expect(formatPercent(0, 0)).toBe('');
  });

  test('one thing has no plural', () => {
    expect([count(1, 'disk'), count(5, 'disk')]).toEqual(['1 disk', '5 disks']);
  });
});

describe('text on a terminal', () => {
  test('a name cannot move the cursor or turn the direction of a line', () => {
    expect(printable('a\u001b[2Jb\nc\u202ed')).toBe('a?[2Jb?c?d');
  });

  test('wide signs take two cells, combining marks none', () => {
    expect(textWidth('漢字')).toBe(4);
    expect(textWidth('e\u0301')).toBe(1);
  });

  test('a clipped text fits', () => {
    expect(clipText('Windows Server 2022', 8)).toBe('Windows…');
    expect(clipText('漢字漢字', 4)).toBe('漢…');
    expect(clipText('short', 5)).toBe('short');
    expect(clipText('short', 0)).toBe('');
  });
});
