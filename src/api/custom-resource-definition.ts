import type { CelRule, KindDefinition } from './definitions.ts';
import type { CustomResourceDefinition } from './external/core.ts';
import { resourceName } from './meta.ts';

/** A node of a schema while it is built; TypeBox schemas are JSON Schema already and need no translation beyond a plain copy. */
type Node = Record<string, unknown> & {
  properties?: Record<string, Node>;
  required?: string[];
};

/**
 * The CustomResourceDefinition of one kind, complete and ready to be applied. Pure: the same object that `npm run generate` writes to
 * manifests/crds.
 */
export function customResourceDefinition(definition: KindDefinition): CustomResourceDefinition {
  const { kind, columns, shortNames, categories } = definition;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: resourceName(kind) },
    spec: {
      group: kind.group,
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.kind.toLowerCase(),
        ...(shortNames === undefined ? {} : { shortNames }),
        ...(categories === undefined ? {} : { categories }),
      },
      scope: kind.namespaced ? 'Namespaced' : 'Cluster',
      versions: [
        {
          name: kind.version,
          served: true,
          storage: true,
          additionalPrinterColumns: columns,
          subresources: { status: {} },
          schema: { openAPIV3Schema: openApiSchema(definition) },
        },
      ],
    },
  };
}

/** The root schema: apiVersion, kind and metadata stay open, since the API server itself judges them. */
function openApiSchema(definition: KindDefinition): Node {
  return {
    type: 'object',
    description: definition.description,
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: frozen(plain(definition.spec), definition),
      status: plain(definition.status),
    },
    ...(definition.specRequired ? { required: ['spec'] } : {}),
  };
}

/** Drops what TypeBox keeps beside the JSON (its own marks are not enumerable). */
function plain(schema: object): Node {
  return JSON.parse(JSON.stringify(schema)) as Node;
}

/**
 * Adds the rules that keep a spec as it was made. A rule on a field is skipped by the API server when the field appears or disappears,
 * so each optional field has a second one on the spec.
 */
function frozen(spec: Node, { mutable, rules = [] }: KindDefinition): Node {
  const properties = Object.entries(spec.properties ?? {});
  const required = new Set(spec.required);
  const fixed = mutable === undefined ? [] : properties.filter(([name]) => !mutable.includes(name));
  const presence = fixed
    .filter(([name]) => !required.has(name))
    .map(([name]): CelRule => ({
      rule: `has(self.${name}) == has(oldSelf.${name})`,
      message: `${name} can be neither added nor removed`,
    }));
  const all = [...presence, ...rules];
  for (const [name, schema] of fixed) {
    schema['x-kubernetes-validations'] = [{ rule: 'self == oldSelf', message: `${name} cannot be changed` }];
  }
  return all.length === 0 ? spec : { ...spec, 'x-kubernetes-validations': all };
}
