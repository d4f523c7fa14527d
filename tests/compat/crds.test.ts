import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import type { CustomResourceDefinition } from '../../src/api/external/core.ts';
import { goldenPaths, schemaPaths, type FieldFacts, type SchemaNode } from './field-paths.ts';
import { forkliftKinds, type ForkliftKind } from './forklift-fields.ts';

const folder = join(import.meta.dirname, '..', '..', 'manifests', 'crds');

function generated(plural: string): CustomResourceDefinition {
  return parse(
    readFileSync(join(folder, `forklift.konveyor.io_${plural}.yaml`), 'utf8'),
  ) as CustomResourceDefinition;
}

function onlyVersion(crd: CustomResourceDefinition) {
  const [version, ...more] = crd.spec.versions;
  if (version === undefined || more.length > 0)
    throw new Error(`${crd.metadata.name}: not exactly one version`);
  return version;
}

function root(crd: CustomResourceDefinition): SchemaNode {
  return onlyVersion(crd).schema?.openAPIV3Schema as SchemaNode;
}

function ours(kind: ForkliftKind): Map<string, FieldFacts> {
  const { properties = {} } = root(generated(kind.plural));
  return new Map([
    ...schemaPaths(properties['spec'] ?? {}, 'spec'),
    ...schemaPaths(properties['status'] ?? {}, 'status'),
  ]);
}

function theirs(kind: ForkliftKind): Map<string, FieldFacts> {
  return new Map([...goldenPaths(kind.spec, 'spec'), ...goldenPaths(kind.status, 'status')]);
}

describe.each(forkliftKinds)('the $kind that is shipped', (kind) => {
  test('has every field of Forklift with the same type, format, enum, default, bounds and list of required', () => {
    const here = ours(kind);
    const wanted = Object.fromEntries(theirs(kind));
    const found = Object.fromEntries(Object.keys(wanted).map((path) => [path, here.get(path)]));
    expect(found).toEqual(wanted);
  });

  test('asks for nothing more than Forklift does', () => {
    const known = theirs(kind);
    const added = [...ours(kind)].filter(([path]) => !known.has(path));
    expect(added.filter(([, facts]) => facts['required'] === true || 'default' in facts)).toEqual([]);
  });

  test('has the names, scope, version, columns and subresource of Forklift, and an optional spec', () => {
    const crd = generated(kind.plural);
    const version = onlyVersion(crd);
    expect(crd.metadata.name).toBe(`${kind.plural}.forklift.konveyor.io`);
    expect(crd.spec).toMatchObject({ group: 'forklift.konveyor.io', scope: 'Namespaced' });
    expect(crd.spec.names).toEqual({
      kind: kind.kind,
      listKind: `${kind.kind}List`,
      plural: kind.plural,
      singular: kind.kind.toLowerCase(),
    });
    expect(version).toMatchObject({ name: 'v1beta1', served: true, storage: true });
    expect(version.subresources).toEqual({ status: {} });
    expect(
      version.additionalPrinterColumns?.map(({ name, jsonPath, type }) => [name, jsonPath, type]),
    ).toEqual(kind.columns);
    expect(root(crd).required).toBeUndefined();
  });
});
