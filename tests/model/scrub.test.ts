import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { scrubber } from '../../src/model/scrub.ts';

const password = fc.string({ minLength: 8, maxLength: 40, unit: 'binary' });

describe('a scrubber', () => {
  test('takes a secret out of whatever base64 it was packed into', () => {
    fc.assert(
      fc.property(password, fc.uint8Array(), fc.uint8Array(), (value, before, after) => {
        const packed = Buffer.concat([before, Buffer.from(value), after]);
        const scrub = scrubber([value]);
        for (const encoding of ['base64', 'base64url'] as const) {
          const scrubbed = scrub(`Basic ${packed.toString(encoding)}`);
          expect(scrubbed).toContain('***');
        }
      }),
    );
  });

  test('takes it out as it is, as in a URL and as in JSON', () => {
    const scrub = scrubber(['p&ss "wörd"']);
    const text = ['p&ss "wörd"', 'p%26ss%20%22w%C3%B6rd%22', JSON.stringify('p&ss "wörd"')].join(' | ');
    expect(scrub(text)).toBe('*** | *** | "***"');
  });

  test('leaves a text without secrets alone, whatever short values there are', () => {
    const text = 'VM web-01 (vm-12) is not at this vCenter: YWJj.';
    expect(scrubber(['abc', 'sandbox-password'])(text)).toBe(text);
  });
});
