import { claimProtectionFinalizer } from './claim-protection.ts';
import { fieldAt } from './columns.ts';
import type { FieldError } from './field-error.ts';
import { forbiddenField, invalidValue, notSupported, required } from './field-error.ts';
import type { Json, JsonObject } from './json.ts';
import { isList, isObject, sameJson, textOf, withMembers } from './json.ts';
import { formatQuantity, parseQuantity, zero } from './quantity.ts';
import { DecodeRefusal } from './refusal.ts';
import type { Strategy } from './served-kind.ts';
import type { StoredObject } from './stored-object.ts';
import { withMeta } from './stored-object.ts';

/** Claims and volumes (fact: core validation, registry/core/{persistentvolumeclaim,persistentvolume}). */

const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
const volumeModes = ['Block', 'Filesystem'];
const quantityText =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

function specOf(object: StoredObject): Readonly<Record<string, Json | undefined>> {
  return isObject(object['spec']) ? object['spec'] : {};
}

export function withDefaultVolumeMode(object: StoredObject): StoredObject {
  const spec = specOf(object);
  return withMembers(object, { spec: withMembers(spec, { volumeMode: spec['volumeMode'] ?? 'Filesystem' }) });
}

const claimKind = { kind: 'PersistentVolumeClaim', version: 'v1' };

/** Sizes in the form in which Kubernetes writes them. Throws DecodeRefusal for one that is none. */
function decoded(object: StoredObject): StoredObject {
  const spec = specOf(object);
  const { resources } = spec;
  if (!isObject(resources)) return object;
  const read = withMembers(resources, {
    ...(isObject(resources['requests']) && { requests: canonical(resources['requests']) }),
    ...(isObject(resources['limits']) && { limits: canonical(resources['limits']) }),
  });
  return withMembers(object, { spec: withMembers(spec, { resources: read }) });
}

function canonical(list: JsonObject): JsonObject {
  const written = Object.entries(list).map(([name, value]) => {
    const quantity = parseQuantity(textOf(value));
    if (quantity === undefined) throw new DecodeRefusal(claimKind, quantityText);
    return [name, formatQuantity(quantity)] as const;
  });
  const next: JsonObject = Object.fromEntries(written);
  return sameJson(next, list) ? list : next;
}

function prepareClaim(object: StoredObject): StoredObject {
  const finalizers = [...(object.metadata.finalizers ?? []), claimProtectionFinalizer];
  const held = withMeta(decoded(object), { finalizers: [...new Set(finalizers)] });
  return withMembers(withDefaultVolumeMode(held), { status: { phase: 'Pending' } });
}

function claimErrors(object: StoredObject): readonly FieldError[] {
  const spec = specOf(object);
  const modes = isList(spec['accessModes']) ? spec['accessModes'] : [];
  const storage = fieldAt(object, 'spec.resources.requests.storage');
  const mode = spec['volumeMode'];
  return [
    ...(modes.length === 0 ? [required('spec.accessModes', 'at least 1 access mode is required')] : []),
    ...modes
      .filter((one) => !accessModes.includes(textOf(one)))
      .map((one) => notSupported('spec.accessModes', one, accessModes)),
    ...(storage === undefined ? [required('spec.resources[storage]')] : []),
    ...(storage !== undefined && (parseQuantity(textOf(storage)) ?? zero).milli <= 0n
      ? [invalidValue('spec.resources[storage]', storage, 'must be greater than zero')]
      : []),
    ...(mode === undefined || volumeModes.includes(textOf(mode))
      ? []
      : [notSupported('spec.volumeMode', mode, volumeModes)]),
  ];
}

/** Its spec is frozen but for its size once it is bound, and for its volume's name as long as it has none. */
function claimChangeErrors(object: StoredObject, old: StoredObject): readonly FieldError[] {
  const spec = specOf(object);
  const oldSpec = specOf(old);
  const isBound = fieldAt(old, 'status.phase') === 'Bound';
  const freed = withMembers(spec, {
    ...(isBound && { resources: oldSpec['resources'] }),
    ...((oldSpec['volumeName'] ?? '') === '' && { volumeName: oldSpec['volumeName'] }),
  });
  const why =
    'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
  return [
    ...(sameJson(freed, oldSpec) ? [] : [forbiddenField('spec', why)]),
    ...(sameJson(freed, oldSpec) && isShrunk(object, old)
      ? [forbiddenField('spec.resources.requests.storage', 'field can not be less than status.capacity')]
      : []),
    ...(spec['volumeMode'] === oldSpec['volumeMode']
      ? []
      : [invalidValue('volumeMode', spec['volumeMode'], 'field is immutable')]),
  ];
}

/** A claim that was grown may come back, but not below what it has. */
function isShrunk(object: StoredObject, old: StoredObject): boolean {
  const size = (from: StoredObject, path: string): bigint =>
    (parseQuantity(textOf(fieldAt(from, path))) ?? zero).milli;
  const wanted = size(object, 'spec.resources.requests.storage');
  return (
    wanted < size(old, 'spec.resources.requests.storage') && wanted <= size(old, 'status.capacity.storage')
  );
}

export const claimStrategy: Strategy = {
  prepareCreate: prepareClaim,
  prepareUpdate: decoded,
  validateCreate: claimErrors,
  validateUpdate: claimChangeErrors,
};

export function volumeStrategy(now: (object: StoredObject) => string | undefined): Strategy {
  return {
    prepareCreate: (object) => {
      const moded = withDefaultVolumeMode(object);
      const spec = specOf(moded);
      const policy = spec['persistentVolumeReclaimPolicy'] ?? 'Retain';
      const path = isObject(spec['hostPath']) ? { hostPath: { type: '', ...spec['hostPath'] } } : {};
      const held = withMeta(moded, {
        finalizers: [...new Set([...(object.metadata.finalizers ?? []), 'kubernetes.io/pv-protection'])],
      });
      return withMembers(held, {
        spec: withMembers(spec, { persistentVolumeReclaimPolicy: policy, ...path }),
        status: { phase: 'Pending', lastPhaseTransitionTime: now(object) ?? null },
      });
    },
  };
}
