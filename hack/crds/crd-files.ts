import { stringify } from 'yaml';
import { customResourceDefinition } from '../../src/api/custom-resource-definition.ts';
import { definitions } from '../../src/api/definitions.ts';

const header = '# Generated from the schemas in src/api by `npm run generate`; not to be edited by hand.\n';

/** kubectl still reads YAML 1.1, where a bare on, off, y or n is a boolean: such words must be quoted. */
const format = { version: '1.1', lineWidth: 120, aliasDuplicateObjects: false } as const;

/** File name and content of each CRD manifest; the same input always gives the same bytes. */
export function crdFiles(): ReadonlyMap<string, string> {
  return new Map(
    definitions.map((definition) => {
      const crd = customResourceDefinition(definition);
      const name = `${definition.kind.group}_${definition.kind.plural}.yaml`;
      return [name, header + stringify(crd, format)];
    }),
  );
}

/** Names of the files that a folder lacks, has wrong, or should not have. `existing` is its content by name. */
export function differences(
  wanted: ReadonlyMap<string, string>,
  existing: ReadonlyMap<string, string>,
): readonly string[] {
  const changed = [...wanted]
    .filter(([name, content]) => existing.get(name) !== content)
    .map(([name]) => name);
  const surplus = [...existing.keys()].filter((name) => !wanted.has(name));
  return [...changed, ...surplus].sort();
}
