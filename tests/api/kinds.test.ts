import { describe, expect, test } from '@jest/globals';
import { definitions } from '../../src/api/definitions.ts';
import * as kinds from '../../src/api/kinds.ts';
import { apiVersionOf, resourceName } from '../../src/api/meta.ts';

describe('the table of kinds', () => {
  test('holds each exported kind once', () => {
    const exported = Object.values(kinds).filter(
      (value): value is (typeof kinds.allKinds)[number] => typeof value === 'object' && 'plural' in value,
    );
    expect(new Set(kinds.allKinds)).toEqual(new Set(exported));
    expect(kinds.allKinds).toHaveLength(exported.length);
  });

  test('has no two kinds of one name or one place', () => {
    expect(new Set(kinds.allKinds.map(resourceName)).size).toBe(kinds.allKinds.length);
    expect(new Set(kinds.allKinds.map((kind) => `${apiVersionOf(kind)} ${kind.kind}`)).size).toBe(
      kinds.allKinds.length,
    );
  });

  test('defines exactly the kinds that are called its own', () => {
    expect(definitions.map(({ kind }) => kind)).toEqual(kinds.ownKinds);
  });
});
