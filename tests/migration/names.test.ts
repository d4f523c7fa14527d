import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { labelValue } from '../../src/api/label-value.ts';
import {
  claimNames,
  diskLabelValue,
  dnsLabel,
  importName,
  isDnsLabel,
  isDnsSubdomain,
  markerName,
  targetNames,
} from '../../src/migration/names.ts';

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 120 }),
  fc.stringMatching(/^[A-Za-z0-9 ._+*/\\-]{0,300}$/),
);
const names = (name: string, vm = 'vm-1') =>
  targetNames({ run: { migration: { uid: 'm' } }, vm: { id: vm, name }, target: {} });

describe('names of a target VM', () => {
  test.each([
    ['web-01', 'web-01'],
    ['Web Server_01 (new)', 'web-server-01-new'],
    ['a+b*c/d\\e', 'a-b-c-d-e'],
    ['..web...example.com.', 'web.example.com'],
    ['-web-.-x-', 'web.x'],
    ['db__1', 'db-1'],
    ['Größe', 'gre'],
    ['x'.repeat(500), 'x'.repeat(63)],
    [`${'x'.repeat(62)}.y`, 'x'.repeat(62)],
  ])('%s becomes %s', (name, expected) => {
    expect(names(name)[0]).toBe(expected);
  });

  test('are always valid and of at most 63 characters, the second one differing from the first', () => {
    fc.assert(
      fc.property(anyText, (name) => {
        const [first, second] = names(name);
        for (const candidate of [first, second ?? '']) {
          expect(isDnsSubdomain(candidate)).toBe(true);
          expect(candidate.length).toBeLessThanOrEqual(63);
        }
        expect(second).not.toBe(first);
        expect(names(name)).toEqual([first, second]);
      }),
    );
  });

  test('of two VMs that are called alike have different second names', () => {
    expect(names('web', 'vm-1')[1]).not.toBe(names('web', 'vm-2')[1]);
    expect(names('???', 'vm-1')[0]).not.toBe(names('???', 'vm-2')[0]);
  });

  test('that the user chose stand alone, as they are', () => {
    const target = { namePreferred: 'My.Choice' };
    expect(targetNames({ run: { migration: { uid: 'm' } }, vm: { id: 'v', name: 'web' }, target })).toEqual([
      'My.Choice',
    ]);
  });
});

describe('names of imports', () => {
  test('are readable', () => {
    expect(importName('plan-a', 'Web 01', 'm', 'vm-1')).toMatch(/^plan-a-web-01-[0-9a-f]{8}$/);
  });

  test('are DNS labels, the same each time, and others for another run or VM', () => {
    fc.assert(
      fc.property(anyText, anyText, anyText, (plan, vm, uid) => {
        const name = importName(plan, vm, uid, 'vm-1');
        expect(isDnsLabel(name)).toBe(true);
        expect(importName(plan, vm, uid, 'vm-1')).toBe(name);
        expect(importName(plan, vm, `${uid}x`, 'vm-1')).not.toBe(name);
        expect(importName(plan, vm, uid, 'vm-2')).not.toBe(name);
      }),
    );
  });
});

describe('names of claims', () => {
  const run = { exact: false, migrationUid: 'm', vmId: 'vm-1' };

  test('are valid, repeatable and distinct for distinct disks, also of one template output', () => {
    const keys = fc.uniqueArray(anyText, { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(keys, fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/), (diskKeys, base) => {
        const disks = diskKeys.map((diskKey) => ({ base, diskKey }));
        const made = claimNames(disks, run);
        expect(made.filter((name) => !isDnsLabel(name))).toEqual([]);
        expect(new Set(made).size).toBe(disks.length);
        expect(claimNames(disks, run)).toEqual(made);
      }),
    );
  });

  test('differ from one run to the next, so that a retry meets no claim of the run before', () => {
    const disks = [{ base: 'disk', diskKey: '2000' }];
    expect(claimNames(disks, run)).not.toEqual(claimNames(disks, { ...run, migrationUid: 'm2' }));
  });

  test('are exactly what the template gives when the plan says so', () => {
    expect(claimNames([{ base: 'my-disk', diskKey: '2000' }], { ...run, exact: true })).toEqual(['my-disk']);
  });
});

describe('label values and markers', () => {
  test('a label value is valid, the text itself where that is valid, and no other text’s', () => {
    const value = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
    fc.assert(
      fc.property(anyText, anyText, (text, other) => {
        const label = labelValue(text);
        expect(label.length).toBeLessThanOrEqual(63);
        expect(label).toMatch(value);
        if (text.length <= 63 && value.test(text)) expect(label).toBe(text);
        if (text !== other) expect(labelValue(other)).not.toBe(label);
      }),
    );
  });

  test('the label of a disk is its key where it can be', () => {
    expect(diskLabelValue('2000')).toBe('2000');
    expect(diskLabelValue('[store] web/web.vmdk')).toMatch(/^store-web-web\.vmdk-[0-9a-f]{8}$/);
  });

  test('a marker tells import and number', () => {
    expect(markerName('uid-1', 2)).toMatch(/^gantry-[0-9a-f]{8}-2$/);
    expect(markerName('uid-1', 2)).not.toBe(markerName('uid-2', 2));
  });

  test('any text becomes a DNS label or nothing', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 63 }), (text, length) => {
        const label = dnsLabel(text, length);
        expect(label === '' || (isDnsLabel(label) && label.length <= length)).toBe(true);
      }),
    );
  });
});
