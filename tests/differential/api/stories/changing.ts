import type { Story } from '../story.ts';
import { create, json, merge, put, read, send, strategic, at } from '../story.ts';
import { claim, configMap, plan, pod, secret, storageClass } from './objects.ts';

const times = { lastProbeTime: '2026-01-01T00:00:00Z', lastTransitionTime: '2026-01-01T00:00:00Z' };

const made = create('a config map', 'configmaps', configMap('c', { labels: { a: '1' } }), {
  quiet: true,
  keep: { uid: 'metadata.uid', rv: 'metadata.resourceVersion' },
});
const planned = create('a plan', 'plans', plan('p', {}, { labels: { a: '1' } }), {
  quiet: true,
  keep: { uid: 'metadata.uid', rv: 'metadata.resourceVersion' },
});

export const changing: readonly Story[] = [
  {
    name: 'a merge patch sets, removes by null and replaces lists whole',
    steps: [
      made,
      planned,
      merge('a member set', 'configmaps', 'c', { data: { b: '2' } }),
      merge('a member removed', 'configmaps', 'c', { data: { a: null }, metadata: { labels: null } }),
      merge('nothing', 'configmaps', 'c', {}),
      merge('what is so already', 'configmaps', 'c', { data: { b: '2' } }),
      merge('a list', 'plans', 'p', { spec: { vms: [{ name: 'db' }, { name: 'mail' }] } }),
      merge('what is so already, of a plan', 'plans', 'p', {
        spec: { vms: [{ name: 'db' }, { name: 'mail' }] },
      }),
      merge('labels of a plan', 'plans', 'p', {
        metadata: { labels: { a: null, b: '2' }, annotations: { n: 'x' } },
      }),
      merge('a default taken away', 'plans', 'p', { spec: { migrateSharedDisks: null } }),
      merge('a required field taken away', 'plans', 'p', { spec: { map: null } }),
      merge('another name', 'configmaps', 'c', { metadata: { name: 'd' } }),
      merge('another namespace', 'configmaps', 'c', { metadata: { namespace: '{other}' } }),
      merge('another kind', 'plans', 'p', { kind: 'Provider' }),
      merge('another version', 'plans', 'p', { apiVersion: 'forklift.konveyor.io/v1' }),
      merge('another uid', 'configmaps', 'c', { metadata: { uid: 'other' } }),
      merge('another uid of a plan', 'plans', 'p', { metadata: { uid: 'other' } }),
      merge('the same uid', 'configmaps', 'c', { metadata: { uid: '{uid}' } }),
      merge('system fields', 'plans', 'p', {
        metadata: {
          generation: 9,
          creationTimestamp: '2020-01-01T00:00:00Z',
          deletionTimestamp: '2020-01-01T00:00:00Z',
        },
      }),
      merge('a list in place of an object', 'configmaps', 'c', []),
      merge('a text in place of an object', 'configmaps', 'c', 'x'),
      merge('what is not there', 'configmaps', 'nobody', { data: { a: '1' } }),
      merge('a plan that is not there', 'plans', 'nobody', { spec: {} }),
      merge('as a dry run', 'plans', 'p', { spec: { archived: true } }, { query: { dryRun: 'All' } }),
      read('the config map', 'configmaps', 'c'),
      read('the plan', 'plans', 'p'),
    ],
  },
  {
    name: 'a stale version is refused by every way of writing, a fresh one accepted',
    steps: [
      made,
      merge(
        'a change',
        'configmaps',
        'c',
        { data: { b: '2' } },
        { keep: { fresh: 'metadata.resourceVersion' } },
      ),
      merge('a merge patch with the old version', 'configmaps', 'c', {
        metadata: { resourceVersion: '{rv}' },
        data: { c: '3' },
      }),
      merge(
        'a merge patch with the new one',
        'configmaps',
        'c',
        { metadata: { resourceVersion: '{fresh}' }, data: { c: '3' } },
        { keep: { fresh: 'metadata.resourceVersion' } },
      ),
      json('a JSON patch that tests the old version', 'configmaps', 'c', [
        { op: 'test', path: '/metadata/resourceVersion', value: '{rv}' },
        { op: 'add', path: '/data/d', value: '4' },
      ]),
      json(
        'a JSON patch that tests the new one',
        'configmaps',
        'c',
        [
          { op: 'test', path: '/metadata/resourceVersion', value: '{fresh}' },
          { op: 'add', path: '/data/d', value: '4' },
        ],
        { keep: { fresh: 'metadata.resourceVersion' } },
      ),
      put(
        'an update with the old version',
        'configmaps',
        'c',
        configMap('c', { resourceVersion: '{rv}' }, { e: '5' }),
      ),
      put(
        'an update with the new one',
        'configmaps',
        'c',
        configMap('c', { resourceVersion: '{fresh}' }, { e: '5' }),
      ),
      put('an update without a version', 'configmaps', 'c', configMap('c', {}, { f: '6' })),
      put('an update that changes nothing', 'configmaps', 'c', configMap('c', {}, { f: '6' })),
      put(
        'an update with another uid',
        'configmaps',
        'c',
        configMap('c', { uid: '00000000-0000-4000-8000-000000000000' }, {}),
      ),
      put('an update of another name', 'configmaps', 'c', configMap('d')),
      put('an update of another namespace', 'configmaps', 'c', configMap('c', { namespace: '{other}' })),
      put('an update of nobody', 'configmaps', 'nobody', configMap('nobody')),
      merge('a version that is no number', 'configmaps', 'c', { metadata: { resourceVersion: 'x' } }),
      put(
        'an update with a version that is no number',
        'configmaps',
        'c',
        configMap('c', { resourceVersion: 'x' }),
      ),
    ],
  },
  {
    name: 'a plan is updated only by who names its version',
    steps: [
      planned,
      put('without a version', 'plans', 'p', plan('p', { archived: true })),
      put('with it', 'plans', 'p', plan('p', { archived: true }, { resourceVersion: '{rv}' }), {
        keep: { fresh: 'metadata.resourceVersion' },
      }),
      put('with the old one', 'plans', 'p', plan('p', { archived: false }, { resourceVersion: '{rv}' })),
      put('what is so already', 'plans', 'p', plan('p', { archived: true }, { resourceVersion: '{fresh}' })),
      put(
        'metadata alone',
        'plans',
        'p',
        plan('p', { archived: true }, { resourceVersion: '{fresh}', labels: { b: '2' } }),
        { keep: { fresh: 'metadata.resourceVersion' } },
      ),
      put('a wrong one', 'plans', 'p', plan('p', { type: 'tepid' }, { resourceVersion: '{fresh}' })),
      put('nobody', 'plans', 'nobody', plan('nobody')),
      put('nobody, with a version', 'plans', 'nobody', plan('nobody', {}, { resourceVersion: '1' })),
      put(
        'nobody, with a uid',
        'plans',
        'nobody',
        plan('nobody', {}, { resourceVersion: '1', uid: '{uid}' }),
      ),
      merge('a stale merge patch', 'plans', 'p', { metadata: { resourceVersion: '{rv}' } }),
    ],
  },
  {
    name: 'a JSON patch is done whole or not at all',
    steps: [
      made,
      planned,
      json('add, replace, remove, copy, move', 'configmaps', 'c', [
        { op: 'add', path: '/data/b', value: '2' },
        { op: 'replace', path: '/data/a', value: '1a' },
        { op: 'copy', from: '/data/a', path: '/data/c' },
        { op: 'move', from: '/data/b', path: '/data/d' },
        { op: 'remove', path: '/data/a' },
      ]),
      json('a test that fails', 'configmaps', 'c', [
        { op: 'add', path: '/data/x', value: '1' },
        { op: 'test', path: '/data/c', value: 'other' },
      ]),
      json('a test of what is not there', 'configmaps', 'c', [
        { op: 'test', path: '/data/none', value: 'x' },
      ]),
      json('a test for null of what is not there', 'configmaps', 'c', [
        { op: 'test', path: '/data/none', value: null },
      ]),
      json('a test deep in what is not there', 'configmaps', 'c', [
        { op: 'test', path: '/none/none', value: 'x' },
      ]),
      json('remove of what is not there', 'configmaps', 'c', [{ op: 'remove', path: '/data/none' }]),
      json('replace of what is not there', 'configmaps', 'c', [
        { op: 'replace', path: '/data/none', value: 'x' },
      ]),
      json('add below what is not there', 'configmaps', 'c', [{ op: 'add', path: '/none/none', value: 'x' }]),
      json('move from what is not there', 'configmaps', 'c', [
        { op: 'move', from: '/data/never', path: '/data/x' },
      ]),
      json('a pointer without a slash', 'configmaps', 'c', [{ op: 'add', path: 'data/x', value: 'x' }]),
      json('a pointer in an operation that is unknown', 'configmaps', 'c', [
        { op: 'increment', path: '/data/c' },
      ]),
      json('no operation', 'configmaps', 'c', [{ path: '/data/c', value: 'x' }]),
      json('no path', 'configmaps', 'c', [{ op: 'add', value: 'x' }]),
      json('add without a value', 'configmaps', 'c', [{ op: 'add', path: '/data/x' }]),
      json('an object in place of a list', 'configmaps', 'c', { op: 'add', path: '/data/x', value: 'x' }),
      json('an empty list', 'configmaps', 'c', []),
      json(
        'slash and tilde in a key',
        'configmaps',
        'c',
        [
          { op: 'add', path: '/metadata/annotations', value: {} },
          { op: 'add', path: '/metadata/annotations/example.com~1a~0b', value: 'x' },
        ],
        { parts: ['metadata.annotations', 'message', 'code'] },
      ),
      json(
        'list items',
        'plans',
        'p',
        [
          { op: 'add', path: '/spec/vms/0', value: { name: 'first' } },
          { op: 'add', path: '/spec/vms/-', value: { name: 'last' } },
        ],
        { parts: ['spec.vms'] },
      ),
      json('a list item beyond the end', 'plans', 'p', [
        { op: 'add', path: '/spec/vms/9', value: { name: 'x' } },
      ]),
      json('an item replaced beyond the end', 'plans', 'p', [
        { op: 'replace', path: '/spec/vms/9', value: { name: 'x' } },
      ]),
      json('an item that is no number', 'plans', 'p', [
        { op: 'add', path: '/spec/vms/x', value: { name: 'x' } },
      ]),
      json('an item counted from the end', 'plans', 'p', [{ op: 'remove', path: '/spec/vms/-1' }]),
      json('an item removed', 'plans', 'p', [{ op: 'remove', path: '/spec/vms/1' }], { parts: ['spec.vms'] }),
      json(
        'an item tested and replaced',
        'plans',
        'p',
        [
          { op: 'test', path: '/spec/vms/0/name', value: 'first' },
          { op: 'replace', path: '/spec/vms/0', value: { name: 'changed' } },
        ],
        { parts: ['spec.vms'] },
      ),
      json(
        'owners tested by uid',
        'plans',
        'p',
        [
          { op: 'test', path: '/metadata/uid', value: '{uid}' },
          { op: 'add', path: '/metadata/finalizers', value: ['example.com/held'] },
        ],
        { parts: ['metadata.finalizers', 'message'] },
      ),
      json('finalizers taken away', 'plans', 'p', [{ op: 'remove', path: '/metadata/finalizers' }], {
        parts: ['metadata.finalizers', 'message'],
      }),
      json('the whole document', 'configmaps', 'c', [{ op: 'replace', path: '', value: {} }]),
      json(
        'a number that is the same otherwise written',
        'plans',
        'p',
        [{ op: 'test', path: '/metadata/generation', value: 4.0 }],
        { parts: ['message', 'code'] },
      ),
      json('an invalid result', 'plans', 'p', [{ op: 'replace', path: '/spec/type', value: 'tepid' }]),
      json('an invalid result of what was not there', 'plans', 'p', [
        { op: 'add', path: '/spec/type', value: 'tepid' },
      ]),
      send('a body that is no JSON', 'PATCH', at('configmaps', 'c'), {
        contentType: 'application/json-patch+json',
        text: '[{',
      }),
      send('a merge patch that is no JSON', 'PATCH', at('configmaps', 'c'), {
        contentType: 'application/merge-patch+json',
        text: '{"a":',
      }),
      send('a merge patch of a plan that is no JSON', 'PATCH', at('plans', 'p'), {
        contentType: 'application/merge-patch+json',
        text: '{"a":',
      }),
      send('an empty body', 'PATCH', at('plans', 'p'), {
        contentType: 'application/merge-patch+json',
        text: '',
      }),
    ],
  },
  {
    name: 'a strategic merge patch merges the lists that it knows, and only of kinds of Kubernetes',
    steps: [
      create('a class', 'storageclasses', storageClass(), { quiet: true }),
      create(
        'a config map',
        'configmaps',
        configMap('c', {
          finalizers: ['example.com/a'],
          ownerReferences: [{ apiVersion: 'nowhere.example.com/v1', kind: 'Thing', name: 'o', uid: '{ns}' }],
          labels: { a: '1' },
        }),
        { quiet: true },
      ),
      create('a secret', 'secrets', secret('s', { data: { a: 'eA==' } }), { quiet: true }),
      create('a pod', 'pods', pod('p'), { quiet: true, until: { status: 201 } }),
      create('a claim', 'persistentvolumeclaims', claim('v'), { quiet: true }),
      strategic('members', 'configmaps', 'c', {
        data: { a: null, b: '2' },
        metadata: { labels: { b: '2' } },
      }),
      strategic(
        'a finalizer more',
        'configmaps',
        'c',
        { metadata: { finalizers: ['example.com/b'] } },
        { parts: ['metadata.finalizers'] },
      ),
      strategic(
        'a finalizer less',
        'configmaps',
        'c',
        { metadata: { '$deleteFromPrimitiveList/finalizers': ['example.com/a'] } },
        { parts: ['metadata.finalizers'] },
      ),
      strategic(
        'a finalizer order',
        'configmaps',
        'c',
        {
          metadata: {
            '$setElementOrder/finalizers': ['example.com/c', 'example.com/b'],
            finalizers: ['example.com/c'],
          },
        },
        { parts: ['metadata.finalizers'] },
      ),
      strategic(
        'an owner more',
        'configmaps',
        'c',
        {
          metadata: {
            ownerReferences: [
              { apiVersion: 'nowhere.example.com/v1', kind: 'Thing', name: 'q', uid: 'q-{ns}' },
            ],
          },
        },
        { parts: ['metadata.ownerReferences'] },
      ),
      strategic(
        'an owner changed',
        'configmaps',
        'c',
        { metadata: { ownerReferences: [{ uid: 'q-{ns}', controller: true }] } },
        { parts: ['metadata.ownerReferences'] },
      ),
      strategic(
        'an owner less',
        'configmaps',
        'c',
        { metadata: { ownerReferences: [{ $patch: 'delete', uid: '{ns}' }] } },
        { parts: ['metadata.ownerReferences'] },
      ),
      strategic('an owner without its key', 'configmaps', 'c', {
        metadata: { ownerReferences: [{ controller: true }] },
      }),
      strategic(
        'a list replaced',
        'configmaps',
        'c',
        {
          metadata: {
            ownerReferences: [
              { $patch: 'replace' },
              { apiVersion: 'nowhere.example.com/v1', kind: 'Thing', name: 'r', uid: 'r' },
            ],
          },
        },
        { parts: ['metadata.ownerReferences'] },
      ),
      strategic(
        'a map replaced',
        'configmaps',
        'c',
        { data: { $patch: 'replace', z: '26' } },
        { parts: ['data'] },
      ),
      strategic('a map deleted', 'configmaps', 'c', { data: { $patch: 'delete' } }, { parts: ['data'] }),
      strategic('an unknown directive', 'configmaps', 'c', { data: { $patch: 'explode' } }),
      strategic(
        'a condition more',
        'pods',
        'p',
        { status: { conditions: [{ type: 'Ready', status: 'False', ...times }] } },
        { sub: 'status', parts: ['status.conditions'] },
      ),
      strategic(
        'a second condition',
        'pods',
        'p',
        { status: { conditions: [{ type: 'Initialized', status: 'True', ...times }] } },
        { sub: 'status', parts: ['status.conditions'] },
      ),
      strategic(
        'a condition changed',
        'pods',
        'p',
        { status: { conditions: [{ type: 'Ready', status: 'True', reason: 'Now' }] } },
        { sub: 'status', parts: ['status.conditions'] },
      ),
      strategic(
        'a container by its name',
        'pods',
        'p',
        { spec: { containers: [{ name: 'main', image: 'example.com/image:2' }] } },
        { parts: ['spec.containers.0.image', 'spec.containers.0.name', 'spec.containers.1'] },
      ),
      strategic('access modes, a list of its own', 'persistentvolumeclaims', 'v', {
        spec: { accessModes: ['ReadWriteMany'] },
      }),
      strategic('clear text of a secret', 'secrets', 's', { stringData: { b: 'y' } }),
      strategic('a stale version', 'secrets', 's', {
        metadata: { resourceVersion: '1' },
        data: { c: 'eg==' },
      }),
      strategic('of a plan', 'plans', 'nobody', { spec: {} }),
      create('a plan', 'plans', plan('p'), { quiet: true }),
      strategic('of a plan that is there', 'plans', 'p', { spec: { archived: true } }),
      strategic('a body that is no object', 'configmaps', 'c', []),
    ],
  },
  {
    name: 'the status of a plan is written by its own path, and by nothing else',
    steps: [
      planned,
      merge('the status through the plan', 'plans', 'p', { status: { observedGeneration: 1 } }),
      merge(
        'the status',
        'plans',
        'p',
        { status: { observedGeneration: 1 } },
        { sub: 'status', keep: { fresh: 'metadata.resourceVersion' } },
      ),
      merge(
        'spec and labels through the status',
        'plans',
        'p',
        {
          spec: { archived: true },
          metadata: { labels: { c: '3' }, annotations: { n: 'x' }, finalizers: ['example.com/a'] },
          status: { observedGeneration: 2 },
        },
        { sub: 'status', keep: { fresh: 'metadata.resourceVersion' } },
      ),
      merge('the same again', 'plans', 'p', { status: { observedGeneration: 2 } }, { sub: 'status' }),
      merge('a wrong status', 'plans', 'p', { status: { observedGeneration: 'two' } }, { sub: 'status' }),
      merge(
        'unknown fields of a status',
        'plans',
        'p',
        { status: { observed: 2 } },
        {
          sub: 'status',
          query: { fieldValidation: 'Strict' },
          parts: ['code', 'reason', 'details.causes.0.reason', 'details.causes.0.field'],
        },
      ),
      merge(
        'a condition',
        'plans',
        'p',
        {
          status: {
            conditions: [
              {
                type: 'Ready',
                status: 'True',
                category: 'Required',
                lastTransitionTime: '2026-01-01T00:00:00Z',
              },
            ],
          },
        },
        { sub: 'status', keep: { fresh: 'metadata.resourceVersion' } },
      ),
      json(
        'a condition by place',
        'plans',
        'p',
        [{ op: 'replace', path: '/status/conditions/0/status', value: 'False' }],
        { sub: 'status', keep: { fresh: 'metadata.resourceVersion' } },
      ),
      merge(
        'the plan again',
        'plans',
        'p',
        { spec: { archived: true } },
        { keep: { fresh: 'metadata.resourceVersion' } },
      ),
      put(
        'a status by update',
        'plans',
        'p',
        { ...plan('p', {}, { resourceVersion: '{fresh}' }), status: { observedGeneration: 5 } },
        { sub: 'status' },
      ),
      put('a plan by update, without the status', 'plans', 'p', {
        ...plan('p', {}, { resourceVersion: '{fresh}' }),
      }),
      read('the status as it is in the end', 'plans', 'p', { sub: 'status' }),
      merge('the status of nobody', 'plans', 'nobody', { status: {} }, { sub: 'status' }),
      merge('a part that does not exist', 'plans', 'p', {}, { sub: 'scale' }),
      merge('the status of a kind without one', 'configmaps', 'c', {}, { sub: 'status' }),
      send('deletion of a status', 'DELETE', `${at('plans', 'p')}/status`),
      send('creation of a status', 'POST', `${at('plans', 'p')}/status`, { body: {} }),
      merge(
        'the status of a claim that is not there',
        'persistentvolumeclaims',
        'nobody',
        { status: {} },
        { sub: 'status' },
      ),
    ],
  },
];
