import fc from 'fast-check';
import type { Affinity } from '../../src/api/affinity.ts';
import type { FreezeInput } from '../../src/migration/freeze/input.ts';
import { sampleInput, samplePlan } from '../target/sample-import.ts';
import { datastores, defined, maybe, mostly, sourceNetworks, sourceVms } from './source-vms.ts';

/** Plans and maps as users may write them, with one of the source VMs each. */

const chosen = <T>(usual: readonly T[], odd: readonly T[]) =>
  mostly(fc.constantFrom(...usual), fc.constantFrom(...odd), 40);

const pvcNameTemplate = chosen(
  [
    undefined,
    'd{{.DiskIndex}}',
    'a-{{ .TargetVmName | lower | replace "." "-" | trunc 30 | trimAll "-" }}-{{ .DiskIndex }}',
    '{{if eq .DiskIndex .RootDiskIndex}}root{{else}}data{{end}}-{{.DiskIndex}}',
  ],
  ['{{.VmName}}', '{{.PlanName}}-{{.DiskIndex}}', 'disk', '{{ if'],
);
const volumeNameTemplate = chosen([undefined, '{{.PVCName}}', 'v{{.VolumeIndex}}'], ['same']);
const networkNameTemplate = chosen(
  [undefined, '{{.NetworkType}}-{{.NetworkIndex}}'],
  ['{{.NetworkName}}', 'n.{{.NetworkIndex}}'],
);

const labels = chosen<Readonly<Record<string, string>> | undefined>(
  [undefined, {}, { team: 'a' }, { 'example.com/team': 'A.b_c', empty: '' }],
  [
    { 'not a key': 'x' },
    { team: 'not a value' },
    { team: 'x'.repeat(64) },
    { 'kubevirt.io/created-by': 'me' },
  ],
);
const nodeSelector = chosen<Readonly<Record<string, string>> | undefined>(
  [undefined, { 'kubernetes.io/os': 'linux' }, { 'example.com/zone': 'a' }],
  [{ 'not a key': 'x' }, { zone: '-' }],
);
const onZone = (operator: string, values?: readonly string[]): Affinity => ({
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [
        { matchExpressions: [{ key: 'zone', operator, ...(values && { values: [...values] }) }] },
      ],
    },
  },
});
const affinity = chosen<Affinity | undefined>(
  [undefined, onZone('In', ['a', 'b']), onZone('Exists')],
  [
    onZone('Like', ['a']),
    onZone('In'),
    { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } },
  ],
);

const state = fc.constantFrom('on' as const, 'off' as const, 'auto' as const);
const planSpec = fc
  .record({
    skipGuestConversion: maybe(fc.boolean()),
    useCompatibilityMode: maybe(fc.boolean()),
    enableNestedVirtualization: maybe(fc.boolean()),
    preserveClusterCpuModel: maybe(fc.boolean()),
    preserveStaticIPs: maybe(fc.boolean()),
    installLegacyDrivers: maybe(fc.boolean()),
    xfsCompatibility: maybe(fc.boolean()),
    deleteVmOnFailMigration: maybe(fc.boolean()),
    migrateSharedDisks: mostly(fc.constantFrom(undefined, true), fc.constant(false)),
    rdmAsLun: mostly(fc.constantFrom(undefined, false), fc.constant(true)),
    pvcNameTemplate,
    pvcNameTemplateUseGenerateName: maybe(fc.boolean()),
    volumeNameTemplate,
    networkNameTemplate,
    type: mostly(
      fc.constantFrom(undefined, 'cold' as const, 'warm' as const),
      fc.constantFrom('live' as const, 'conversion' as const),
      40,
    ),
    targetPowerState: maybe(state),
    targetLabels: labels,
    targetNodeSelector: nodeSelector,
    targetAffinity: affinity,
  })
  .map(defined);
const planName = fc.stringMatching(/^[a-z]([a-z0-9.-]{0,100}[a-z0-9])?$/);

const plan = fc.record({ spec: planSpec, name: planName }).map(({ spec, name }) => {
  const sample = samplePlan();
  const { skipGuestConversion: _skip, useCompatibilityMode: _compatibility, ...rest } = sample.spec;
  return { metadata: { ...sample.metadata, name }, spec: { ...rest, ...spec } };
});

const elsewhere = fc.constantFrom(
  { type: 'multus' as const, namespace: 'nets', name: 'vlan-1' },
  { type: 'multus' as const, name: 'vlan-2' },
  { type: 'multus' as const, name: 'vlan-3' },
  { type: 'ignored' as const },
);
const destination = fc.oneof(
  { weight: 4, arbitrary: elsewhere },
  { weight: 1, arbitrary: fc.constant({ type: 'pod' as const }) },
);
const anyNetworkMap = fc.array(
  fc.record({ source: fc.constantFrom(...sourceNetworks).map((id) => ({ id })), destination }),
  { minLength: 1, maxLength: 6 },
);
const wholeNetworkMap = fc
  .tuple(destination, destination)
  .map((destinations) =>
    destinations.map((to, index) => ({ source: { id: sourceNetworks[index] ?? '' }, destination: to })),
  );
const storageMap = chosen([datastores], [datastores.slice(1)]).map((ids) =>
  ids.map((id) => ({ source: { id }, destination: { storageClass: 'fast' } })),
);

const planVm = fc
  .record({
    targetName: chosen(
      [undefined, '', 'chosen', 'chosen.example.com', `${'c'.repeat(70)}.d`, '1'],
      ['Chosen', 'a_b', 'c'.repeat(254)],
    ),
    instanceType: chosen([undefined, '', 'u1.small'], ['No Such Type']),
    rootDisk: maybe(fc.constantFrom('/dev/sda', '/dev/sdc', 'vdb', '/dev/nonsense')),
    targetPowerState: maybe(state),
    enableNestedVirtualization: maybe(fc.boolean()),
    volumeNameTemplate: chosen([undefined, 'w{{.VolumeIndex}}'], ['{{.Nothing}}']),
  })
  .map((choices) => ({ id: 'vm-10', ...defined(choices) }));

export const freezeInputs: fc.Arbitrary<FreezeInput> = fc
  .record({
    model: sourceVms,
    plan,
    networkMap: mostly(wholeNetworkMap, anyNetworkMap, 4),
    storageMap,
    planVm,
  })
  .map((changes) => sampleInput(changes));
