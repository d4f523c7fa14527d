import type { Story } from '../story.ts';
import { at, create, everywhere, put, read, send } from '../story.ts';
import { configMap, plan } from './objects.ts';

const big = JSON.stringify({ ...configMap('big'), data: { a: 'x'.repeat(1_100_000) } });
const huge = JSON.stringify({ ...configMap('huge'), data: { a: 'x'.repeat(3_200_000) } });

export const refusing: readonly Story[] = [
  {
    name: 'paths that lead nowhere, and methods that are not for a path, are refused',
    steps: [
      send('an unknown kind', 'GET', '/apis/forklift.konveyor.io/v1beta1/namespaces/{ns}/plams'),
      send('an unknown version', 'GET', '/apis/forklift.konveyor.io/v9/namespaces/{ns}/plans'),
      send('an unknown group', 'GET', '/apis/nowhere.example.com/v1/things'),
      send('an unknown kind of Kubernetes', 'GET', '/api/v1/namespaces/{ns}/things'),
      send('an unknown version of Kubernetes', 'GET', '/api/v9/pods'),
      send('an unknown path', 'GET', '/nowhere'),
      send('a part that is not there', 'GET', `${at('plans', 'p')}/nothing`),
      send('deeper than there is', 'GET', `${at('configmaps', 'c')}/a/b`),
      send('a kind of the cluster in a namespace', 'GET', '/api/v1/namespaces/{ns}/persistentvolumes'),
      send('creation over all namespaces', 'POST', everywhere('plans'), { body: plan('p') }),
      send('creation of a config map over all namespaces', 'POST', everywhere('configmaps'), {
        body: configMap('c'),
      }),
      send('creation under a name', 'POST', at('plans', 'p'), { body: plan('p') }),
      send('creation of a config map under a name', 'POST', at('configmaps', 'c'), { body: configMap('c') }),
      send('an update of a collection', 'PUT', at('plans'), { body: plan('p') }),
      send('a patch of a collection', 'PATCH', at('configmaps'), {
        body: {},
        contentType: 'application/merge-patch+json',
      }),
      send('a namespace deleted as a collection', 'DELETE', at('namespaces')),
      send('a document written', 'POST', '/version', { body: {} }),
      send('a name with a slash', 'GET', '/api/v1/namespaces/{ns}/configmaps/a%2Fb'),
    ],
  },
  {
    name: 'bodies that cannot be read are refused',
    steps: [
      send('no JSON', 'POST', at('configmaps'), { text: '{"apiVersion": v1}' }),
      send('no JSON, of a plan', 'POST', at('plans'), { text: '{"apiVersion": v1}' }),
      send('half a body', 'POST', at('plans'), {
        text: '{"apiVersion":"forklift.konveyor.io/v1beta1","kind":"Plan"',
      }),
      send('nothing', 'POST', at('configmaps'), { text: '' }),
      send('nothing, of a plan', 'POST', at('plans'), { text: '' }),
      send('a list', 'POST', at('configmaps'), { body: [] }),
      send('a list of plans', 'POST', at('plans'), { body: [] }),
      send('a text', 'POST', at('plans'), { body: 'plan' }),
      send('null', 'POST', at('plans'), { text: 'null' }),
      send('metadata that is a text', 'POST', at('configmaps'), {
        body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: 'x' },
      }),
      send('metadata of a plan that is a text', 'POST', at('plans'), {
        body: { ...plan('p'), metadata: 'x' },
      }),
      send('YAML', 'POST', at('configmaps'), {
        contentType: 'application/yaml',
        text: 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: yaml\n',
        parts: ['kind', 'code', 'reason'],
      }),
      send('plain text', 'POST', at('configmaps'), { contentType: 'text/plain', text: 'x' }),
      send('plain text, of a plan', 'POST', at('plans'), { contentType: 'text/plain', text: 'x' }),
      send('a form of patch that is unknown', 'PATCH', at('configmaps', 'c'), {
        contentType: 'application/json',
        text: '{}',
      }),
      send('a form of patch that is unknown, of a plan', 'PATCH', at('plans', 'p'), {
        contentType: 'application/json',
        text: '{}',
      }),
      send('an unknown form of patch', 'PATCH', at('plans', 'p'), { contentType: 'text/plain', text: '{}' }),
      send('an update in plain text', 'PUT', at('plans', 'p'), { contentType: 'text/plain', text: 'x' }),
      send('options of a deletion that are no JSON', 'DELETE', at('plans', 'p'), { text: '{' }),
      put('an update of nobody', 'plans', 'p', plan('p', {}, { resourceVersion: '1' })),
    ],
  },
  {
    name: 'what is too large is refused',
    steps: [
      send('more than a config map may hold', 'POST', at('configmaps'), { text: big }),
      send('more than a request may hold', 'POST', at('configmaps'), { text: huge }),
      send('more than a store may hold', 'POST', at('plans'), {
        text: JSON.stringify(plan('big', { description: 'x'.repeat(2_000_000) })),
        parts: ['code', 'reason', 'message', 'kind'],
      }),
      read('nothing is there', 'configmaps', 'big'),
    ],
  },
];

const kubectl = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
const openapi = ['apis/forklift.konveyor.io/v1beta1', 'apis/gantry.dev/v1alpha1'];

export const documents: readonly Story[] = [
  {
    name: 'a server tells its health, its version and what it serves',
    steps: [
      send('health', 'GET', '/readyz'),
      send('life', 'GET', '/livez'),
      send('the old health', 'GET', '/healthz'),
      send('its version', 'GET', '/version', { parts: ['major', 'minor', 'gitVersion', 'platform'] }),
      send('versions of the core', 'GET', '/api', { parts: ['kind', 'versions'] }),
      send('our group', 'GET', '/apis/forklift.konveyor.io'),
      send('the other group', 'GET', '/apis/gantry.dev'),
      send('our kinds', 'GET', '/apis/forklift.konveyor.io/v1beta1'),
      send('our other kinds', 'GET', '/apis/gantry.dev/v1alpha1'),
      send('a group that is not there', 'GET', '/apis/nowhere.example.com'),
      send('a version that is not there', 'GET', '/apis/forklift.konveyor.io/v9'),
      send('a core that is not there', 'GET', '/api/v9'),
      send('discovery in one piece, which kubectl asks for first', 'GET', '/apis', {
        accept: kubectl,
        parts: ['kind', 'apiVersion'],
      }),
      ...openapi.map((path) =>
        send(`where schemas are: ${path}`, 'GET', '/openapi/v3', {
          parts: [`paths.${path.replaceAll('.', '\\.')}.serverRelativeURL`],
        }),
      ),
      send('a schema that is not there', 'GET', '/openapi/v3/apis/nowhere.example.com/v1'),
      send('a definition', 'GET', at('customresourcedefinitions', 'plans.forklift.konveyor.io'), {
        parts: [
          'kind',
          'apiVersion',
          'metadata.name',
          'metadata.generation',
          'spec.scope',
          'spec.names',
          'spec.conversion',
          'status.acceptedNames',
          'status.storedVersions',
          'status.conditions.0.type',
          'status.conditions.0.status',
          'status.conditions.0.reason',
          'status.conditions.1.type',
          'status.conditions.1.status',
        ],
      }),
      create('a config map after all', 'configmaps', configMap('c'), { parts: ['kind'] }),
    ],
  },
];
