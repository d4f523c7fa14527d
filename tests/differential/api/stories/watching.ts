import type { Story } from '../story.ts';
import { at, create, list, merge, read, remove, watch } from '../story.ts';
import { configMap, plan } from './objects.ts';

const quiet = { quiet: true };
const planned = (name: string, labels: Readonly<Record<string, string>> = {}) =>
  create(`plan ${name}`, 'plans', plan(name, {}, { labels }), quiet);
const last = { last: 'last', during: [planned('last')] };
const table = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const started = list(
  'where things stand',
  'plans',
  {},
  { quiet: true, keep: { rv: 'metadata.resourceVersion' } },
);

export const watching: readonly Story[] = [
  {
    name: 'a watch from a version tells what happened since, and what happens',
    steps: [
      planned('before'),
      started,
      planned('a'),
      merge('a change', 'plans', 'a', { metadata: { labels: { x: '1' } } }, quiet),
      merge('a status', 'plans', 'a', { status: { observedGeneration: 1 } }, { sub: 'status', quiet: true }),
      merge('no change', 'plans', 'a', { metadata: { labels: { x: '1' } } }, quiet),
      remove('its end', 'plans', 'a', undefined, quiet),
      watch(
        'the watch',
        'plans',
        { resourceVersion: '{rv}' },
        {
          last: 'last',
          during: [
            planned('b'),
            merge('b changes', 'plans', 'b', { spec: { archived: true } }, quiet),
            planned('last'),
          ],
        },
      ),
    ],
  },
  {
    name: 'a watch without a version begins with what there is',
    steps: [
      planned('a'),
      planned('b'),
      watch('without a version', 'plans', {}, last),
      watch('from zero', 'plans', { resourceVersion: '0', timeoutSeconds: '1' }),
      watch('of one object', 'plans', { fieldSelector: 'metadata.name=b', timeoutSeconds: '1' }),
      { does: 'of nothing', watch: at('hooks'), query: { timeoutSeconds: '1' } },
    ],
  },
  {
    name: 'objects enter and leave a selection',
    steps: [
      planned('a', { in: '1' }),
      planned('b'),
      started,
      watch(
        'by label',
        'plans',
        { resourceVersion: '{rv}', labelSelector: 'in=1' },
        {
          last: 'last',
          during: [
            merge('a leaves', 'plans', 'a', { metadata: { labels: { in: null } } }, quiet),
            merge('a changes outside', 'plans', 'a', { spec: { archived: true } }, quiet),
            merge('b enters', 'plans', 'b', { metadata: { labels: { in: '1' } } }, quiet),
            merge('b changes inside', 'plans', 'b', { spec: { archived: true } }, quiet),
            merge('a enters again', 'plans', 'a', { metadata: { labels: { in: '1' } } }, quiet),
            remove('a goes', 'plans', 'a', undefined, quiet),
            remove('b leaves', 'plans', 'b', undefined, quiet),
            planned('last', { in: '1' }),
          ],
        },
      ),
      {
        does: 'that history again',
        watch: at('plans'),
        query: { resourceVersion: '{rv}', labelSelector: 'in=1', timeoutSeconds: '1' },
      },
    ],
  },
  {
    name: 'an object with a finalizer is told to be changed before it is told to be deleted',
    steps: [
      create('a plan that is held', 'plans', plan('a', {}, { finalizers: ['example.com/held'] }), quiet),
      started,
      watch(
        'the watch',
        'plans',
        { resourceVersion: '{rv}' },
        {
          last: 'last',
          during: [
            remove('its deletion', 'plans', 'a', undefined, quiet),
            merge('its end', 'plans', 'a', { metadata: { finalizers: null } }, quiet),
            planned('last'),
          ],
        },
      ),
    ],
  },
  {
    name: 'a watch can begin with a list and a mark',
    steps: [
      planned('a'),
      watch('with initial events', 'plans', {
        sendInitialEvents: 'true',
        allowWatchBookmarks: 'true',
        resourceVersionMatch: 'NotOlderThan',
        timeoutSeconds: '1',
      }),
      watch('without a match', 'plans', {
        sendInitialEvents: 'true',
        allowWatchBookmarks: 'true',
        timeoutSeconds: '1',
      }),
      watch('without marks', 'plans', {
        sendInitialEvents: 'true',
        resourceVersionMatch: 'NotOlderThan',
        timeoutSeconds: '1',
      }),
      watch('of nothing', 'hooks', {
        sendInitialEvents: 'true',
        allowWatchBookmarks: 'true',
        resourceVersionMatch: 'NotOlderThan',
        timeoutSeconds: '1',
      }),
      list('in a list', 'plans', { sendInitialEvents: 'true' }),
    ],
  },
  {
    name: 'a watch that cannot be is refused',
    steps: [
      watch('a version that is no number', 'plans', { resourceVersion: 'abc', timeoutSeconds: '1' }),
      watch('a version from the future', 'plans', { resourceVersion: '1000000000', timeoutSeconds: '1' }),
      watch('a bad selector', 'plans', { labelSelector: 'a in b', timeoutSeconds: '1' }),
      watch('an unknown field', 'plans', { fieldSelector: 'spec.type=cold', timeoutSeconds: '1' }),
      watch('a version long gone', 'plans', { resourceVersion: '1', timeoutSeconds: '1' }),
      {
        does: 'of a kind that is not there',
        watch: '/apis/forklift.konveyor.io/v1beta1/namespaces/{ns}/plams',
        query: { timeoutSeconds: '1' },
      },
      watch('a match', 'plans', { resourceVersion: '0', resourceVersionMatch: 'Exact', timeoutSeconds: '1' }),
      watch('a time that is no number', 'plans', { timeoutSeconds: 'soon' }),
    ],
  },
  {
    name: 'a watch can be had as tables',
    steps: [
      planned('a'),
      started,
      watch(
        'plans',
        'plans',
        { resourceVersion: '{rv}' },
        {
          accept: table,
          last: 'last',
          during: [
            merge('a change', 'plans', 'a', { metadata: { labels: { x: '1' } } }, quiet),
            planned('last'),
          ],
        },
      ),
      watch('plans from the start', 'plans', { timeoutSeconds: '1' }, { accept: table }),
    ],
  },
  {
    name: 'kinds of Kubernetes are watched alike',
    steps: [
      create('a config map', 'configmaps', configMap('a', { labels: { s: '{ns}' } }), quiet),
      read('it', 'configmaps', 'a', { quiet: true, keep: { rv: 'metadata.resourceVersion' } }),
      watch(
        'the watch',
        'configmaps',
        { resourceVersion: '{rv}', labelSelector: 's={ns}' },
        {
          last: 'last',
          during: [
            merge('a change', 'configmaps', 'a', { data: { b: '2' } }, quiet),
            remove('its end', 'configmaps', 'a', undefined, quiet),
            create('last', 'configmaps', configMap('last', { labels: { s: '{ns}' } }), quiet),
          ],
        },
      ),
    ],
  },
];
