import { apiVersionOf } from '../../api/meta.ts';
import type { KindTable } from './kind-table.ts';
import { emptyNotFound, unknownPath } from './refusal.ts';
import type { ServedKind } from './served-kind.ts';

/**
 * OpenAPI v3, as far as kubectl looks into it before it writes: a PATCH operation of each kind that takes `fieldValidation` and
 * `dryRun` (without it kubectl asks for the v2 document as protobuf), and the schemas for whoever explains a kind.
 */

/** `/openapi/v3`; v2 is served by nobody here. */
export function openApiIndex(kinds: KindTable, version: string | undefined): object {
  if (version !== 'v3') throw unknownPath();
  const paths = [...new Set(kinds.all.map(groupPath))];
  return {
    paths: Object.fromEntries(paths.map((path) => [path, { serverRelativeURL: `/openapi/v3/${path}` }])),
  };
}

export function openApiDocument(kinds: KindTable, path: readonly string[]): object {
  const served = kinds.all.filter((kind) => groupPath(kind) === path.join('/'));
  if (served.length === 0) throw emptyNotFound();
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'unversioned' },
    paths: Object.fromEntries(served.flatMap(pathsOf)),
    components: { schemas: Object.fromEntries(served.map((kind) => [schemaName(kind), schemaOf(kind)])) },
  };
}

function groupPath({ kind }: ServedKind): string {
  return kind.group === '' ? `api/${kind.version}` : `apis/${kind.group}/${kind.version}`;
}

/** "dev.gantry.v1alpha1.VirtualMachineImport" */
function schemaName({ kind }: ServedKind): string {
  const group = kind.group === '' ? 'io.k8s.api.core' : kind.group.split('.').reverse().join('.');
  return `${group}.${kind.version}.${kind.kind}`;
}

function schemaOf(served: ServedKind): object {
  return { type: 'object', ...served.openApi, ...gvkList(served) };
}

function gvk({ kind }: ServedKind): object {
  return { group: kind.group, version: kind.version, kind: kind.kind };
}

function gvkList(served: ServedKind): object {
  return { 'x-kubernetes-group-version-kind': [gvk(served)] };
}

const parameters = ['dryRun', 'fieldManager', 'fieldValidation', 'pretty'].map((name) => ({
  name,
  in: 'query',
  schema: { type: 'string', uniqueItems: true },
}));

function pathsOf(served: ServedKind): readonly [string, object][] {
  const { kind } = served;
  const collection = `/${groupPath(served)}/${kind.namespaced ? 'namespaces/{namespace}/' : ''}${kind.plural}`;
  const operation = (action: string): object => ({
    parameters,
    responses: { 200: { description: 'OK' } },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': gvk(served),
    operationId: `${action}${apiVersionOf(kind)}${kind.kind}`,
  });
  return [
    [collection, { get: operation('list'), post: operation('post') }],
    [
      `${collection}/{name}`,
      {
        get: operation('get'),
        put: operation('put'),
        patch: operation('patch'),
        delete: operation('delete'),
      },
    ],
  ];
}
