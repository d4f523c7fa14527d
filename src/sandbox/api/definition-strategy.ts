import type { JsonObject } from './json.ts';
import { isList, isObject, withMembers } from './json.ts';
import type { Strategy } from './served-kind.ts';
import type { StoredObject } from './stored-object.ts';

/** CustomResourceDefinitions, as they are once their controllers have been over them (fact: apiextensions pkg/controller/{status,establish}). */
function withDefaults(object: StoredObject): StoredObject {
  const spec = isObject(object['spec']) ? object['spec'] : {};
  const conversion = spec['conversion'] ?? { strategy: 'None' };
  return withMembers(object, { spec: withMembers(spec, { conversion }) });
}

function established(object: StoredObject): StoredObject {
  const next = withDefaults(object);
  const spec = next['spec'] as JsonObject;
  const lastTransitionTime = object.metadata.creationTimestamp ?? '';
  const versions = isList(spec['versions']) ? spec['versions'] : [];
  const stored = versions.filter((one) => isObject(one) && one['storage'] === true);
  const conditions = [
    ['NamesAccepted', 'NoConflicts', 'no conflicts found'],
    ['Established', 'InitialNamesAccepted', 'the initial names have been accepted'],
  ].map(([type = '', reason = '', message = '']) => ({
    type,
    status: 'True',
    reason,
    message,
    lastTransitionTime,
  }));
  return withMembers(next, {
    status: {
      acceptedNames: withoutEmpty(isObject(spec['names']) ? spec['names'] : {}),
      conditions,
      storedVersions: stored.map((one) => (isObject(one) ? (one['name'] ?? '') : '')),
    },
  });
}

function withoutEmpty(names: JsonObject): JsonObject {
  const kept = Object.entries(names).filter(([, value]) => !isList(value) || value.length > 0);
  return Object.fromEntries(kept);
}

export const definitionStrategy: Strategy = {
  prepareCreate: established,
  prepareUpdate: withDefaults,
  countsGenerations: true,
};
