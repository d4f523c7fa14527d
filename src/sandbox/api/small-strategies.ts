import * as kinds from '../../api/kinds.ts';
import { fieldAt } from './columns.ts';
import type { FieldError } from './field-error.ts';
import { invalidValue, required } from './field-error.ts';
import { withMembers } from './json.ts';
import { DecodeRefusal } from './refusal.ts';
import type { Strategy } from './served-kind.ts';
import type { StoredObject } from './stored-object.ts';
import { withMeta } from './stored-object.ts';

/** What kinds with few rules do at a write: Namespaces, Events, Leases, StorageClasses. */

/** A namespace has its name for a label, whatever is written (fact: registry/core/namespace). */
function withNameLabel(object: StoredObject): StoredObject {
  const label = 'kubernetes.io/metadata.name';
  if (object.metadata.labels?.[label] === object.metadata.name) return object;
  return withMeta(object, { labels: { ...object.metadata.labels, [label]: object.metadata.name } });
}

function prepareNamespace(object: StoredObject): StoredObject {
  return withMembers(withMeta(withNameLabel(object), { namespace: undefined }), {
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  });
}

/** fact: core validation of events: they stand in the namespace of what they tell of. */
function eventErrors(object: StoredObject): readonly FieldError[] {
  const namespace = fieldAt(object, 'involvedObject.namespace') ?? '';
  if (namespace === object.metadata.namespace) return [];
  if (namespace === '' && object.metadata.namespace === 'default') return [];
  return [invalidValue('involvedObject.namespace', namespace, 'does not match event.namespace')];
}

/** These are shown even where they are empty. */
function prepareEvent(object: StoredObject): StoredObject {
  const { eventTime = null, reportingComponent = '', reportingInstance = '' } = object;
  return withMembers(object, { eventTime, reportingComponent, reportingInstance });
}

export const eventStrategy: Strategy = {
  prepareCreate: prepareEvent,
  prepareUpdate: prepareEvent,
  validateCreate: eventErrors,
};

/** fact: metav1.MicroTime is read with six digits after the point, no fewer and no more. */
function decodedLease(object: StoredObject): StoredObject {
  for (const field of ['acquireTime', 'renewTime']) {
    const time = fieldAt(object, `spec.${field}`);
    if (typeof time !== 'string' || /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)$/.test(time))
      continue;
    const why = `parsing time ${JSON.stringify(time)} as "2006-01-02T15:04:05.000000Z07:00": cannot parse`;
    throw new DecodeRefusal(kinds.leases, why);
  }
  return object;
}

function leaseErrors(object: StoredObject): readonly FieldError[] {
  const seconds = fieldAt(object, 'spec.leaseDurationSeconds');
  return typeof seconds === 'number' && seconds <= 0
    ? [invalidValue('spec.leaseDurationSeconds', seconds, 'must be greater than 0')]
    : [];
}

export const classStrategy: Strategy = {
  prepareCreate: (object) =>
    withMembers(object, {
      reclaimPolicy: object['reclaimPolicy'] ?? 'Delete',
      volumeBindingMode: object['volumeBindingMode'] ?? 'Immediate',
    }),
  validateCreate: (object) => ((object['provisioner'] ?? '') === '' ? [required('provisioner')] : []),
  validateUpdate: (object, old) =>
    object['provisioner'] === old['provisioner']
      ? []
      : [invalidValue('provisioner', object['provisioner'], 'field is immutable')],
};

export const leaseStrategy: Strategy = {
  prepareCreate: decodedLease,
  prepareUpdate: decodedLease,
  validateCreate: leaseErrors,
  validateUpdate: leaseErrors,
};

export const namespaceStrategy: Strategy = { prepareCreate: prepareNamespace, prepareUpdate: withNameLabel };
