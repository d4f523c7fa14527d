import type { ServerRequest } from './exchange.ts';
import type { Route } from './routes.ts';

/** "create datavolumes", "patch plans/status": what RBAC would ask about; the subject of faults. */
export function subjectOf(request: Pick<ServerRequest, 'method' | 'query'>, route: Route): string {
  if (route.to === 'document') return `get ${route.path}`;
  if (route.to === 'podProxy') return `${request.method === 'POST' ? 'create' : 'get'} pods/proxy`;
  const resource =
    route.subresource === undefined
      ? route.served.kind.plural
      : `${route.served.kind.plural}/${route.subresource}`;
  return `${verbOf(request, route.name)} ${resource}`;
}

function verbOf(
  { method, query }: Pick<ServerRequest, 'method' | 'query'>,
  name: string | undefined,
): string {
  switch (method) {
    case 'GET':
      if (isWatch(query)) return 'watch';
      return name === undefined ? 'list' : 'get';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return name === undefined ? 'deletecollection' : 'delete';
  }
}

export function isWatch(query: Readonly<Record<string, string>>): boolean {
  return query['watch'] === 'true' || query['watch'] === '1';
}

/** For the trace: "plans/status ns/name". */
export function targetOf(route: Route): string {
  if (route.to === 'document') return route.path;
  if (route.to === 'podProxy') return `pods/proxy ${route.namespace}/${route.pod}${route.path}`;
  const { served, namespace, name, subresource } = route;
  const resource = subresource === undefined ? served.kind.plural : `${served.kind.plural}/${subresource}`;
  const at = [namespace, name].filter((part) => part !== undefined).join('/');
  return at === '' ? resource : `${resource} ${at}`;
}
