import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { crdFiles, differences } from '../../hack/crds/crd-files.ts';
import { customResourceDefinition } from '../../src/api/custom-resource-definition.ts';
import { definitions } from '../../src/api/definitions.ts';
import { virtualMachineImports } from '../../src/api/kinds.ts';
import { resourceName } from '../../src/api/meta.ts';
import { nodes, type SchemaNode } from './schema-walk.ts';

const folder = join(import.meta.dirname, '..', '..', 'manifests', 'crds');

const crds = definitions.map((definition) => ({
  name: resourceName(definition.kind),
  crd: customResourceDefinition(definition),
}));

function rootOf(name: string): SchemaNode {
  const found = crds.find((entry) => entry.name === name);
  if (found === undefined) throw new Error(`no CRD ${name}`);
  return found.crd.spec.versions[0]!.schema!.openAPIV3Schema as SchemaNode;
}

/** What an API server takes in a structural schema, as far as it is used here. */
const structuralKeywords = new Set([
  'type',
  'description',
  'properties',
  'required',
  'items',
  'additionalProperties',
  'enum',
  'format',
  'default',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'maxProperties',
  'x-kubernetes-map-type',
  'x-kubernetes-list-type',
  'x-kubernetes-validations',
]);

describe('a generated CRD', () => {
  test.each(crds)(
    '$name is a structural schema: each node has a type and only known keywords',
    ({ name }) => {
      for (const [path, node] of nodes(rootOf(name))) {
        expect([path, node.type]).toEqual([path, expect.any(String)]);
        expect([path, Object.keys(node).filter((keyword) => !structuralKeywords.has(keyword))]).toEqual([
          path,
          [],
        ]);
        expect([path, node.properties !== undefined && node.additionalProperties !== undefined]).toEqual([
          path,
          false,
        ]);
      }
    },
  );

  test.each(crds)('$name keeps metadata open and lists no column without a place', ({ crd, name }) => {
    expect(rootOf(name).properties?.['metadata']).toEqual({ type: 'object' });
    for (const { jsonPath } of crd.spec.versions[0]!.additionalPrinterColumns ?? []) {
      const path = jsonPath.replace(/\[\?.*?\]/, '[]');
      const known = new Set([...nodes(rootOf(name))].map(([place]) => place));
      expect(known.has(path) || path === '.metadata.creationTimestamp' ? '' : path).toBe('');
    }
  });

  test('is what lies in manifests/crds', () => {
    const existing = new Map(
      readdirSync(folder).map((file): [string, string] => [file, readFileSync(join(folder, file), 'utf8')]),
    );
    expect(differences(crdFiles(), existing)).toEqual([]);
  });

  test('that is missing, changed or left over is named', () => {
    const wanted = new Map([
      ['same', 'x'],
      ['changed', 'x'],
      ['missing', 'x'],
    ]);
    const existing = new Map([
      ['same', 'x'],
      ['changed', 'y'],
      ['surplus', 'x'],
    ]);
    expect(differences(wanted, existing)).toEqual(['changed', 'missing', 'surplus']);
  });
});

describe('the CRD of an import', () => {
  const spec = rootOf(resourceName(virtualMachineImports)).properties!['spec']!;

  // Without a bound a real API server refuses `self == oldSelf` for what it might cost.
  test('bounds every string, list and map of its spec', () => {
    const bound: Readonly<Record<string, string>> = { string: 'maxLength', array: 'maxItems' };
    const open = [...nodes(spec)].filter(([, node]) => {
      if (node['enum'] !== undefined) return false;
      const keyword = node.additionalProperties === undefined ? bound[node.type ?? ''] : 'maxProperties';
      return keyword !== undefined && typeof node[keyword] !== 'number';
    });
    expect(open.map(([path]) => path)).toEqual([]);
  });

  test('freezes every field of its spec but control', () => {
    const rules = Object.fromEntries(
      Object.entries(spec.properties!).map(([name, node]) => [
        name,
        (node['x-kubernetes-validations'] as readonly { rule: string }[] | undefined)?.map(
          ({ rule }) => rule,
        ),
      ]),
    );
    const { control, ...frozen } = rules;
    expect(control).toBeUndefined();
    expect(new Set(Object.values(frozen).map((list) => list?.join()))).toEqual(new Set(['self == oldSelf']));
    expect(Object.keys(frozen)).toEqual(expect.arrayContaining(['run', 'vm', 'model', 'disks', 'policies']));
  });

  // The server skips a rule on a field that one of the two objects does not have.
  test('lets no optional field but control be added or removed later', () => {
    const rules = (spec['x-kubernetes-validations'] as readonly { rule: string }[]).map(({ rule }) => rule);
    const required = spec['required'] as readonly string[];
    const optional = Object.keys(spec.properties!).filter(
      (name) => !required.includes(name) && name !== 'control',
    );
    expect(optional).not.toEqual([]);
    for (const name of optional) expect(rules).toContain(`has(self.${name}) == has(oldSelf.${name})`);
  });

  test('has its short name, its category, a status of its own and a required spec', () => {
    const { crd } = crds.find(({ name }) => name === resourceName(virtualMachineImports))!;
    expect(crd.spec.names).toMatchObject({ shortNames: ['vmimport'], categories: ['gantry'] });
    expect(crd.spec.versions[0]!.subresources).toEqual({ status: {} });
    expect(rootOf(resourceName(virtualMachineImports))['required']).toEqual(['spec']);
  });
});
