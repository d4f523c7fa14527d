import { importSpec } from '../../../migration/import-spec.ts';
import type { Story } from '../story.ts';
import { at, create, json, merge, put, read, send } from '../story.ts';
import { claim, configMap, plan, planSpec, pod, provider, secret } from './objects.ts';

const forklift = 'forklift.konveyor.io/v1beta1';
const strict = { query: { fieldValidation: 'Strict' } };
const { vms: _vms, map: _map, ...withoutLists } = planSpec;

const aHook = {
  step: 'PreHook',
  hook: { namespace: 'moves', name: 'before', uid: 'u' },
  spec: '{"image":"example.com/hook:1"}',
};

const anImport = (spec: object): unknown => ({
  apiVersion: 'gantry.dev/v1alpha1',
  kind: 'VirtualMachineImport',
  metadata: { name: 'web' },
  spec: { ...importSpec(), ...spec },
});

export const validating: readonly Story[] = [
  {
    name: 'a plan that breaks its schema is refused with all that is wrong with it',
    steps: [
      create('required fields', 'plans', { ...plan('p'), spec: withoutLists }),
      create('no spec', 'plans', { apiVersion: forklift, kind: 'Plan', metadata: { name: 'p' } }),
      create('an empty spec', 'plans', { ...plan('p'), spec: {} }),
      create('a spec that is null', 'plans', { ...plan('p'), spec: null }),
      create('a spec that is a list', 'plans', { ...plan('p'), spec: [] }),
      create('a word outside its list', 'plans', plan('p', { type: 'tepid' })),
      create('a text in place of a truth', 'plans', plan('p', { archived: 'yes' })),
      create('a number in place of a text', 'plans', plan('p', { targetNamespace: 5 })),
      create('an object in place of a list', 'plans', plan('p', { vms: {} })),
      create('a text in a list of objects', 'plans', plan('p', { vms: ['web', { name: 'db' }, 7] })),
      create('a list in place of an object', 'plans', plan('p', { provider: [] })),
      create('a pattern', 'plans', plan('p', { vms: [{ name: 'web', targetName: 'Not A Name' }] })),
      create(
        'several in several places',
        'plans',
        plan('p', { type: 'tepid', archived: 1, vms: [{ id: 3 }], targetNamespace: false }),
      ),
      create('a null in place of a text', 'plans', plan('p', { targetNamespace: null })),
      create('a null item', 'plans', plan('p', { vms: [null] })),
      create(
        'nulls in place of what may be left out',
        'plans',
        plan('p', { description: null, archived: null, targetNodeSelector: null }),
      ),
      create('a map of numbers', 'plans', plan('q', { targetNodeSelector: { a: 1 } })),
      create('an apiVersion that is a number', 'plans', { ...plan('q'), apiVersion: 1 }),
    ],
  },
  {
    name: 'other kinds break their schemas in the same words',
    steps: [
      create('a VLAN that is none', 'networkmaps', {
        apiVersion: forklift,
        kind: 'NetworkMap',
        metadata: { name: 'm' },
        spec: { provider: {}, map: [{ source: { id: 'n' }, destination: { type: 'carrier-pigeon' } }] },
      }),
      create('a time that is none', 'migrations', {
        apiVersion: forklift,
        kind: 'Migration',
        metadata: { name: 'm' },
        spec: { plan: {}, cutover: 'tomorrow' },
      }),
      create('a text that is too short', 'migrations', {
        apiVersion: forklift,
        kind: 'Migration',
        metadata: { name: 'm' },
        spec: { plan: {}, vmCutover: [{ id: '', cutover: '2026-01-01T00:00:00Z' }] },
      }),
      create('a time with a zone', 'migrations', {
        apiVersion: forklift,
        kind: 'Migration',
        metadata: { name: 'm' },
        spec: { plan: {}, cutover: '2026-01-01T02:00:00+02:00' },
      }),
      create('a provider without secret and url', 'providers', {
        ...provider('p'),
        spec: { type: 'vsphere' },
      }),
      create(
        'a text of an import that is too long',
        'virtualmachineimports',
        anImport({ vddkImage: 'x'.repeat(3000) }),
        { as: 'gantry', parts: ['code', 'reason', 'details'] },
      ),
      create(
        'an import without anything',
        'virtualmachineimports',
        anImport(Object.fromEntries(Object.keys(importSpec()).map((key) => [key, undefined]))),
        { as: 'gantry' },
      ),
      create(
        'too many of something',
        'virtualmachineimports',
        anImport({ hooks: Array.from({ length: 17 }, () => aHook) }),
        { as: 'gantry' },
      ),
    ],
  },
  {
    name: 'fields that nobody knows are refused, told or passed over, as the request asks, and never kept',
    steps: [
      create('strictly', 'plans', plan('p', { archivd: true, vms: [{ nme: 'web' }] }), strict),
      create('with a warning', 'plans', plan('p', { archivd: true, vms: [{ nme: 'web', name: 'x' }] }), {
        query: { fieldValidation: 'Warn' },
      }),
      create('by default', 'plans', plan('q', { archivd: true })),
      create('in silence', 'plans', plan('r', { archivd: true }), { query: { fieldValidation: 'Ignore' } }),
      create('at the top', 'plans', { ...plan('s'), extra: 1 }, strict),
      create('in metadata', 'plans', plan('s', {}, { labls: {} }), strict),
      create('a word that is no way to ask', 'plans', plan('t'), { query: { fieldValidation: 'Sometimes' } }),
      merge(
        'strictly in a merge patch',
        'plans',
        'p',
        { spec: { archivd: true } },
        { ...strict, parts: ['code', 'reason', 'details.causes.0.reason', 'details.causes.0.field'] },
      ),
      merge('by default in a merge patch', 'plans', 'p', { spec: { archivd: true } }),
      json('strictly in a JSON patch', 'plans', 'p', [{ op: 'add', path: '/spec/archivd', value: true }], {
        ...strict,
        parts: ['code', 'reason', 'details.causes.0.reason', 'details.causes.0.field'],
      }),
      read('the plan as it is', 'plans', 'p', { keep: { rv: 'metadata.resourceVersion' } }),
      put(
        'strictly in an update',
        'plans',
        'p',
        plan('p', { archivd: true }, { resourceVersion: '{rv}' }),
        strict,
      ),
      put('by default in an update', 'plans', 'p', plan('p', { archivd: true }, { resourceVersion: '{rv}' })),
      create('of a config map, strictly', 'configmaps', { ...configMap('c'), dta: {} }, strict),
      create('of a secret, by default', 'secrets', secret('c', { stringdata: {} })),
      create('of a claim, strictly', 'persistentvolumeclaims', claim('c', { storageclass: 'x' }), strict),
      create('in the metadata of a config map', 'configmaps', configMap('d', { labls: {} }), strict),
      merge(
        'of a config map in a merge patch',
        'configmaps',
        'c',
        { dta: {} },
        { ...strict, parts: ['code', 'reason', 'details.causes.0.reason', 'details.causes.0.field'] },
      ),
    ],
  },
  {
    name: 'a member that comes twice is told',
    steps: [
      send('strictly', 'POST', at('plans'), {
        ...strict,
        text: `{"apiVersion":"${forklift}","kind":"Plan","metadata":{"name":"p"},"spec":{"type":"cold","type":"warm"}}`,
      }),
      send('by default, of a config map', 'POST', at('configmaps'), {
        text: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"a":"1","a":"2"}}',
      }),
    ],
  },
  {
    name: 'an import keeps its spec, and says which part cannot change',
    steps: [
      create('an import', 'virtualmachineimports', anImport({}), { as: 'gantry', quiet: true }),
      merge(
        'another VM',
        'virtualmachineimports',
        'web',
        { spec: { vm: { name: 'other' } } },
        { as: 'gantry' },
      ),
      merge(
        'two parts',
        'virtualmachineimports',
        'web',
        { spec: { vm: { name: 'other' }, strategy: 'warm' } },
        { as: 'gantry' },
      ),
      merge(
        'a part that was not there',
        'virtualmachineimports',
        'web',
        { spec: { vddkImage: 'example.com/vddk:1' } },
        { as: 'gantry' },
      ),
      json('a part taken away', 'virtualmachineimports', 'web', [{ op: 'remove', path: '/spec/vm' }], {
        as: 'gantry',
      }),
      merge(
        'a cancel',
        'virtualmachineimports',
        'web',
        { spec: { control: { cancel: true } } },
        { as: 'gantry' },
      ),
      merge(
        'a cancel taken back',
        'virtualmachineimports',
        'web',
        { spec: { control: { cancel: false } } },
        { as: 'gantry' },
      ),
      merge(
        'a wrong type besides',
        'virtualmachineimports',
        'web',
        { spec: { vm: 'other', control: { cancel: 'no' } } },
        { as: 'gantry' },
      ),
      merge(
        'a status',
        'virtualmachineimports',
        'web',
        { status: { phase: 'CopyDisks', percent: 3 } },
        { as: 'gantry', sub: 'status' },
      ),
      merge(
        'a wrong status',
        'virtualmachineimports',
        'web',
        { status: { percent: 300 } },
        { as: 'gantry', sub: 'status' },
      ),
      read('what it became', 'virtualmachineimports', 'web', {
        parts: ['metadata', 'status', 'spec.control'],
      }),
    ],
  },
  {
    name: 'kinds of Kubernetes are checked for what a good body must have',
    steps: [
      create('a config map with a bad key', 'configmaps', configMap('c', {}, { 'a b': '1' })),
      create('a config map with a number', 'configmaps', configMap('c', {}, { a: 1 })),
      create('a secret with bad base64', 'secrets', secret('c', { data: { a: '***' } })),
      create('a secret with a bad key', 'secrets', secret('c', { stringData: { 'a b': '1' } })),
      create('a claim without a size', 'persistentvolumeclaims', claim('c', { resources: {} })),
      create('a claim without access modes', 'persistentvolumeclaims', claim('c', { accessModes: [] })),
      create(
        'a claim with an unknown access mode',
        'persistentvolumeclaims',
        claim('c', { accessModes: ['ReadSometimes'] }),
      ),
      create(
        'a claim of no size',
        'persistentvolumeclaims',
        claim('c', { resources: { requests: { storage: '0' } } }),
      ),
      create(
        'a claim with a bad size',
        'persistentvolumeclaims',
        claim('c', { resources: { requests: { storage: 'big' } } }),
      ),
      create(
        'a claim with an unknown volume mode',
        'persistentvolumeclaims',
        claim('c', { volumeMode: 'Tape' }),
      ),
      create('a pod without containers', 'pods', { ...pod('c'), spec: {} }, { until: { status: 422 } }),
      create(
        'a pod that mounts what is not there',
        'pods',
        pod('c', {
          containers: [{ name: 'main', image: 'i', volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
        }),
      ),
      create(
        'a pod with two containers of one name',
        'pods',
        pod('c', {
          containers: [
            { name: 'main', image: 'i' },
            { name: 'main', image: 'i' },
          ],
        }),
      ),
      create('an event of another namespace', 'events', {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: 'e' },
        involvedObject: { kind: 'Plan', namespace: '{other}', name: 'p' },
      }),
      create('a lease that lasts no time', 'leases', {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: 'l' },
        spec: { leaseDurationSeconds: 0 },
      }),
      create('a job that restarts always', 'jobs', {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name: 'j' },
        spec: { template: { spec: { restartPolicy: 'Always', containers: [{ name: 'main', image: 'i' }] } } },
      }),
    ],
  },
];
