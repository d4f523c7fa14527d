import * as kinds from '../../api/kinds.ts';
import type { ResourceKind } from '../../api/meta.ts';
import { claimProtectionFinalizer } from './claim-protection.ts';
import { ageColumn, ageSince, column, fieldAt, nameColumn } from './columns.ts';
import type { FieldError } from './field-error.ts';
import { forbiddenField, invalidValue } from './field-error.ts';
import type { Json } from './json.ts';
import { isList, isObject, sameJson, textOf, withMembers } from './json.ts';
import { podColumns } from './pod-columns.ts';
import type { Column, ServedKind, Strategy } from './served-kind.ts';
import type { StoredObject } from './stored-object.ts';
import { withMeta } from './stored-object.ts';

/** Kubernetes' own kinds, as far as anybody here uses them. Columns and strategies: fact: kubernetes pkg/printers, pkg/registry. */

interface BuiltIn {
  readonly short?: readonly string[];
  readonly columns?: readonly Column[];
  readonly fields?: readonly string[];
  readonly strategy?: Strategy;
  readonly returnsDeleted?: boolean;
  readonly orphansByDefault?: boolean;
  readonly categories?: readonly string[];
  readonly nameRule?: ServedKind['nameRule'];
}

function builtIn(kind: ResourceKind, about: BuiltIn = {}): ServedKind {
  return {
    kind,
    singular: kind.kind.toLowerCase(),
    shortNames: about.short ?? [],
    categories: about.categories ?? [],
    custom: false,
    unknownFields: 'keep',
    schema: undefined,
    openApi: undefined,
    definition: undefined,
    nameRule: about.nameRule ?? 'subdomain',
    selectableFields: about.fields ?? [],
    columns: [nameColumn, ...(about.columns ?? [ageColumn])],
    returnsDeleted: about.returnsDeleted ?? false,
    orphansByDefault: about.orphansByDefault ?? false,
    strategy: about.strategy ?? {},
  };
}

const at = (name: string, path: string, options: { wide?: boolean; type?: string } = {}): Column =>
  column(name, (object) => fieldAt(object, path), options);
const unsetAt = (name: string, path: string, options: { wide?: boolean } = {}): Column =>
  column(name, (object) => fieldAt(object, path) ?? '<unset>', options);
const count = (name: string, ...fields: readonly string[]): Column =>
  column(
    name,
    (object) =>
      fields.reduce((sum, field) => {
        const value = object[field];
        return sum + (isObject(value) ? Object.keys(value).length : 0);
      }, 0),
    { type: 'integer' },
  );

const firstStatus =
  (status: Json) =>
  (object: StoredObject): StoredObject =>
    withMembers(object, { status });

/** `stringData` is a way to write `data`, and is never stored. */
function foldStringData(object: StoredObject): StoredObject {
  const text = object['stringData'];
  const type = object['type'] ?? 'Opaque';
  if (!isObject(text)) return withMembers(object, { type, stringData: undefined });
  const encoded = Object.entries(text).map(([key, value]) => [
    key,
    Buffer.from(textOf(value)).toString('base64'),
  ]);
  const data: Json = {
    ...(isObject(object['data']) && object['data']),
    ...(Object.fromEntries(encoded) as Readonly<Record<string, string>>),
  };
  return withMembers(object, { type, stringData: undefined, data });
}

const immutableText = 'field is immutable when `immutable` is set';

function validateSecretChange(object: StoredObject, old: StoredObject): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (object['type'] !== old['type']) {
    errors.push(invalidValue('type', object['type'], 'field is immutable'));
  }
  return [...errors, ...validateImmutable(object, old, ['data'])];
}

function validateImmutable(
  object: StoredObject,
  old: StoredObject,
  fields: readonly string[],
): readonly FieldError[] {
  if (old['immutable'] !== true) return [];
  const changed = fields.filter((field) => !sameJson(object[field] ?? {}, old[field] ?? {}));
  return [
    ...(object['immutable'] === true ? [] : [forbiddenField('immutable', immutableText)]),
    ...changed.map((field) => forbiddenField(field, immutableText)),
  ];
}

/** fact: the claim's spec is frozen but for its size, and for its volume's name as long as it has none (core validation). */
function validateClaimChange(object: StoredObject, old: StoredObject): readonly FieldError[] {
  const spec = isObject(object['spec']) ? object['spec'] : {};
  const oldSpec = isObject(old['spec']) ? old['spec'] : {};
  const freed = withMembers(spec, {
    resources: oldSpec['resources'],
    ...((oldSpec['volumeName'] ?? '') === '' && { volumeName: oldSpec['volumeName'] }),
  });
  if (sameJson(freed, oldSpec)) return [];
  const why =
    'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
  return [forbiddenField('spec', why)];
}

function prepareClaim(object: StoredObject): StoredObject {
  const finalizers = [...(object.metadata.finalizers ?? []), claimProtectionFinalizer];
  const held = withMeta(object, { finalizers: [...new Set(finalizers)] });
  return withMembers(withDefaultVolumeMode(held), { status: { phase: 'Pending' } });
}

function prepareNamespace(object: StoredObject): StoredObject {
  const labels = { ...object.metadata.labels, 'kubernetes.io/metadata.name': object.metadata.name };
  return withMembers(withMeta(object, { labels }), {
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  });
}

const accessWords: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};
const accessModes = (path: string): Column =>
  column('Access Modes', (object) => {
    const modes = fieldAt(object, path);
    return isList(modes) ? modes.map((mode) => accessWords[textOf(mode)] ?? '').join(',') : '';
  });

const involved = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map(
  (field) => `involvedObject.${field}`,
);

export const builtInKinds: readonly ServedKind[] = [
  builtIn(kinds.namespaces, {
    short: ['ns'],
    columns: [at('Status', 'status.phase'), ageColumn],
    fields: ['status.phase'],
    strategy: { prepareCreate: prepareNamespace },
    returnsDeleted: true,
    nameRule: 'label',
  }),
  builtIn(kinds.secrets, {
    columns: [at('Type', 'type'), count('Data', 'data'), ageColumn],
    fields: ['type'],
    strategy: {
      prepareCreate: foldStringData,
      prepareUpdate: foldStringData,
      validateUpdate: validateSecretChange,
    },
  }),
  builtIn(kinds.configMaps, {
    short: ['cm'],
    columns: [count('Data', 'data', 'binaryData'), ageColumn],
    strategy: { validateUpdate: (object, old) => validateImmutable(object, old, ['data', 'binaryData']) },
  }),
  builtIn(kinds.pods, {
    short: ['po'],
    categories: ['all'],
    columns: podColumns,
    fields: [
      'status.phase',
      'spec.nodeName',
      'spec.restartPolicy',
      'spec.serviceAccountName',
      'status.podIP',
    ],
    strategy: { prepareCreate: firstStatus({ phase: 'Pending' }) },
    returnsDeleted: true,
  }),
  builtIn(kinds.persistentVolumeClaims, {
    short: ['pvc'],
    columns: [
      at('Status', 'status.phase'),
      at('Volume', 'spec.volumeName'),
      at('Capacity', 'status.capacity.storage'),
      accessModes('status.accessModes'),
      at('StorageClass', 'spec.storageClassName'),
      unsetAt('VolumeAttributesClass', 'spec.volumeAttributesClassName'),
      ageColumn,
      at('VolumeMode', 'spec.volumeMode', { wide: true }),
    ],
    strategy: {
      prepareCreate: prepareClaim,
      validateUpdate: validateClaimChange,
    },
    returnsDeleted: true,
  }),
  builtIn(kinds.persistentVolumes, {
    short: ['pv'],
    columns: [
      at('Capacity', 'spec.capacity.storage'),
      accessModes('spec.accessModes'),
      at('Reclaim Policy', 'spec.persistentVolumeReclaimPolicy'),
      at('Status', 'status.phase'),
      column('Claim', (object) => {
        const name = fieldAt(object, 'spec.claimRef.name') as string | undefined;
        return name === undefined ? '' : `${textOf(fieldAt(object, 'spec.claimRef.namespace'))}/${name}`;
      }),
      at('StorageClass', 'spec.storageClassName'),
      unsetAt('VolumeAttributesClass', 'spec.volumeAttributesClassName'),
      at('Reason', 'status.reason'),
      ageColumn,
      at('VolumeMode', 'spec.volumeMode', { wide: true }),
    ],
    strategy: {
      prepareCreate: (object) => withMembers(withDefaultVolumeMode(object), { status: { phase: 'Pending' } }),
    },
    returnsDeleted: true,
  }),
  builtIn(kinds.events, {
    short: ['ev'],
    columns: [
      column('Last Seen', (object, nowMs) => ageSince(object['lastTimestamp'] ?? object['eventTime'], nowMs)),
      at('Type', 'type'),
      at('Reason', 'reason'),
      column('Object', (object) => {
        const kind = fieldAt(object, 'involvedObject.kind') as string | undefined;
        const name = fieldAt(object, 'involvedObject.name') as string | undefined;
        return `${(kind ?? '').toLowerCase()}/${name ?? ''}`;
      }),
      at('Subobject', 'involvedObject.fieldPath', { wide: true }),
      at('Source', 'source.component', { wide: true }),
      at('Message', 'message'),
      column('First Seen', (object, nowMs) => ageSince(object['firstTimestamp'], nowMs), { wide: true }),
      at('Count', 'count', { wide: true }),
      column('Name', (object) => object.metadata.name, { wide: true }),
    ],
    fields: [...involved, 'reason', 'reportingComponent', 'source', 'type'],
  }),
  builtIn(kinds.resourceQuotas, {
    short: ['quota'],
    strategy: { prepareCreate: (object) => withMembers(object, { status: {} }) },
    returnsDeleted: true,
  }),
  builtIn(kinds.storageClasses, {
    short: ['sc'],
    columns: [
      at('Provisioner', 'provisioner'),
      at('ReclaimPolicy', 'reclaimPolicy'),
      at('VolumeBindingMode', 'volumeBindingMode'),
      at('AllowVolumeExpansion', 'allowVolumeExpansion'),
      ageColumn,
    ],
  }),
  builtIn(kinds.leases, { columns: [at('Holder', 'spec.holderIdentity'), ageColumn] }),
  builtIn(kinds.jobs, {
    categories: ['all'],
    columns: [
      column('Status', (object) =>
        Number(fieldAt(object, 'status.succeeded') ?? 0) > 0 ? 'Complete' : 'Running',
      ),
      column('Completions', (object) => `${textOf(fieldAt(object, 'status.succeeded') ?? 0)}/1`),
      ageColumn,
    ],
    strategy: { prepareCreate: firstStatus({}), countsGenerations: true },
    orphansByDefault: true,
  }),
  builtIn(kinds.customResourceDefinitions, {
    short: ['crd', 'crds'],
    columns: [at('Created At', 'metadata.creationTimestamp')],
    strategy: { countsGenerations: true },
  }),
];

function withDefaultVolumeMode(object: StoredObject): StoredObject {
  const spec = isObject(object['spec']) ? object['spec'] : {};
  return withMembers(object, { spec: withMembers(spec, { volumeMode: spec['volumeMode'] ?? 'Filesystem' }) });
}
