import type { KindTable } from './kind-table.ts';
import { notFound, pageNotFound, unknownPath } from './refusal.ts';
import type { ServedKind } from './served-kind.ts';

export type Route =
  | { readonly to: 'document'; readonly path: string }
  | {
      readonly to: 'resource';
      readonly served: ServedKind;
      /** Undefined: cluster-scoped, or all namespaces. */
      readonly namespace: string | undefined;
      readonly name: string | undefined;
      readonly subresource: 'status' | undefined;
    }
  | {
      readonly to: 'podProxy';
      readonly namespace: string;
      readonly pod: string;
      readonly port: number;
      /** With the leading slash. */
      readonly path: string;
    };

const documents = /^\/(version|readyz|livez|healthz|api|apis|openapi)(\/|$)/;

/** What a path names. Throws Refusal 404 for one that names nothing here. */
export function routeOf(kinds: KindTable, path: string): Route {
  const [root, ...segments] = path.split('/').slice(1).map(decodeURIComponent);
  const grouped = root === 'apis';
  const depth = grouped ? 2 : 1;
  if ((root !== 'api' && root !== 'apis') || segments.length <= depth) {
    if (documents.test(path)) return { to: 'document', path };
    throw pageNotFound();
  }
  const [group, version] = grouped ? [segments[0] ?? '', segments[1] ?? ''] : ['', segments[0] ?? ''];
  return resourceRoute(kinds, group, version, segments.slice(depth));
}

function resourceRoute(kinds: KindTable, group: string, version: string, segments: readonly string[]): Route {
  const inNamespace = segments[0] === 'namespaces' && segments.length > 2 && segments[2] !== 'status';
  const [plural = '', name, ...rest] = inNamespace ? segments.slice(2) : segments;
  const namespace = inNamespace ? segments[1] : undefined;
  const served = kinds.at(group, version, plural);
  // Groups of custom kinds are looked up by whole paths; within those of Kubernetes a path that leads nowhere is told as a Status.
  const missing = (): Error => (group === '' || served?.custom === false ? unknownPath() : pageNotFound());
  if (served === undefined || served.kind.namespaced !== inNamespace) {
    // A namespaced kind without a namespace is a list of all of them, which has no names.
    if (served?.kind.namespaced !== true || name !== undefined) throw missing();
  }
  if (name?.includes('/') === true) throw unknownPath();
  const [subresource, ...path] = rest;
  if (
    subresource === 'proxy' &&
    plural === 'pods' &&
    group === '' &&
    name !== undefined &&
    namespace !== undefined
  ) {
    return proxyRoute(namespace, name, path);
  }
  if (subresource !== undefined && (subresource !== 'status' || !served.kind.hasStatus || path.length > 0)) {
    throw served.custom && path.length === 0 ? notFound(served.kind, name ?? '') : unknownPath();
  }
  return {
    to: 'resource',
    served,
    namespace,
    name: name === '' ? undefined : name,
    subresource: subresource === undefined ? undefined : 'status',
  };
}

/** "name:port", or "http:name:port" as the proxy also takes it (fact: kubevirt 4; core pod proxy). */
function proxyRoute(namespace: string, target: string, path: readonly string[]): Route {
  const parts = target.split(':');
  const [pod = '', port = '80'] = parts.length === 3 ? parts.slice(1) : parts;
  return { to: 'podProxy', namespace, pod, port: Number(port), path: `/${path.join('/')}` };
}
