import { affinity } from '../../api/affinity.ts';
import type { CustomResourceDefinition, JsonSchema, PrinterColumn } from '../../api/external/core.ts';
import {
  cdis,
  dataVolumes,
  networkAttachmentDefinitions,
  storageProfiles,
  virtualMachineInstances,
  virtualMachines,
} from '../../api/kinds.ts';
import type { ResourceKind } from '../../api/meta.ts';
import { resourceName } from '../../api/meta.ts';
import { machineSpec } from './machine-schema.ts';
import { anything, bool, int, list, map, nullable, object, oneOf, text, time } from './schema-words.ts';

/**
 * CDI's and KubeVirt's kinds with the fields of src/api/external and no others: a field that is missing here is refused, so that a typo
 * fails in a test and not on a cluster. Names and columns: fact: cdi 1, kubevirt 3.
 */
export interface ExternalDefinition {
  readonly kind: ResourceKind;
  readonly crd: CustomResourceDefinition;
}

const conditions = list(
  object(
    {
      type: text,
      status: text,
      reason: text,
      message: text,
      lastTransitionTime: time,
      lastHeartbeatTime: time,
      lastProbeTime: nullable(time),
    },
    ['type', 'status'],
  ),
);
const accessModes = list(text);

const dataVolumeSource = object({
  vddk: object({
    url: text,
    uuid: text,
    backingFile: text,
    thumbprint: text,
    secretRef: text,
    certConfigMap: text,
    initImageURL: text,
    extraArgs: text,
  }),
  imageio: object(
    { url: text, diskId: text, secretRef: text, certConfigMap: text, insecureSkipVerify: bool },
    ['url', 'diskId'],
  ),
  http: object(
    {
      url: text,
      secretRef: text,
      certConfigMap: text,
      extraHeaders: list(text),
      secretExtraHeaders: list(text),
      checksum: text,
      insecureSkipVerify: bool,
    },
    ['url'],
  ),
  blank: object({}),
});

const dataVolumeSpec = object({
  source: dataVolumeSource,
  storage: object({
    accessModes,
    volumeMode: text,
    storageClassName: text,
    volumeName: text,
    resources: object({ requests: map(text), limits: map(text) }),
  }),
  contentType: oneOf('kubevirt', 'archive'),
  checkpoints: list(object({ previous: text, current: text }, ['previous', 'current'])),
  finalCheckpoint: bool,
  preallocation: bool,
  priorityClassName: text,
  serviceAccountName: text,
});

const dataVolumeStatus = object({
  claimName: text,
  phase: text,
  progress: text,
  restartCount: int,
  conditions,
});

const claimPropertySets = list(object({ accessModes, volumeMode: text }));

const machineStatus = object({
  created: bool,
  ready: bool,
  printableStatus: text,
  runStrategy: text,
  observedGeneration: int,
  desiredGeneration: int,
  conditions,
});

const instanceStatus = object({
  phase: text,
  reason: text,
  nodeName: text,
  conditions,
  phaseTransitionTimestamps: list(object({ phase: text, phaseTransitionTimestamp: nullable(time) })),
  guestOSInfo: object({ id: text, name: text, prettyName: text, version: text }),
  interfaces: list(object({ name: text, mac: text, ipAddress: text, ipAddresses: list(text) })),
});

const matcher = object({ name: text, kind: text });
const vmSpec = object(
  {
    runStrategy: text,
    running: bool,
    instancetype: matcher,
    preference: matcher,
    template: object({ metadata: nullable(anything), spec: machineSpec(affinitySchema()) }),
  },
  ['template'],
);

const age: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };
const shown = (name: string, jsonPath: string, type = 'string'): PrinterColumn => ({ name, type, jsonPath });
const ready = shown('Ready', ".status.conditions[?(@.type=='Ready')].status");

interface About {
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly columns?: readonly PrinterColumn[];
  readonly required?: readonly string[];
}

function external(
  kind: ResourceKind,
  fields: Readonly<Record<string, JsonSchema>>,
  about: About,
): ExternalDefinition {
  const { shortNames = [], categories = [], columns, required = [] } = about;
  const root = object({ apiVersion: text, kind: text, metadata: { type: 'object' }, ...fields }, required);
  return {
    kind,
    crd: {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: resourceName(kind) },
      spec: {
        group: kind.group,
        names: {
          kind: kind.kind,
          listKind: `${kind.kind}List`,
          plural: kind.plural,
          singular: kind.kind.toLowerCase(),
          shortNames,
          categories,
        },
        scope: kind.namespaced ? 'Namespaced' : 'Cluster',
        versions: [
          {
            name: kind.version,
            served: true,
            storage: true,
            ...(columns !== undefined && { additionalPrinterColumns: columns }),
            ...(kind.hasStatus && { subresources: { status: {} } }),
            schema: { openAPIV3Schema: root },
          },
        ],
      },
    },
  };
}

export const externalDefinitions: readonly ExternalDefinition[] = [
  external(
    dataVolumes,
    { spec: dataVolumeSpec, status: dataVolumeStatus },
    {
      shortNames: ['dv', 'dvs'],
      categories: ['all'],
      required: ['spec'],
      columns: [
        shown('Phase', '.status.phase'),
        shown('Progress', '.status.progress'),
        shown('Restarts', '.status.restartCount', 'integer'),
        age,
      ],
    },
  ),
  external(
    storageProfiles,
    {
      spec: object({ claimPropertySets }),
      status: object({ storageClass: text, provisioner: text, claimPropertySets }),
    },
    {},
  ),
  external(
    cdis,
    {
      spec: anything,
      status: object({
        phase: text,
        observedVersion: text,
        operatorVersion: text,
        targetVersion: text,
        conditions,
      }),
    },
    { shortNames: ['cdi', 'cdis'], columns: [age, shown('Phase', '.status.phase')] },
  ),
  external(
    virtualMachines,
    { spec: vmSpec, status: machineStatus },
    {
      shortNames: ['vm', 'vms'],
      categories: ['all'],
      required: ['spec'],
      columns: [age, shown('Status', '.status.printableStatus'), ready],
    },
  ),
  external(
    virtualMachineInstances,
    { spec: machineSpec(affinitySchema()), status: instanceStatus },
    {
      shortNames: ['vmi', 'vmis'],
      categories: ['all'],
      required: ['spec'],
      columns: [
        age,
        shown('Phase', '.status.phase'),
        shown('IP', '.status.interfaces[0].ipAddress'),
        shown('NodeName', '.status.nodeName'),
        ready,
      ],
    },
  ),
  external(
    networkAttachmentDefinitions,
    { spec: object({ config: text }) },
    { shortNames: ['net-attach-def'] },
  ),
];

function affinitySchema(): JsonSchema {
  return JSON.parse(JSON.stringify(affinity(''))) as JsonSchema;
}
