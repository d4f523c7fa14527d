import type { CustomResourceDefinition } from '../../api/external/core.ts';
import { customResourceDefinition } from '../../api/custom-resource-definition.ts';
import { definitions } from '../../api/definitions.ts';
import type { ResourceKind } from '../../api/meta.ts';
import { builtInKinds } from './built-in-kinds.ts';
import { ageColumn, declaredColumn, nameColumn } from './columns.ts';
import { externalDefinitions } from './external-schemas.ts';
import { readSchema } from './schema-node.ts';
import type { ServedKind } from './served-kind.ts';

/** The kinds of one server, found by what a path, an ownerReference or a short name says. */
export class KindTable {
  readonly all: readonly ServedKind[];
  readonly #byPath = new Map<string, ServedKind>();
  readonly #byGroupKind = new Map<string, ServedKind>();

  constructor(all: readonly ServedKind[]) {
    this.all = all;
    for (const served of all) {
      const { group, version, plural, kind } = served.kind;
      this.#byPath.set(`${group}/${version}/${plural}`, served);
      this.#byGroupKind.set(`${group}/${kind}`, served);
    }
  }

  at(group: string, version: string, plural: string): ServedKind | undefined {
    return this.#byPath.get(`${group}/${version}/${plural}`);
  }

  /** Throws TypeError for a kind that is not served. */
  of(kind: ResourceKind): ServedKind {
    const served = this.at(kind.group, kind.version, kind.plural);
    if (served === undefined) throw new TypeError(`${kind.plural}.${kind.group} are not served here`);
    return served;
  }

  /** `apiVersion` and `kind` of a reference to another object. */
  referred(apiVersion: string, kind: string): ServedKind | undefined {
    const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
    return this.#byGroupKind.get(`${group}/${kind}`);
  }

  groups(): readonly string[] {
    return [...new Set(this.all.map(({ kind }) => kind.group))];
  }
}

/** A kind that a CRD defines. */
export function customKind(
  kind: ResourceKind,
  crd: CustomResourceDefinition,
  unknownFields: 'prune' | 'reject',
): ServedKind {
  const { names, versions } = crd.spec;
  const version = versions.find(({ name }) => name === kind.version);
  const openApi = version?.schema?.openAPIV3Schema;
  const declared = version?.additionalPrinterColumns?.map(declaredColumn);
  return {
    kind,
    singular: names.singular ?? kind.kind.toLowerCase(),
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    custom: true,
    unknownFields,
    schema: openApi === undefined ? undefined : readSchema(openApi),
    openApi,
    definition: crd,
    members: undefined,
    specMembers: undefined,
    nameRule: 'subdomain',
    selectableFields: [],
    unknownFieldText: (field) => `field label not supported: ${field}`,
    columns: [nameColumn, ...(declared ?? [ageColumn])],
    returnsDeleted: false,
    orphansByDefault: false,
    strategy: {},
  };
}

/** Made once a process: a server that is never listened to must cost next to nothing. */
export const servedKinds = new KindTable([
  ...definitions.map((definition) =>
    customKind(definition.kind, customResourceDefinition(definition), 'prune'),
  ),
  ...externalDefinitions.map(({ kind, crd }) => customKind(kind, crd, 'reject')),
  ...builtInKinds,
]);
