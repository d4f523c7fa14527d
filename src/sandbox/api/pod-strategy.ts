import type { FieldError } from './field-error.ts';
import { forbiddenField, required } from './field-error.ts';
import { fieldAt } from './columns.ts';
import type { Json, JsonObject } from './json.ts';
import { isList, isObject, sameJson, textOf, withMembers } from './json.ts';
import type { Strategy } from './served-kind.ts';
import type { StoredObject } from './stored-object.ts';
import { withMeta } from './stored-object.ts';

/** Pods and Jobs (fact: pkg/apis/core/v1/defaults.go, core validation, registry/{core/pod,batch/job}; admission of 1.36 as it is by default). */

function objects(value: Json | undefined): readonly JsonObject[] {
  return isList(value) ? value.filter(isObject) : [];
}

/** Members that are missing, put in; nothing that is there is changed. */
function filled(object: JsonObject, defaults: JsonObject): JsonObject {
  const missing = Object.entries(defaults).filter(([name]) => object[name] === undefined);
  return missing.length === 0 ? object : { ...object, ...Object.fromEntries(missing) };
}

function withContainerDefaults(container: JsonObject): JsonObject {
  const image = textOf(container['image']);
  const tag = /:([^:/]+)$/.exec(image)?.[1];
  const isPinned = image.includes('@') || (tag !== undefined && tag !== 'latest');
  const resources = isObject(container['resources']) ? container['resources'] : {};
  const { limits, requests } = resources;
  const ports = objects(container['ports']).map((port) => filled(port, { protocol: 'TCP' }));
  return {
    ...filled(container, {
      imagePullPolicy: isPinned ? 'IfNotPresent' : 'Always',
      terminationMessagePath: '/dev/termination-log',
      terminationMessagePolicy: 'File',
    }),
    // What is limited is requested, unless something else is said.
    resources: isObject(limits)
      ? { ...resources, requests: { ...limits, ...(isObject(requests) ? requests : {}) } }
      : resources,
    ...(ports.length > 0 && { ports }),
  };
}

function withVolumeDefaults(volume: JsonObject): JsonObject {
  const sources = ['secret', 'configMap', 'downwardAPI', 'projected'].flatMap((source) => {
    const value = volume[source];
    return isObject(value) ? [[source, filled(value, { defaultMode: 420 })] as const] : [];
  });
  return sources.length === 0 ? volume : { ...volume, ...Object.fromEntries(sources) };
}

/** What a pod's spec is by default, in a Job's template too. */
function withSpecDefaults(spec: JsonObject): JsonObject {
  const lists = (['containers', 'initContainers'] as const).flatMap((name) =>
    isList(spec[name]) ? [[name, objects(spec[name]).map(withContainerDefaults)] as const] : [],
  );
  return {
    ...filled(spec, {
      restartPolicy: 'Always',
      dnsPolicy: 'ClusterFirst',
      schedulerName: 'default-scheduler',
      securityContext: {},
      terminationGracePeriodSeconds: 30,
    }),
    ...Object.fromEntries(lists),
    ...(isList(spec['volumes']) && { volumes: objects(spec['volumes']).map(withVolumeDefaults) }),
  };
}

const tolerated = ['not-ready', 'unreachable'].map((word) => ({
  key: `node.kubernetes.io/${word}`,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: 300,
}));

/** What admission adds to a pod itself: account, priority, how long it stays on a node that is lost. */
function admitted(spec: JsonObject): JsonObject {
  const account = spec['serviceAccountName'] ?? spec['serviceAccount'] ?? 'default';
  const tolerations = isList(spec['tolerations']) ? spec['tolerations'] : [];
  const kept = tolerated.filter(
    ({ key }) => !objects(tolerations).some((one) => one['key'] === key || one['key'] === undefined),
  );
  return {
    ...filled(spec, { enableServiceLinks: true, preemptionPolicy: 'PreemptLowerPriority', priority: 0 }),
    serviceAccount: account,
    serviceAccountName: account,
    tolerations: [...tolerations, ...kept],
  };
}

function qualityOf(spec: JsonObject): string {
  const all = [...objects(spec['containers']), ...objects(spec['initContainers'])];
  const sides = all.map((container) => {
    const resources = isObject(container['resources']) ? container['resources'] : {};
    return [resources['requests'], resources['limits']].map((side) => (isObject(side) ? side : {})) as [
      JsonObject,
      JsonObject,
    ];
  });
  if (sides.every((pair) => pair.every((side) => Object.keys(side).length === 0))) return 'BestEffort';
  const isGuaranteed = sides.every(([requests, limits]) =>
    ['cpu', 'memory'].every((name) => limits[name] !== undefined && sameJson(limits[name], requests[name])),
  );
  return isGuaranteed ? 'Guaranteed' : 'Burstable';
}

function specOf(object: StoredObject): JsonObject {
  return isObject(object['spec']) ? object['spec'] : {};
}

function preparePod(object: StoredObject): StoredObject {
  const spec = admitted(withSpecDefaults(specOf(object)));
  return withMembers(object, { spec, status: { phase: 'Pending', qosClass: qualityOf(spec) } });
}

function podErrors(object: StoredObject): readonly FieldError[] {
  const containers = objects(specOf(object)['containers']);
  const volumes = new Set(objects(specOf(object)['volumes']).map(({ name }) => name));
  const seen = new Set<unknown>();
  return [
    ...(containers.length === 0 ? [required('spec.containers')] : []),
    ...containers.flatMap((container, index): FieldError[] => {
      const field = `spec.containers[${index}]`;
      const isTwice = seen.has(container['name']);
      seen.add(container['name']);
      const mounts = objects(container['volumeMounts']).flatMap(({ name }, place): FieldError[] =>
        volumes.has(name)
          ? []
          : [{ type: 'FieldValueNotFound', field: `${field}.volumeMounts[${place}].name`, value: name }],
      );
      return [
        ...(isTwice
          ? [{ type: 'FieldValueDuplicate' as const, field: `${field}.name`, value: container['name'] }]
          : []),
        ...mounts,
      ];
    }),
  ];
}

/** Of a pod's spec only images, tolerations and few things more may change. */
function podChangeErrors(object: StoredObject, old: StoredObject): readonly FieldError[] {
  const fixed = (from: StoredObject): JsonObject => ({
    ...specOf(from),
    tolerations: null,
    activeDeadlineSeconds: null,
    terminationGracePeriodSeconds: null,
    // A pod is put on a node by its binding, for which writers of this server use its spec.
    nodeName: null,
    containers: objects(specOf(from)['containers']).map((container) => ({ ...container, image: '' })),
    initContainers: objects(specOf(from)['initContainers']).map((container) => ({ ...container, image: '' })),
  });
  const why =
    'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`';
  return sameJson(fixed(object), fixed(old)) ? [] : [forbiddenField('spec', why)];
}

export const podStrategy: Strategy = {
  prepareCreate: preparePod,
  validateCreate: podErrors,
  validateUpdate: podChangeErrors,
  countsGenerations: true,
};

function prepareJob(object: StoredObject): StoredObject {
  const spec = specOf(object);
  const template = isObject(spec['template']) ? spec['template'] : {};
  const uid = object.metadata.uid ?? '';
  const labels = {
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': object.metadata.name,
    'controller-uid': uid,
    'job-name': object.metadata.name,
  };
  const meta = isObject(template['metadata']) ? template['metadata'] : {};
  const podLabels = { ...(isObject(meta['labels']) ? meta['labels'] : {}), ...labels };
  const podSpec = isObject(template['spec']) ? template['spec'] : {};
  const wanted = filled(spec, {
    backoffLimit: 6,
    completionMode: 'NonIndexed',
    completions: 1,
    manualSelector: false,
    parallelism: 1,
    podReplacementPolicy: 'TerminatingOrFailed',
    suspend: false,
    selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } },
  });
  // A Job without labels of its own takes those of its pods (fact: batch/v1 defaults).
  const own = object.metadata.labels ?? podLabels;
  return withMembers(withMeta(object, { labels: own }), {
    spec: {
      ...wanted,
      template: { ...template, metadata: { ...meta, labels: podLabels }, spec: withSpecDefaults(podSpec) },
    },
    status: {},
  });
}

function jobErrors(object: StoredObject): readonly FieldError[] {
  const policy = fieldAt(object, 'spec.template.spec.restartPolicy');
  return policy === 'OnFailure' || policy === 'Never'
    ? []
    : [required('spec.template.spec.restartPolicy', 'valid values: "OnFailure", "Never"')];
}

export const jobStrategy: Strategy = {
  prepareCreate: prepareJob,
  validateCreate: jobErrors,
  countsGenerations: true,
};
