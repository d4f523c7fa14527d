import type { Story } from '../story.ts';
import { at, create, everywhere, json, list, merge, put, read, remove, send } from '../story.ts';
import { claim, configMap, owner, plan, pod, secret, storageClass } from './objects.ts';

const quiet = { quiet: true };
const held = (name: string): ReturnType<typeof create> =>
  create(`${name}, held`, 'plans', plan(name, {}, { finalizers: ['example.com/held'] }), {
    quiet: true,
    keep: { uid: 'metadata.uid', rv: 'metadata.resourceVersion' },
  });
const gone = (plural: string, name: string) =>
  read(`${name} is gone`, plural, name, { until: { status: 404 } });

export const deleting: readonly Story[] = [
  {
    name: 'a deletion answers with what is gone, or says what was done',
    steps: [
      create('a config map', 'configmaps', configMap('c'), quiet),
      create('a secret', 'secrets', secret('s'), quiet),
      create('a plan', 'plans', plan('p'), quiet),
      create('a claim', 'persistentvolumeclaims', claim('v', { storageClassName: '' }), quiet),
      create('a lease', 'leases', { metadata: { name: 'l' } }, quiet),
      create('a pod', 'pods', pod('p'), { until: { status: 201 }, quiet: true }),
      create('a quota', 'resourcequotas', { metadata: { name: 'q' }, spec: {} }, quiet),
      create('an event', 'events', { metadata: { name: 'e' }, involvedObject: { namespace: '{ns}' } }, quiet),
      create('a class', 'storageclasses', storageClass(), quiet),
      remove('the config map', 'configmaps', 'c'),
      remove('the secret', 'secrets', 's'),
      remove('the plan', 'plans', 'p', { kind: 'DeleteOptions', apiVersion: 'v1' }),
      remove('the claim', 'persistentvolumeclaims', 'v', undefined, {
        parts: ['kind', 'status', 'metadata.finalizers', 'metadata.deletionGracePeriodSeconds'],
      }),
      gone('persistentvolumeclaims', 'v'),
      remove('the lease', 'leases', 'l'),
      remove('the pod', 'pods', 'p', undefined, {
        parts: ['kind', 'metadata.name', 'metadata.deletionGracePeriodSeconds'],
      }),
      gone('pods', 'p'),
      remove('the quota', 'resourcequotas', 'q', undefined, { parts: ['kind'] }),
      remove('the event', 'events', 'e'),
      remove('the class', 'storageclasses', 'class-{ns}'),
      remove('what is not there', 'configmaps', 'c'),
      remove('a plan that is not there', 'plans', 'p'),
    ],
  },
  {
    name: 'a deletion may ask for a uid and a version',
    steps: [
      create('a plan', 'plans', plan('p'), {
        quiet: true,
        keep: { uid: 'metadata.uid', old: 'metadata.resourceVersion' },
      }),
      merge(
        'a change',
        'plans',
        'p',
        { spec: { archived: true } },
        { quiet: true, keep: { rv: 'metadata.resourceVersion' } },
      ),
      remove('another uid', 'plans', 'p', { preconditions: { uid: '00000000-0000-4000-8000-000000000000' } }),
      remove('an old version', 'plans', 'p', { preconditions: { resourceVersion: '{old}' } }),
      remove('both wrong', 'plans', 'p', {
        preconditions: { uid: '00000000-0000-4000-8000-000000000000', resourceVersion: '{old}' },
      }),
      remove('as a dry run', 'plans', 'p', { dryRun: ['All'], preconditions: { uid: '{uid}' } }),
      remove('as a dry run by query', 'plans', 'p', undefined, { query: { dryRun: 'All' } }),
      remove('an unknown dry run', 'plans', 'p', { dryRun: ['Some'] }),
      remove('an unknown way', 'plans', 'p', { propagationPolicy: 'Sideways' }),
      remove('two ways', 'plans', 'p', { propagationPolicy: 'Background', orphanDependents: true }),
      remove('a grace below zero', 'plans', 'p', { gracePeriodSeconds: -5, dryRun: ['All'] }),
      remove('options of another kind', 'plans', 'p', { kind: 'ConfigMap', apiVersion: 'v1' }),
      remove('an unknown option', 'plans', 'p', { propagation: 'Background', dryRun: ['All'] }),
      remove('both right', 'plans', 'p', { preconditions: { uid: '{uid}', resourceVersion: '{rv}' } }),
      remove('again', 'plans', 'p', { preconditions: { uid: '{uid}' } }),
      create('a config map', 'configmaps', configMap('c'), quiet),
      remove('a config map by another uid', 'configmaps', 'c', {
        preconditions: { uid: '00000000-0000-4000-8000-000000000000' },
      }),
    ],
  },
  {
    name: 'a finalizer holds an object until it is taken away',
    steps: [
      held('p'),
      remove('a dry run', 'plans', 'p', undefined, { query: { dryRun: 'All' } }),
      remove('the deletion', 'plans', 'p'),
      remove('the deletion again', 'plans', 'p'),
      remove('the deletion again, by an old version', 'plans', 'p', {
        preconditions: { resourceVersion: '{rv}' },
      }),
      read('it is there', 'plans', 'p', { keep: { fresh: 'metadata.resourceVersion' } }),
      create('its name is taken', 'plans', plan('p')),
      json('a finalizer more', 'plans', 'p', [
        { op: 'add', path: '/metadata/finalizers/-', value: 'example.com/more' },
      ]),
      json('another in its place', 'plans', 'p', [
        { op: 'replace', path: '/metadata/finalizers', value: ['example.com/b', 'example.com/a'] },
      ]),
      merge('a change of its spec', 'plans', 'p', { spec: { archived: true } }),
      merge('its life again', 'plans', 'p', { metadata: { deletionTimestamp: null } }),
      merge('a status', 'plans', 'p', { status: { observedGeneration: 1 } }, { sub: 'status' }),
      merge('a wrong end', 'plans', 'p', { metadata: { finalizers: null }, spec: { type: 'tepid' } }),
      json('a dry end', 'plans', 'p', [{ op: 'remove', path: '/metadata/finalizers' }], {
        query: { dryRun: 'All' },
      }),
      json('the end', 'plans', 'p', [
        { op: 'test', path: '/metadata/uid', value: '{uid}' },
        { op: 'remove', path: '/metadata/finalizers' },
      ]),
      read('it is gone', 'plans', 'p'),
      create('its name is free', 'plans', plan('p'), { parts: ['kind', 'metadata.generation'] }),
      create(
        'two finalizers',
        'configmaps',
        configMap('c', { finalizers: ['example.com/a', 'example.com/b'] }),
        quiet,
      ),
      remove('the deletion of a config map', 'configmaps', 'c'),
      put('the end by an update', 'configmaps', 'c', configMap('c', { finalizers: [] })),
      read('the config map is gone', 'configmaps', 'c'),
    ],
  },
  {
    name: 'a collection is deleted by selector',
    steps: [
      ...['a', 'b', 'c'].map((name) =>
        create(`plan ${name}`, 'plans', plan(name, {}, { labels: name === 'c' ? {} : { go: '1' } }), quiet),
      ),
      create(
        'one that is held',
        'plans',
        plan('d', {}, { labels: { go: '1' }, finalizers: ['example.com/held'] }),
        quiet,
      ),
      send('a dry run', 'DELETE', at('plans'), { query: { labelSelector: 'go=1', dryRun: 'All' } }),
      send('those with a label', 'DELETE', at('plans'), { query: { labelSelector: 'go=1' } }),
      list('what is left', 'plans'),
      send('none', 'DELETE', at('plans'), { query: { labelSelector: 'go=2' } }),
      send('over all namespaces', 'DELETE', everywhere('plans'), { query: { labelSelector: 'go=2' } }),
      send('a bad selector', 'DELETE', at('plans'), { query: { labelSelector: 'go in 2' } }),
      merge('let it go', 'plans', 'd', { metadata: { finalizers: null } }, quiet),
      send('all', 'DELETE', at('plans')),
      list('nothing is left', 'plans'),
    ],
  },
  {
    name: 'a namespace that is deleted takes its content along, and takes no more',
    steps: [
      create('a plan that is held', 'plans', plan('p', {}, { finalizers: ['example.com/held'] }), {
        ...quiet,
        namespace: '{other}',
      }),
      create('a config map', 'configmaps', configMap('c'), { ...quiet, namespace: '{other}' }),
      send('the deletion', 'DELETE', at('namespaces', '{other}')),
      create('a config map more', 'configmaps', configMap('d'), { namespace: '{other}' }),
      create('a plan more', 'plans', plan('q'), { namespace: '{other}' }),
      create('a plan more, dry', 'plans', plan('q'), { namespace: '{other}', query: { dryRun: 'All' } }),
      read('the config map is gone', 'configmaps', 'c', { namespace: '{other}', until: { status: 404 } }),
      send('the deletion again', 'DELETE', at('namespaces', '{other}'), {
        until: { at: 'status.conditions.4.reason', is: 'SomeFinalizersRemain' },
      }),
      send('the namespace', 'GET', at('namespaces', '{other}'), {
        parts: ['metadata.deletionTimestamp', 'spec', 'status.phase'],
      }),
      read('the plan is to go too', 'plans', 'p', {
        namespace: '{other}',
        until: { at: 'metadata.deletionGracePeriodSeconds', is: 0 },
        parts: ['metadata.generation', 'metadata.finalizers'],
      }),
      merge(
        'a change of what is left',
        'plans',
        'p',
        { spec: { archived: true } },
        { namespace: '{other}', parts: ['metadata.generation', 'spec.archived'] },
      ),
      merge(
        'the last of it',
        'plans',
        'p',
        { metadata: { finalizers: null } },
        { ...quiet, namespace: '{other}' },
      ),
      send('it is gone', 'GET', at('namespaces', '{other}'), { until: { status: 404 } }),
      list('its plans are gone', 'plans', {}, { namespace: '{other}' }),
      create('a plan in what is gone', 'plans', plan('q'), { namespace: '{other}' }),
      create('a namespace for the end', 'namespaces', { metadata: { name: '{other}' } }, quiet),
    ],
  },
];

const ownerMade = create('an owner', 'plans', plan('owner'), {
  quiet: true,
  keep: { owner: 'metadata.uid' },
});
const dependent = (name: string, more: Readonly<Record<string, unknown>> = {}) =>
  create(
    `${name}, a dependent`,
    'configmaps',
    configMap(name, { ...owner('Plan', 'owner', '{owner}', more), labels: { d: '{ns}' } }),
    quiet,
  );
const dependents = (does: string) => list(does, 'configmaps', { labelSelector: 'd={ns}' });

export const collecting: readonly Story[] = [
  {
    name: 'dependents go after their owner',
    steps: [
      ownerMade,
      dependent('a'),
      dependent('b', { blockOwnerDeletion: true, controller: true }),
      remove('the owner', 'plans', 'owner'),
      gone('configmaps', 'a'),
      gone('configmaps', 'b'),
    ],
  },
  {
    name: 'dependents go before an owner that is deleted in the foreground',
    steps: [
      ownerMade,
      create(
        'a dependent that is held',
        'configmaps',
        configMap('a', {
          ...owner('Plan', 'owner', '{owner}', { blockOwnerDeletion: true }),
          finalizers: ['example.com/held'],
        }),
        quiet,
      ),
      create(
        'one that does not block',
        'configmaps',
        configMap('b', owner('Plan', 'owner', '{owner}')),
        quiet,
      ),
      remove('the owner', 'plans', 'owner', { propagationPolicy: 'Foreground' }),
      gone('configmaps', 'b'),
      read('the dependent is on its way', 'configmaps', 'a', {
        until: { at: 'metadata.deletionGracePeriodSeconds', is: 0 },
        parts: ['metadata.finalizers', 'metadata.deletionTimestamp'],
      }),
      read('the owner waits', 'plans', 'owner'),
      merge('the dependent is let go', 'configmaps', 'a', { metadata: { finalizers: null } }, quiet),
      gone('plans', 'owner'),
    ],
  },
  {
    name: 'an owner does not wait for dependents that do not block',
    steps: [
      ownerMade,
      create(
        'a dependent that is held',
        'configmaps',
        configMap('a', { ...owner('Plan', 'owner', '{owner}'), finalizers: ['example.com/held'] }),
        quiet,
      ),
      remove('the owner', 'plans', 'owner', { propagationPolicy: 'Foreground' }),
      gone('plans', 'owner'),
      read('the dependent', 'configmaps', 'a', {
        until: { at: 'metadata.deletionGracePeriodSeconds', is: 0 },
        parts: ['metadata.finalizers', 'metadata.deletionTimestamp'],
      }),
      merge('the dependent is let go', 'configmaps', 'a', { metadata: { finalizers: null } }, quiet),
    ],
  },
  {
    name: 'orphans stay, without their owner',
    steps: [
      ownerMade,
      dependent('a', { blockOwnerDeletion: true }),
      remove('the owner', 'plans', 'owner', { propagationPolicy: 'Orphan' }),
      gone('plans', 'owner'),
      dependents('the orphan'),
    ],
  },
  {
    name: 'a dependent whose owner never was, or is another by the same name, is collected',
    steps: [
      ownerMade,
      create(
        'of nobody',
        'configmaps',
        configMap('a', owner('Plan', 'nobody', '00000000-0000-4000-8000-000000000000')),
        quiet,
      ),
      create(
        'of another uid',
        'configmaps',
        configMap('b', owner('Plan', 'owner', '00000000-0000-4000-8000-000000000001')),
        quiet,
      ),
      dependent('c'),
      gone('configmaps', 'a'),
      gone('configmaps', 'b'),
      dependents('the other stays'),
    ],
  },
  {
    name: 'a dependent of two goes with the last of them, and loses the one that went first',
    steps: [
      ownerMade,
      create('a second owner', 'configmaps', configMap('second'), {
        quiet: true,
        keep: { second: 'metadata.uid' },
      }),
      create(
        'their dependent',
        'configmaps',
        configMap('a', {
          ownerReferences: [
            { apiVersion: 'forklift.konveyor.io/v1beta1', kind: 'Plan', name: 'owner', uid: '{owner}' },
            { apiVersion: 'v1', kind: 'ConfigMap', name: 'second', uid: '{second}' },
          ],
        }),
        quiet,
      ),
      remove('the first', 'plans', 'owner', undefined, quiet),
      read('the dependent', 'configmaps', 'a', {
        until: { at: 'metadata.ownerReferences.1', is: undefined },
        parts: ['metadata.ownerReferences'],
      }),
      remove('the second', 'configmaps', 'second', undefined, quiet),
      gone('configmaps', 'a'),
    ],
  },
  {
    name: 'a dependent in another namespace than its owner is collected',
    steps: [
      ownerMade,
      create('a stranger', 'configmaps', configMap('a', owner('Plan', 'owner', '{owner}')), {
        ...quiet,
        namespace: '{other}',
      }),
      read('it is gone', 'configmaps', 'a', { namespace: '{other}', until: { status: 404 } }),
    ],
  },
];
