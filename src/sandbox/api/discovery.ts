import type { KindTable } from './kind-table.ts';
import { unknownPath } from './refusal.ts';
import type { ServedKind } from './served-kind.ts';
import { byText } from './store.ts';

/** Discovery as kubectl and client libraries read it (fact: Kubernetes API discovery, unaggregated form). */

export function apiVersions(): object {
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
}

export function apiGroups(kinds: KindTable): object {
  const groups = kinds.groups().filter((group) => group !== '');
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: groups.sort(byText).map((group) => groupOf(kinds, group)),
  };
}

export function groupDocument(kinds: KindTable, group: string): object {
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(kinds, group) };
}

function groupOf(kinds: KindTable, group: string): object {
  const versions = [
    ...new Set(kinds.all.filter(({ kind }) => kind.group === group).map(({ kind }) => kind.version)),
  ];
  const [preferred] = versions;
  if (preferred === undefined) throw unknownPath();
  const entry = (version: string): object => ({ groupVersion: `${group}/${version}`, version });
  return { name: group, versions: versions.map(entry), preferredVersion: entry(preferred) };
}

export function resourceList(kinds: KindTable, group: string, version: string): object {
  const served = kinds.all.filter(({ kind }) => kind.group === group && kind.version === version);
  if (served.length === 0) throw unknownPath();
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: group === '' ? version : `${group}/${version}`,
    resources: served.flatMap(resourcesOf),
  };
}

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

function resourcesOf({ kind, singular, shortNames, categories }: ServedKind): readonly object[] {
  const { plural, namespaced } = kind;
  const resource = {
    name: plural,
    singularName: singular,
    namespaced,
    kind: kind.kind,
    verbs,
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
  };
  if (!kind.hasStatus) return [resource];
  const status = { name: `${plural}/status`, singularName: '', namespaced, kind: kind.kind };
  return [resource, { ...status, verbs: ['get', 'patch', 'update'] }];
}
