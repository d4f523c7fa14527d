import { importSpec } from '../../../migration/import-spec.ts';
import type { Story } from '../story.ts';
import { create, read, send, at, remove } from '../story.ts';
import { claim, configMap, plan, planSpec, provider, secret, storageClass } from './objects.ts';

const forklift = 'forklift.konveyor.io/v1beta1';
const pair = {
  source: { name: 'vcenter', namespace: 'moves' },
  destination: { name: 'host', namespace: 'moves' },
};

export const creating: readonly Story[] = [
  {
    name: 'every kind of Gantry is stored as it was sent, with defaults and what the server adds',
    steps: [
      create('a provider', 'providers', provider('vcenter')),
      create('a host', 'hosts', {
        apiVersion: forklift,
        kind: 'Host',
        metadata: { name: 'esx' },
        spec: { provider: { name: 'vcenter' }, id: 'host-1', ipAddress: '192.0.2.1', secret: { name: 's' } },
      }),
      create('a network map', 'networkmaps', {
        apiVersion: forklift,
        kind: 'NetworkMap',
        metadata: { name: 'networks' },
        spec: { provider: pair, map: [{ source: { id: 'n-1' }, destination: { type: 'pod' } }] },
      }),
      create('a storage map', 'storagemaps', {
        apiVersion: forklift,
        kind: 'StorageMap',
        metadata: { name: 'storage' },
        spec: { provider: pair, map: [{ source: { id: 'd-1' }, destination: { storageClass: 'fast' } }] },
      }),
      create('a plan', 'plans', plan('move')),
      create('a migration', 'migrations', {
        apiVersion: forklift,
        kind: 'Migration',
        metadata: { name: 'run' },
        spec: { plan: { name: 'move', namespace: 'moves' } },
      }),
      create('a hook', 'hooks', {
        apiVersion: forklift,
        kind: 'Hook',
        metadata: { name: 'before' },
        spec: { image: 'example.com/hook:1', playbook: 'LSBuYW1lOiB4Cg==' },
      }),
      create(
        'an import',
        'virtualmachineimports',
        {
          apiVersion: 'gantry.dev/v1alpha1',
          kind: 'VirtualMachineImport',
          metadata: { name: 'web' },
          spec: importSpec(),
        },
        { as: 'gantry' },
      ),
      read('the plan again', 'plans', 'move'),
      read('the import again', 'virtualmachineimports', 'web'),
    ],
  },
  {
    name: 'the kinds of Kubernetes that Gantry writes are stored with their defaults',
    steps: [
      create('a storage class', 'storageclasses', storageClass()),
      create('a config map', 'configmaps', configMap('map')),
      create(
        'a secret in clear text',
        'secrets',
        secret('clear', { stringData: { user: 'me', a: 'b' }, data: { a: 'eA==', z: 'eg==' } }),
      ),
      create('a claim', 'persistentvolumeclaims', claim('disk')),
      create(
        'a block claim without a class',
        'persistentvolumeclaims',
        claim('block', { storageClassName: '', volumeMode: 'Block' }),
      ),
      create('a job', 'jobs', {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name: 'hook' },
        spec: {
          backoffLimit: 0,
          suspend: true,
          template: {
            spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'example.com/image:1' }] },
          },
        },
      }),
      create('a lease', 'leases', {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: 'leader' },
        spec: {
          holderIdentity: 'me',
          leaseDurationSeconds: 15,
          renewTime: '2026-01-01T00:00:00.123456Z',
          leaseTransitions: 0,
        },
      }),
      create('a quota', 'resourcequotas', {
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { name: 'quota' },
        spec: { hard: { 'requests.storage': '10Gi' } },
      }),
      create('an event', 'events', {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: 'move.1' },
        involvedObject: { apiVersion: forklift, kind: 'Plan', name: 'move', namespace: '{ns}' },
        type: 'Normal',
        reason: 'Started',
        message: 'It has begun',
        source: { component: 'gantry' },
        count: 1,
        firstTimestamp: '2026-01-01T00:00:00Z',
        lastTimestamp: '2026-01-01T00:00:00Z',
      }),
      create('a persistent volume', 'persistentvolumes', {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name: 'volume-{ns}' },
        spec: {
          accessModes: ['ReadWriteOnce'],
          capacity: { storage: '1Gi' },
          storageClassName: 'class-{ns}',
          hostPath: { path: '/none' },
        },
      }),
      create('a namespace', 'namespaces', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'third-{ns}' },
      }),
      remove('tidy up the volume', 'persistentvolumes', 'volume-{ns}', undefined, { quiet: true }),
      remove('tidy up the class', 'storageclasses', 'class-{ns}', undefined, { quiet: true }),
      remove('tidy up the namespace', 'namespaces', 'third-{ns}', undefined, { quiet: true }),
    ],
  },
  {
    name: 'a name that is taken is told, and the object that has it stays as it is',
    steps: [
      create('a config map', 'configmaps', configMap('taken')),
      create('another of that name', 'configmaps', configMap('taken', {}, { b: '2' })),
      create('a plan', 'plans', plan('taken')),
      create('another plan of that name', 'plans', plan('taken')),
      create('one that is wrong besides', 'plans', plan('taken', { type: 'tepid' })),
      read('the first', 'configmaps', 'taken'),
    ],
  },
  {
    name: 'a generated name is the prefix with five letters, and must be a good name too',
    steps: [
      create('a config map', 'configmaps', {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { generateName: 'made-' },
      }),
      create('a plan', 'plans', { ...plan(''), metadata: { generateName: 'made-' } }),
      create('a name wins', 'configmaps', {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'chosen', generateName: 'made-' },
      }),
      create(
        'a bad prefix',
        'configmaps',
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'Made_' } },
        { parts: ['code', 'reason', 'details.causes.0'] },
      ),
      create(
        'a bad prefix of a plan',
        'plans',
        { ...plan(''), metadata: { generateName: 'Made_' } },
        { parts: ['code', 'reason', 'details.causes.0'] },
      ),
      create('neither name nor prefix', 'configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} }),
      create('a plan with neither', 'plans', { ...plan(''), metadata: {} }),
      create('no metadata', 'configmaps', { apiVersion: 'v1', kind: 'ConfigMap' }),
    ],
  },
  {
    name: 'a dry run checks all and stores nothing',
    steps: [
      create('a config map', 'configmaps', configMap('dry'), { query: { dryRun: 'All' } }),
      create('a plan', 'plans', plan('dry'), { query: { dryRun: 'All' } }),
      create(
        'a generated name',
        'configmaps',
        { metadata: { generateName: 'dry-' } },
        { query: { dryRun: 'All' } },
      ),
      create('a wrong plan', 'plans', plan('dry', { type: 'tepid' }), { query: { dryRun: 'All' } }),
      create('an unknown kind of dry run', 'plans', plan('dry'), { query: { dryRun: 'Some' } }),
      read('nothing is there', 'configmaps', 'dry'),
    ],
  },
  {
    name: 'names, labels, annotations, finalizers and owners must be well formed',
    steps: [
      create('an upper-case name', 'configmaps', configMap('Upper')),
      create('an upper-case name of a plan', 'plans', plan('Upper')),
      create('a name that ends in a dash', 'plans', plan('dash-')),
      create('a name that is too long', 'plans', plan('x'.repeat(254))),
      create('a namespace name with a dot', 'namespaces', { metadata: { name: 'a.b' } }),
      create('a name with a slash', 'configmaps', configMap('a/b')),
      create('a name with a percent sign', 'plans', plan('a%b')),
      create(
        'a label with a space in its key',
        'configmaps',
        configMap('labels', { labels: { 'a b': 'x' } }),
      ),
      create(
        'a label with a space in its value',
        'configmaps',
        configMap('labels', { labels: { ok: 'bad value' } }),
      ),
      create('a label with two slashes', 'configmaps', configMap('labels', { labels: { 'x/y/z': '1' } })),
      create('a label with an empty prefix', 'configmaps', configMap('labels', { labels: { '/n': '1' } })),
      create(
        'a label with an upper-case prefix',
        'configmaps',
        configMap('labels', { labels: { 'Example.com/n': '1' } }),
      ),
      create(
        'a label that is too long',
        'configmaps',
        configMap('labels', { labels: { long: 'l'.repeat(64) } }),
      ),
      create(
        'a key that is too long',
        'configmaps',
        configMap('labels', { labels: { ['k'.repeat(64)]: 'v' } }),
      ),
      create('labels of a plan', 'plans', plan('labels', {}, { labels: { 'a b': 'x' } })),
      create('annotations', 'configmaps', configMap('notes', { annotations: { 'a b': 'x' } })),
      create(
        'an upper-case prefix of an annotation',
        'configmaps',
        configMap('notes', { annotations: { 'UPPER.example.com/ok': '' } }),
      ),
      create(
        'too many annotations',
        'configmaps',
        configMap('notes', { annotations: { a: 'x'.repeat(262_145) } }),
        { parts: ['kind', 'reason', 'message', 'details', 'code'] },
      ),
      create(
        'finalizers',
        'configmaps',
        configMap('held', { finalizers: ['plain', 'a b', 'example.com/good'] }),
      ),
      create(
        'finalizers of a plan',
        'plans',
        plan('held', {}, { finalizers: ['plain', 'example.com/good', 'a b'] }),
      ),
      create(
        'owners',
        'configmaps',
        configMap('owned', { ownerReferences: [{ apiVersion: '', kind: '', name: '', uid: '' }] }),
      ),
      create(
        'owner without a uid',
        'plans',
        plan('owned', {}, { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x' }] }),
      ),
      create(
        'two controllers',
        'configmaps',
        configMap('owned', {
          ownerReferences: ['a', 'b'].map((name) => ({
            apiVersion: 'v1',
            kind: 'ConfigMap',
            name,
            uid: `uid-${name}`,
            controller: true,
          })),
        }),
      ),
      create(
        'an event as owner',
        'configmaps',
        configMap('owned', {
          ownerReferences: [{ apiVersion: 'v1', kind: 'Event', name: 'e', uid: 'u' }],
        }),
      ),
      create('labels that are no text', 'configmaps', configMap('labels', { labels: { a: 1 } })),
      create('labels of a plan that are no text', 'plans', plan('labels', {}, { labels: { a: 1 } })),
      create('an unknown field of metadata', 'plans', plan('extra', {}, { nmae: 'x' }), {
        query: { fieldValidation: 'Strict' },
      }),
    ],
  },
  {
    name: 'what the server alone decides is refused or ignored in a new object',
    steps: [
      create('a version', 'configmaps', configMap('new', { resourceVersion: '1' })),
      create('a version of a plan', 'plans', plan('new', {}, { resourceVersion: '1' })),
      create(
        'uid, times and generation',
        'configmaps',
        configMap('new', {
          uid: 'mine',
          generation: 7,
          creationTimestamp: '2020-01-01T00:00:00Z',
          deletionTimestamp: '2020-01-01T00:00:00Z',
          deletionGracePeriodSeconds: 5,
          selfLink: '/x',
        }),
      ),
      create(
        'the same of a plan',
        'plans',
        plan(
          'new',
          {},
          {
            uid: 'mine',
            generation: 7,
            creationTimestamp: '2020-01-01T00:00:00Z',
            deletionTimestamp: '2020-01-01T00:00:00Z',
            deletionGracePeriodSeconds: 5,
            selfLink: '/x',
          },
        ),
      ),
      create('a status of a plan', 'plans', { ...plan('state'), status: { observedGeneration: 5 } }),
      create('a status of a claim', 'persistentvolumeclaims', {
        ...claim('state'),
        status: { phase: 'Bound' },
      }),
    ],
  },
  {
    name: 'an object must be of the kind and namespace that the path names',
    steps: [
      create('another namespace', 'configmaps', configMap('x', { namespace: '{other}' })),
      create('another namespace of a plan', 'plans', plan('x', {}, { namespace: '{other}' })),
      create('the same namespace', 'configmaps', configMap('x', { namespace: '{ns}' })),
      create('another kind', 'configmaps', { ...configMap('y'), kind: 'Secret', data: undefined }),
      create('another kind at plans', 'plans', { ...plan('y'), kind: 'Provider' }),
      create('an unknown kind', 'plans', { ...plan('y'), kind: 'Plam' }),
      create('another version', 'plans', { ...plan('y'), apiVersion: 'forklift.konveyor.io/v1' }),
      create('another group', 'configmaps', { ...configMap('y'), apiVersion: 'apps/v1' }),
      create('no kind', 'plans', { apiVersion: forklift, metadata: { name: 'y' }, spec: planSpec }),
      create('no version', 'plans', { kind: 'Plan', metadata: { name: 'y' }, spec: planSpec }),
      create('neither, of a kind of Kubernetes', 'configmaps', { metadata: { name: 'y' } }),
      create('a namespace that is not there', 'configmaps', configMap('x'), { namespace: 'nowhere-{ns}' }),
      create('a plan in a namespace that is not there', 'plans', plan('x'), { namespace: 'nowhere-{ns}' }),
      create('a wrong plan in a namespace that is not there', 'plans', plan('x', { type: 'tepid' }), {
        namespace: 'nowhere-{ns}',
      }),
      send('a namespace in the body of a namespace', 'POST', at('namespaces'), {
        body: { metadata: { name: 'fourth-{ns}', namespace: '{ns}' } },
      }),
    ],
  },
];
