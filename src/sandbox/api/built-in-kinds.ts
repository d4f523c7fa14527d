import * as kinds from '../../api/kinds.ts';
import type { ResourceKind } from '../../api/meta.ts';
import { claimStrategy, volumeStrategy } from './claim-strategy.ts';
import { ageColumn, ageSince, column, fieldAt, nameColumn } from './columns.ts';
import { configMapStrategy, secretStrategy } from './data-strategy.ts';
import { isList, isObject, textOf, withMembers } from './json.ts';
import { quoted } from './refusal.ts';
import { definitionStrategy } from './definition-strategy.ts';
import { classStrategy, eventStrategy, leaseStrategy, namespaceStrategy } from './small-strategies.ts';
import { podColumns } from './pod-columns.ts';
import { jobStrategy, podStrategy } from './pod-strategy.ts';
import type { Column, ServedKind, Strategy } from './served-kind.ts';

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
  readonly unknownFieldText?: ServedKind['unknownFieldText'];
  /** Members beside apiVersion, kind and metadata; default: spec and status. */
  readonly members?: readonly string[];
  readonly specMembers?: readonly string[];
  /** Column of the name stands where the kind's own columns put it. */
  readonly ownName?: boolean;
}

const plainText = (field: string): string => `field label not supported: ${field}`;
const listedText = (field: string): string =>
  `${quoted(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`;

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
    unknownFieldText: about.unknownFieldText ?? listedText,
    members: about.members ?? ['spec', 'status'],
    specMembers: about.specMembers,
    columns: about.ownName === true ? (about.columns ?? []) : [nameColumn, ...(about.columns ?? [ageColumn])],
    returnsDeleted: about.returnsDeleted ?? false,
    orphansByDefault: about.orphansByDefault ?? false,
    strategy: about.strategy ?? {},
  };
}

/** Where nothing is, an empty text is shown. */
const at = (name: string, path: string, options: { wide?: boolean; type?: string } = {}): Column =>
  column(name, (object) => fieldAt(object, path) ?? '', options);
const unsetAt = (name: string, path: string, options: { wide?: boolean } = {}): Column =>
  column(name, (object) => fieldAt(object, path) ?? '<unset>', options);
const count = (name: string, ...fields: readonly string[]): Column =>
  column(name, (object) =>
    fields.reduce((sum, field) => {
      const value = object[field];
      return sum + (isObject(value) ? Object.keys(value).length : 0);
    }, 0),
  );

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

const ofContainers = (name: string, member: string): Column =>
  column(
    name,
    (object) => {
      const containers = fieldAt(object, 'spec.template.spec.containers');
      return isList(containers)
        ? containers.map((one) => (isObject(one) ? textOf(one[member]) : '')).join(',')
        : '';
    },
    { wide: true },
  );

/** "requests.cpu: 1/2, ...": what is used of what is allowed. */
const usedColumn = (name: string, ofLimits: boolean): Column =>
  column(name, (object) => {
    const hard = fieldAt(object, 'status.hard');
    if (!isObject(hard)) return '';
    const used = fieldAt(object, 'status.used');
    return Object.keys(hard)
      .filter((key) => key.startsWith('limits.') === ofLimits)
      .sort()
      .map((key) => `${key}: ${isObject(used) ? textOf(used[key]) : '0'}/${textOf(hard[key])}`)
      .join(', ');
  });

const involved = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map(
  (field) => `involvedObject.${field}`,
);

export const builtInKinds: readonly ServedKind[] = [
  builtIn(kinds.namespaces, {
    short: ['ns'],
    columns: [at('Status', 'status.phase'), ageColumn],
    fields: ['status.phase'],
    strategy: namespaceStrategy,
    unknownFieldText: plainText,
    returnsDeleted: true,
    nameRule: 'label',
  }),
  builtIn(kinds.secrets, {
    columns: [at('Type', 'type'), count('Data', 'data'), ageColumn],
    fields: ['type'],
    strategy: secretStrategy,
    unknownFieldText: plainText,
    members: ['data', 'stringData', 'type', 'immutable'],
  }),
  builtIn(kinds.configMaps, {
    members: ['data', 'binaryData', 'immutable'],
    short: ['cm'],
    columns: [count('Data', 'data', 'binaryData'), ageColumn],
    strategy: configMapStrategy,
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
    strategy: podStrategy,
    unknownFieldText: plainText,
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
    strategy: claimStrategy,
    specMembers: [
      'accessModes',
      'dataSource',
      'dataSourceRef',
      'resources',
      'selector',
      'storageClassName',
      'volumeAttributesClassName',
      'volumeMode',
      'volumeName',
    ],
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
    strategy: volumeStrategy((object) => object.metadata.creationTimestamp),
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
      { ...nameColumn, priority: 1 },
    ],
    ownName: true,
    unknownFieldText: plainText,
    strategy: eventStrategy,
    members: [
      'action',
      'count',
      'eventTime',
      'firstTimestamp',
      'involvedObject',
      'lastTimestamp',
      'message',
      'reason',
      'related',
      'reportingComponent',
      'reportingInstance',
      'series',
      'source',
      'type',
    ],
    fields: [...involved, 'reason', 'reportingComponent', 'source', 'type'],
  }),
  builtIn(kinds.resourceQuotas, {
    short: ['quota'],
    columns: [usedColumn('Request', false), usedColumn('Limit', true), ageColumn],
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
    returnsDeleted: true,
    members: [
      'allowVolumeExpansion',
      'allowedTopologies',
      'mountOptions',
      'parameters',
      'provisioner',
      'reclaimPolicy',
      'volumeBindingMode',
    ],
    strategy: classStrategy,
  }),
  builtIn(kinds.leases, {
    strategy: leaseStrategy,
    columns: [at('Holder', 'spec.holderIdentity'), ageColumn],
  }),
  builtIn(kinds.jobs, {
    categories: ['all'],
    columns: [
      column('Status', (object) =>
        fieldAt(object, 'spec.suspend') === true
          ? 'Suspended'
          : Number(fieldAt(object, 'status.succeeded') ?? 0) > 0
            ? 'Complete'
            : 'Running',
      ),
      column('Completions', (object) => `${textOf(fieldAt(object, 'status.succeeded') ?? 0)}/1`),
      column('Duration', () => ''),
      ageColumn,
      ofContainers('Containers', 'name'),
      ofContainers('Images', 'image'),
      column(
        'Selector',
        (object) => {
          const labels = fieldAt(object, 'spec.selector.matchLabels');
          return isObject(labels)
            ? Object.entries(labels)
                .map(([key, value]) => `${key}=${textOf(value)}`)
                .join(',')
            : '<none>';
        },
        { wide: true },
      ),
    ],
    strategy: jobStrategy,
    unknownFieldText: (field) => `field label "${field}" not supported for Job`,
    orphansByDefault: true,
  }),
  builtIn(kinds.customResourceDefinitions, {
    short: ['crd', 'crds'],
    columns: [at('Created At', 'metadata.creationTimestamp', { type: 'date' })],
    strategy: definitionStrategy,
  }),
];
