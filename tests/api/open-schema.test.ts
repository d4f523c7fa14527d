import { describe, expect, test } from '@jest/globals';
import { Compile } from 'typebox/compile';
import { unbounded } from '../../src/api/open-schema.ts';
import { list, mapOf, object, optional, text } from '../../src/model/schema.ts';

describe('a schema without its bounds', () => {
  const schema = object({
    name: text(2, { minLength: 1 }),
    words: optional(list(text(2), 1)),
    maxLength: optional(mapOf(text(2), 1)),
  });

  test('takes longer strings, lists and maps, and keeps everything else', () => {
    const open = Compile(unbounded(schema));
    expect(open.Check({ name: 'long', words: ['long', 'long'], maxLength: { a: 'long', b: 'long' } })).toBe(
      true,
    );
    expect(open.Check({ name: '' })).toBe(false);
    expect(open.Check({})).toBe(false);
    expect(open.Check({ name: 'long', maxLength: { a: 1 } })).toBe(false);
  });

  test('leaves the schema that it was made from alone', () => {
    expect(Compile(schema).Check({ name: 'long' })).toBe(false);
  });
});
