import { createHash } from 'node:crypto';
import type { KindTable } from './kind-table.ts';
import { pageNotFound, unknownPath } from './refusal.ts';
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
  if (preferred === undefined) throw pageNotFound();
  const entry = (version: string): object => ({ groupVersion: `${group}/${version}`, version });
  return { name: group, versions: versions.map(entry), preferredVersion: entry(preferred) };
}

export function resourceList(kinds: KindTable, group: string, version: string): object {
  const served = kinds.all.filter(({ kind }) => kind.group === group && kind.version === version);
  if (served.length === 0) throw group === '' ? unknownPath() : pageNotFound();
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: group === '' ? version : `${group}/${version}`,
    resources: served.flatMap(resourcesOf),
  };
}

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const customVerbs = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];

/** By which a client knows that a kind is stored in another form than before (fact: discovery.StorageVersionHash). */
function storageVersionHash({ kind }: ServedKind): string {
  const text = `${kind.group}/${kind.version}/${kind.kind}`;
  return createHash('sha256').update(text).digest().subarray(0, 8).toString('base64');
}

function resourcesOf(served: ServedKind): readonly object[] {
  const { kind, singular, shortNames, categories } = served;
  const { plural, namespaced } = kind;
  const resource = {
    name: plural,
    singularName: singular,
    namespaced,
    kind: kind.kind,
    verbs: served.custom ? customVerbs : verbs,
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
    storageVersionHash: storageVersionHash(served),
  };
  if (!kind.hasStatus) return [resource];
  const status = { name: `${plural}/status`, singularName: '', namespaced, kind: kind.kind };
  return [resource, { ...status, verbs: ['get', 'patch', 'update'] }];
}
