import type { Story } from '../story.ts';
import { at, create, everywhere, list, merge, read, remove, send } from '../story.ts';
import { configMap, plan, pod, provider } from './objects.ts';

const mine = { labelSelector: 'story={ns}' };
const labelled = (name: string, labels: Readonly<Record<string, string>> = {}) =>
  create(`config map ${name}`, 'configmaps', configMap(name, { labels: { story: '{ns}', ...labels } }), {
    quiet: true,
  });
const planned = (name: string, labels: Readonly<Record<string, string>> = {}) =>
  create(`plan ${name}`, 'plans', plan(name, {}, { labels }), { quiet: true });
const names = { parts: ['kind', 'code', 'message', 'items'] };

export const reading: readonly Story[] = [
  {
    name: 'a list shows objects by name, and an empty one is a list too',
    steps: [
      list('nothing', 'plans'),
      list('nothing of a kind of Kubernetes', 'persistentvolumeclaims'),
      planned('b'),
      planned('a'),
      list('two plans', 'plans'),
      labelled('c'),
      labelled('b'),
      list('two config maps', 'configmaps', mine),
      send('of all namespaces', 'GET', everywhere('configmaps'), { query: mine }),
      send('of another namespace', 'GET', at('plans', undefined, 'nowhere-{ns}')),
      read('one', 'plans', 'a'),
      read('none', 'plans', 'z'),
      read('none of a kind of Kubernetes', 'configmaps', 'z'),
      send('one in no namespace', 'GET', `${everywhere('plans')}/a`),
    ],
  },
  {
    name: 'a list comes in pages that show one moment',
    steps: [
      ...['a', 'b', 'c', 'd', 'e'].map((name) => labelled(name)),
      list('the first page', 'configmaps', { ...mine, limit: '2' }, { keep: { token: 'metadata.continue' } }),
      remove('one goes', 'configmaps', 'd', undefined, { quiet: true }),
      labelled('f'),
      list(
        'the second page',
        'configmaps',
        { ...mine, limit: '2', continue: '{token}' },
        { keep: { token: 'metadata.continue' } },
      ),
      list('the last page', 'configmaps', { ...mine, limit: '2', continue: '{token}' }),
      list('a page as large as all there is', 'configmaps', { ...mine, limit: '50' }),
      list('plans, of which there are none, in pages', 'plans', { limit: '2' }),
      planned('a'),
      planned('b'),
      planned('c'),
      list('the first plans', 'plans', { limit: '2' }, { keep: { token: 'metadata.continue' } }),
      list('the other plans', 'plans', { limit: '2', continue: '{token}' }),
      list('a token that is none', 'plans', { limit: '2', continue: 'nonsense' }),
      list('a token with a version', 'plans', { limit: '2', continue: '{token}', resourceVersion: '1' }),
      list('a limit that is no number', 'plans', { limit: 'many' }),
      list('a limit below zero', 'plans', { limit: '-1' }, names),
    ],
  },
  {
    name: 'a list may ask for a version',
    steps: [
      create('a plan', 'plans', plan('a'), { keep: { rv: 'metadata.resourceVersion' }, quiet: true }),
      merge(
        'its label',
        'plans',
        'a',
        { metadata: { labels: { a: '1' } } },
        { keep: { next: 'metadata.resourceVersion' }, quiet: true },
      ),
      list('any', 'plans', { resourceVersion: '0' }, { until: { at: 'items.0.metadata.labels.a', is: '1' } }),
      list('not older', 'plans', { resourceVersion: '{rv}', resourceVersionMatch: 'NotOlderThan' }),
      list('exactly', 'plans', { resourceVersion: '{rv}', resourceVersionMatch: 'Exact' }),
      list('exactly the next', 'plans', { resourceVersion: '{next}', resourceVersionMatch: 'Exact' }),
      list('in pages, at a version', 'plans', { resourceVersion: '{rv}', limit: '1' }, names),
      list('a match without a version', 'plans', { resourceVersionMatch: 'Exact' }),
      list('exactly nothing', 'plans', { resourceVersion: '0', resourceVersionMatch: 'Exact' }),
      list('an unknown match', 'plans', { resourceVersion: '{rv}', resourceVersionMatch: 'Roughly' }),
      list('a version that is no number', 'plans', { resourceVersion: 'abc' }),
      list('a version from the future', 'plans', { resourceVersion: '1000000000' }),
      read('one, at a version from the future', 'plans', 'a', { query: { resourceVersion: '1000000000' } }),
      read('one, at any version', 'plans', 'a', {
        query: { resourceVersion: '0' },
        parts: ['metadata.name'],
      }),
    ],
  },
  {
    name: 'label selectors choose',
    steps: [
      labelled('a', { app: 'x', tier: 'front' }),
      labelled('b', { app: 'y' }),
      labelled('c', { tier: '' }),
      labelled('d'),
      ...[
        'app=x',
        'app==x',
        'app!=x',
        'app',
        '!app',
        'app in (x,y)',
        'app in (x, z),tier',
        'app notin (x)',
        'tier=',
        'tier in ()',
        'app=x,tier=front',
        ' app = y ',
      ].map((selector) =>
        list(
          `by ${selector}`,
          'configmaps',
          { labelSelector: `story={ns},${selector}` },
          {
            parts: [
              'items.0.metadata.name',
              'items.1.metadata.name',
              'items.2.metadata.name',
              'items.3.metadata.name',
              'code',
              'message',
            ],
          },
        ),
      ),
      ...[
        'app=x=y',
        'app in x',
        'app in (x',
        'a b',
        '!',
        '=x',
        'app>x',
        'app in (x) y',
        ',',
        'a/b/c=x',
        'app=bad value',
        'app>5',
      ].map((selector) =>
        list(
          `a bad one: ${selector}`,
          'configmaps',
          { labelSelector: selector },
          { parts: ['kind', 'code', 'reason', 'message'] },
        ),
      ),
      list('a bad one of plans', 'plans', { labelSelector: 'app in x' }),
    ],
  },
  {
    name: 'field selectors choose by few fields',
    steps: [
      labelled('a'),
      labelled('b'),
      planned('a'),
      planned('b'),
      create('a secret', 'secrets', { metadata: { name: 's' }, type: 'example.com/t' }, { quiet: true }),
      create(
        'an event',
        'events',
        {
          metadata: { name: 'e' },
          involvedObject: { kind: 'Plan', name: 'a', namespace: '{ns}' },
          reason: 'Told',
          type: 'Normal',
        },
        { quiet: true },
      ),
      ...[
        ['configmaps', 'metadata.name=a'],
        ['configmaps', 'metadata.name!=a,metadata.name!=kube-root-ca.crt'],
        ['configmaps', 'metadata.namespace={ns},metadata.name=b'],
        ['plans', 'metadata.name=b'],
        ['plans', 'metadata.namespace={other}'],
        ['secrets', 'type=example.com/t'],
        ['events', 'involvedObject.name=a'],
        ['events', 'involvedObject.kind=Plan,reason=Told'],
        ['events', 'involvedObject.name=b'],
      ].map(([plural = '', fieldSelector = '']) =>
        list(
          `${plural} by ${fieldSelector}`,
          plural,
          { fieldSelector },
          {
            parts: [
              'items.0.metadata.name',
              'items.1.metadata.name',
              'items.2.metadata.name',
              'code',
              'message',
            ],
          },
        ),
      ),
      ...[
        ['configmaps', 'data.a=1'],
        ['plans', 'spec.type=cold'],
        ['pods', 'spec.hostname=x'],
        ['persistentvolumeclaims', 'status.phase=Bound'],
        ['plans', 'metadata.name'],
        ['plans', 'metadata.name=a,'],
        ['events', 'message=x'],
        ['secrets', 'spec.x=1'],
        ['jobs', 'status.failed=1'],
      ].map(([plural = '', fieldSelector = '']) =>
        list(
          `${plural} by ${fieldSelector}, which cannot be`,
          plural,
          { fieldSelector },
          { parts: ['kind', 'code', 'reason', 'message'] },
        ),
      ),
    ],
  },
  {
    name: 'an answer can be had in part, or in no form that the server knows',
    steps: [
      planned('a'),
      read('metadata alone', 'plans', 'a', {
        accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
      }),
      list(
        'a list of metadata',
        'plans',
        {},
        { accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1' },
      ),
      read('a form that is not served', 'plans', 'a', { accept: 'application/xml' }),
      read('anything', 'plans', 'a', { accept: '*/*', parts: ['metadata.name'] }),
      read('a form or JSON', 'plans', 'a', {
        accept: 'application/json;as=Table;v=v9;g=meta.k8s.io,application/json',
        parts: ['metadata.name'],
      }),
    ],
  },
];

const table = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

export const tables: readonly Story[] = [
  {
    name: 'kinds of Gantry are shown in their columns',
    steps: [
      ...[
        'providers',
        'hosts',
        'networkmaps',
        'storagemaps',
        'migrations',
        'hooks',
        'virtualmachineimports',
      ].map((plural) => list(`no ${plural}`, plural, {}, { accept: table })),
      planned('a'),
      merge(
        'a status',
        'plans',
        'a',
        {
          status: {
            conditions: ['Executing', 'Ready'].map((type) => ({
              type,
              status: 'True',
              category: 'Required',
              lastTransitionTime: '2026-01-01T00:00:00Z',
            })),
          },
        },
        { sub: 'status', quiet: true },
      ),
      planned('b'),
      create('a provider', 'providers', provider('vc'), { quiet: true }),
      list('plans', 'plans', {}, { accept: table }),
      read('one plan', 'plans', 'a', { accept: table }),
      list('plans with their objects', 'plans', { includeObject: 'Object' }, { accept: table }),
      list('plans without objects', 'plans', { includeObject: 'None' }, { accept: table }),
      list('plans with nonsense', 'plans', { includeObject: 'Some' }, { accept: table }),
      list('a page of plans', 'plans', { limit: '1' }, { accept: table }),
      list('providers', 'providers', {}, { accept: table }),
      read('a plan that is not there', 'plans', 'z', { accept: table }),
      create('a plan that is made', 'plans', plan('c'), { accept: table }),
      remove('a plan that goes', 'plans', 'c', undefined, { accept: table }),
    ],
  },
  {
    name: 'kinds of Kubernetes are shown in their columns',
    steps: [
      labelled('a'),
      create(
        'a secret',
        'secrets',
        { metadata: { name: 's' }, stringData: { a: '1', b: '2' } },
        { quiet: true },
      ),
      create(
        'a claim',
        'persistentvolumeclaims',
        {
          metadata: { name: 'v' },
          spec: {
            accessModes: ['ReadWriteOnce', 'ReadWriteMany'],
            storageClassName: '',
            volumeMode: 'Block',
            resources: { requests: { storage: '1Gi' } },
          },
        },
        { quiet: true },
      ),
      create(
        'a lease',
        'leases',
        { metadata: { name: 'l' }, spec: { holderIdentity: 'me' } },
        { quiet: true },
      ),
      create('a pod', 'pods', pod('p', { initContainers: [{ name: 'first', image: 'i' }] }), {
        quiet: true,
        until: { status: 201 },
      }),
      create(
        'a job',
        'jobs',
        {
          metadata: { name: 'j' },
          spec: {
            suspend: true,
            template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'i' }] } },
          },
        },
        { quiet: true },
      ),
      create(
        'an event',
        'events',
        {
          metadata: { name: 'e' },
          involvedObject: { kind: 'Plan', name: 'a', namespace: '{ns}' },
          reason: 'Told',
          type: 'Normal',
          message: 'a thing',
          source: { component: 'gantry' },
          count: 2,
          firstTimestamp: '2026-01-01T00:00:00Z',
          lastTimestamp: '2026-01-01T00:00:00Z',
        },
        { quiet: true },
      ),
      create(
        'a quota',
        'resourcequotas',
        { metadata: { name: 'q' }, spec: { hard: { 'count/hooks.forklift.konveyor.io': '5' } } },
        { quiet: true },
      ),
      ...['secrets', 'persistentvolumeclaims', 'leases', 'pods', 'jobs'].map((plural) =>
        list(plural, plural, { fieldSelector: 'metadata.name!=default' }, { accept: table }),
      ),
      list('config maps', 'configmaps', mine, { accept: table }),
      list('events', 'events', { fieldSelector: 'reason=Told' }, { accept: table }),
      send('the namespace', 'GET', at('namespaces', '{ns}'), { accept: table }),
      list('quotas', 'resourcequotas', {}, { accept: table, parts: ['columnDefinitions'] }),
      send('storage classes', 'GET', at('storageclasses'), { accept: table, parts: ['columnDefinitions'] }),
      send('persistent volumes', 'GET', at('persistentvolumes'), {
        accept: table,
        parts: ['columnDefinitions'],
      }),
      send('definitions', 'GET', at('customresourcedefinitions', 'plans.forklift.konveyor.io'), {
        accept: table,
        parts: ['columnDefinitions', 'rows.0.cells.0'],
      }),
    ],
  },
];
