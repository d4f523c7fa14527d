import type { Story } from '../story.ts';
import { at, create, json, list, merge, put, read, remove, send } from '../story.ts';
import { claim, configMap, plan, pod, secret, storageClass } from './objects.ts';

const quiet = { quiet: true };

export const kubernetes: readonly Story[] = [
  {
    name: 'what is immutable stays as it is',
    steps: [
      create('a secret', 'secrets', secret('s', { immutable: true, data: { a: 'eA==' } })),
      merge('its data', 'secrets', 's', { data: { a: 'eQ==' } }),
      merge('its clear text', 'secrets', 's', { stringData: { b: 'y' } }),
      merge('that it is immutable', 'secrets', 's', { immutable: false }),
      merge('that it is immutable, by null', 'secrets', 's', { immutable: null }),
      merge('both', 'secrets', 's', { immutable: null, data: { a: null } }),
      merge('its labels', 'secrets', 's', { metadata: { labels: { a: '1' } } }),
      create('another secret', 'secrets', secret('t', { type: 'example.com/a' }), quiet),
      merge('its type', 'secrets', 't', { type: 'example.com/b' }),
      create('a config map', 'configmaps', { ...configMap('c'), immutable: true, binaryData: { b: 'eA==' } }),
      merge('its data too', 'configmaps', 'c', { data: { a: '2' } }),
      merge('its binary data', 'configmaps', 'c', { binaryData: null }),
      merge('a key in both', 'configmaps', 'c', { immutable: true, binaryData: { a: 'eA==' } }),
      create('a key twice', 'configmaps', { ...configMap('d'), binaryData: { a: 'eA==' } }),
      merge('clear text over data', 'secrets', 't', { data: { a: 'eA==' }, stringData: { a: 'y' } }),
    ],
  },
  {
    name: 'a claim keeps its spec, and grows only where its class lets it and it is bound',
    steps: [
      create('a class', 'storageclasses', storageClass({ allowVolumeExpansion: true }), quiet),
      create('a claim', 'persistentvolumeclaims', claim('v')),
      merge('another mode', 'persistentvolumeclaims', 'v', { spec: { accessModes: ['ReadWriteMany'] } }),
      merge('another class', 'persistentvolumeclaims', 'v', { spec: { storageClassName: 'other' } }),
      merge('another volume mode', 'persistentvolumeclaims', 'v', { spec: { volumeMode: 'Block' } }),
      merge('more room while it is pending', 'persistentvolumeclaims', 'v', {
        spec: { resources: { requests: { storage: '2Gi' } } },
      }),
      merge('less room', 'persistentvolumeclaims', 'v', {
        spec: { resources: { requests: { storage: '1Mi' } } },
      }),
      merge('labels and owners', 'persistentvolumeclaims', 'v', {
        metadata: { labels: { a: '1' }, annotations: { n: 'x' } },
      }),
      merge(
        'a volume',
        'persistentvolumeclaims',
        'v',
        { spec: { volumeName: 'volume-{ns}' } },
        { query: { dryRun: 'All' }, parts: ['spec.volumeName'] },
      ),
      remove('tidy up', 'storageclasses', 'class-{ns}', undefined, quiet),
    ],
  },
  {
    name: 'a claim that is bound grows where its class lets it',
    steps: [
      create('a class', 'storageclasses', storageClass({ allowVolumeExpansion: true }), quiet),
      create(
        'a volume',
        'persistentvolumes',
        {
          apiVersion: 'v1',
          kind: 'PersistentVolume',
          metadata: { name: 'volume-{ns}' },
          spec: {
            accessModes: ['ReadWriteOnce'],
            capacity: { storage: '1Gi' },
            storageClassName: 'class-{ns}',
            hostPath: { path: '/none' },
            claimRef: { namespace: '{ns}', name: 'v' },
          },
        },
        quiet,
      ),
      create('a claim', 'persistentvolumeclaims', claim('v', { volumeName: 'volume-{ns}' }), quiet),
      merge(
        'that it is bound, where nobody binds',
        'persistentvolumeclaims',
        'v',
        { status: { phase: 'Bound', capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'] } },
        { sub: 'status', quiet: true },
      ),
      read('it is bound', 'persistentvolumeclaims', 'v', {
        until: { at: 'status.phase', is: 'Bound' },
        parts: ['status', 'spec'],
      }),
      merge('another volume', 'persistentvolumeclaims', 'v', { spec: { volumeName: 'other' } }),
      merge(
        'more room',
        'persistentvolumeclaims',
        'v',
        { spec: { resources: { requests: { storage: '2Gi' } } } },
        // Admission hears of a class a moment after it was made or changed.
        { parts: ['spec.resources', 'metadata.generation', 'code', 'message'], until: { status: 200 } },
      ),
      merge('less room again', 'persistentvolumeclaims', 'v', {
        spec: { resources: { requests: { storage: '1Gi' } } },
      }),
      merge(
        'a bad size',
        'persistentvolumeclaims',
        'v',
        { spec: { resources: { requests: { storage: 'big' } } } },
        { parts: ['code', 'reason', 'details.causes.0.reason', 'details.causes.0.field'] },
      ),
      merge('that it grows no more', 'storageclasses', 'class-{ns}', { allowVolumeExpansion: false }, quiet),
      merge(
        'more room of a class that does not grow',
        'persistentvolumeclaims',
        'v',
        { spec: { resources: { requests: { storage: '3Gi' } } } },
        { query: { dryRun: 'All' }, until: { status: 403 } },
      ),
      remove('tidy up', 'storageclasses', 'class-{ns}', undefined, quiet),
      remove('tidy up the volume', 'persistentvolumes', 'volume-{ns}', undefined, quiet),
    ],
  },
  {
    name: 'a claim in use stays until its pod is gone',
    steps: [
      create('a claim', 'persistentvolumeclaims', claim('v', { storageClassName: '' }), quiet),
      create(
        'a pod on a node',
        'pods',
        pod('p', {
          nodeName: 'nowhere',
          terminationGracePeriodSeconds: 0,
          volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'v' } }],
        }),
        { ...quiet, until: { status: 201 } },
      ),
      remove('the claim', 'persistentvolumeclaims', 'v', undefined, {
        parts: ['metadata.finalizers', 'metadata.deletionTimestamp', 'kind'],
      }),
      read('it waits', 'persistentvolumeclaims', 'v', {
        parts: ['metadata.finalizers', 'metadata.deletionTimestamp', 'status.phase'],
      }),
      remove('the pod', 'pods', 'p', { gracePeriodSeconds: 0 }, quiet),
      read('it is gone', 'persistentvolumeclaims', 'v', { until: { status: 404 } }),
    ],
  },
  {
    name: 'a pod gets its defaults, and keeps nearly all of its spec',
    steps: [
      create(
        'a pod',
        'pods',
        pod('p', {
          automountServiceAccountToken: false,
          containers: [
            {
              name: 'main',
              image: 'example.com/image',
              ports: [{ containerPort: 80 }],
              resources: { requests: { cpu: '100m' }, limits: { cpu: '200m', memory: '64Mi' } },
            },
          ],
        }),
        { until: { status: 201 } },
      ),
      create(
        'one with latest',
        'pods',
        pod('q', {
          automountServiceAccountToken: false,
          restartPolicy: 'Never',
          containers: [{ name: 'main', image: 'example.com/image:latest' }],
          volumes: [
            { name: 'e', emptyDir: {} },
            { name: 's', secret: { secretName: 's' } },
            { name: 'c', configMap: { name: 'c' } },
          ],
        }),
      ),
      merge(
        'another image',
        'pods',
        'p',
        { spec: { containers: [{ name: 'main', image: 'example.com/image:2' }] } },
        { parts: ['code', 'reason', 'details.kind', 'details.causes.0.reason', 'details.causes.0.field'] },
      ),
      json(
        'its image alone',
        'pods',
        'p',
        [{ op: 'replace', path: '/spec/containers/0/image', value: 'example.com/image:2' }],
        { parts: ['spec.containers.0.image', 'metadata.generation', 'code'] },
      ),
      merge(
        'a status',
        'pods',
        'p',
        { status: { phase: 'Running', podIP: '192.0.2.1' } },
        { sub: 'status', parts: ['status.phase', 'status.podIP', 'metadata.generation'] },
      ),
      remove(
        'a pod on no node',
        'pods',
        'p',
        { gracePeriodSeconds: 0 },
        { parts: ['kind', 'metadata.deletionGracePeriodSeconds'] },
      ),
      create(
        'a pod on a node',
        'pods',
        pod('r', { automountServiceAccountToken: false, nodeName: 'nowhere' }),
        quiet,
      ),
      remove('with its usual grace', 'pods', 'r', undefined, {
        parts: [
          'kind',
          'metadata.deletionGracePeriodSeconds',
          'metadata.deletionTimestamp',
          'metadata.generation',
        ],
      }),
      remove(
        'with less',
        'pods',
        'r',
        { gracePeriodSeconds: 5 },
        { parts: ['kind', 'metadata.deletionGracePeriodSeconds', 'metadata.generation'] },
      ),
      remove(
        'with more',
        'pods',
        'r',
        { gracePeriodSeconds: 50 },
        { parts: ['kind', 'metadata.deletionGracePeriodSeconds', 'metadata.generation'] },
      ),
      remove(
        'with none',
        'pods',
        'r',
        { gracePeriodSeconds: 0 },
        { parts: ['kind', 'metadata.deletionGracePeriodSeconds'] },
      ),
      read('it is gone', 'pods', 'r'),
    ],
  },
  {
    name: 'a quota refuses what would exceed it',
    steps: [
      create(
        'a quota',
        'resourcequotas',
        {
          metadata: { name: 'quota' },
          spec: {
            hard: {
              'requests.storage': '3Gi',
              persistentvolumeclaims: '3',
              'count/configmaps': '100',
              'count/hooks.forklift.konveyor.io': '1',
            },
          },
        },
        quiet,
      ),
      read('it is counted', 'resourcequotas', 'quota', {
        until: { at: 'status.used.requests\\.storage', is: '0' },
        parts: ['status.hard', 'status.used.requests\\.storage', 'status.used.persistentvolumeclaims'],
      }),
      create(
        'a claim that fits',
        'persistentvolumeclaims',
        claim('a', { storageClassName: '', resources: { requests: { storage: '2Gi' } } }),
        quiet,
      ),
      read('it is counted again', 'resourcequotas', 'quota', {
        until: { at: 'status.used.requests\\.storage', is: '2Gi' },
        parts: ['status.used.requests\\.storage', 'status.used.persistentvolumeclaims'],
      }),
      create(
        'a claim too many',
        'persistentvolumeclaims',
        claim('b', { storageClassName: '', resources: { requests: { storage: '2Gi' } } }),
      ),
      create(
        'a claim too many, dry',
        'persistentvolumeclaims',
        claim('b', { storageClassName: '', resources: { requests: { storage: '2Gi' } } }),
        { query: { dryRun: 'All' } },
      ),
      create(
        'a wrong claim too many',
        'persistentvolumeclaims',
        claim('b', { storageClassName: '', accessModes: [], resources: { requests: { storage: '2Gi' } } }),
      ),
      create(
        'one that fits again',
        'persistentvolumeclaims',
        claim('b', { storageClassName: '', resources: { requests: { storage: '1024Mi' } } }),
        { parts: ['kind', 'spec.resources'] },
      ),
      create(
        'a third, of no great size',
        'persistentvolumeclaims',
        claim('c', { storageClassName: '', resources: { requests: { storage: '1' } } }),
      ),
      create(
        'a hook',
        'hooks',
        { apiVersion: 'forklift.konveyor.io/v1beta1', kind: 'Hook', metadata: { name: 'a' }, spec: {} },
        { parts: ['kind'] },
      ),
      create('a hook too many', 'hooks', {
        apiVersion: 'forklift.konveyor.io/v1beta1',
        kind: 'Hook',
        metadata: { name: 'b' },
        spec: {},
      }),
    ],
  },
  {
    name: 'leases and events are written as Gantry writes them',
    steps: [
      create(
        'a lease',
        'leases',
        {
          apiVersion: 'coordination.k8s.io/v1',
          kind: 'Lease',
          metadata: { name: 'l' },
          spec: {
            holderIdentity: 'a',
            leaseDurationSeconds: 15,
            acquireTime: '2026-01-01T00:00:00.000000Z',
            renewTime: '2026-01-01T00:00:00.000000Z',
            leaseTransitions: 0,
          },
        },
        { keep: { rv: 'metadata.resourceVersion' } },
      ),
      merge(
        'a renewal',
        'leases',
        'l',
        { metadata: { resourceVersion: '{rv}' }, spec: { renewTime: '2026-01-01T00:00:02.500000Z' } },
        { keep: { fresh: 'metadata.resourceVersion' } },
      ),
      merge('a stale renewal', 'leases', 'l', {
        metadata: { resourceVersion: '{rv}' },
        spec: { holderIdentity: 'b' },
      }),
      merge(
        'a time with too few digits',
        'leases',
        'l',
        { spec: { renewTime: '2026-01-01T00:00:02.500Z' } },
        { parts: ['code', 'reason', 'details.causes.0.reason', 'details.causes.0.field'] },
      ),
      put('an update', 'leases', 'l', {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: 'l', resourceVersion: '{fresh}' },
        spec: { holderIdentity: 'b', leaseDurationSeconds: 15 },
      }),
      create('an event', 'events', {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: 'p.1' },
        involvedObject: {
          apiVersion: 'forklift.konveyor.io/v1beta1',
          kind: 'Plan',
          name: 'p',
          namespace: '{ns}',
          uid: '{ns}',
        },
        type: 'Normal',
        reason: 'Started',
        message: 'm',
        source: { component: 'gantry' },
        count: 1,
        firstTimestamp: '2026-01-01T00:00:00Z',
        lastTimestamp: '2026-01-01T00:00:00Z',
        eventTime: null,
        reportingComponent: '',
        reportingInstance: '',
      }),
      merge('once more', 'events', 'p.1', { count: 2, lastTimestamp: '2026-01-01T00:01:00Z' }),
      create('an event without a namespace of its object', 'events', {
        metadata: { name: 'p.2' },
        involvedObject: { kind: 'Plan', name: 'p' },
      }),
      create(
        'an event that is long',
        'events',
        {
          metadata: { name: 'p.3' },
          involvedObject: { kind: 'Plan', name: 'p', namespace: '{ns}' },
          message: 'm'.repeat(2000),
        },
        { parts: ['kind', 'code', 'message'] },
      ),
    ],
  },
  {
    name: 'namespaces, classes and volumes keep to their rules',
    steps: [
      send('the namespace', 'GET', at('namespaces', '{ns}')),
      merge('its label', 'namespaces', '{ns}', { metadata: { labels: { a: '1' } } }),
      merge('its own label', 'namespaces', '{ns}', {
        metadata: { labels: { 'kubernetes.io/metadata.name': 'x' } },
      }),
      create('a namespace that is there', 'namespaces', { metadata: { name: '{ns}' } }),
      create('a class', 'storageclasses', storageClass(), quiet),
      merge('its provisioner', 'storageclasses', 'class-{ns}', { provisioner: 'example.com/other' }),
      merge(
        'that it grows',
        'storageclasses',
        'class-{ns}',
        { allowVolumeExpansion: true },
        { parts: ['allowVolumeExpansion', 'code'] },
      ),
      create('a class without a provisioner', 'storageclasses', { metadata: { name: 'other-{ns}' } }),
      create('a plan after all', 'plans', plan('p'), { parts: ['kind'] }),
      list(
        'the namespaces of this story',
        'namespaces',
        { fieldSelector: 'metadata.name={other}' },
        { parts: ['items.0.metadata.name', 'items.1'] },
      ),
      remove('tidy up', 'storageclasses', 'class-{ns}', undefined, quiet),
    ],
  },
];
