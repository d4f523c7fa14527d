import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import {
  allKinds,
  forkliftGroup,
  migrations,
  networkMaps,
  ownKinds,
  plans,
  storageMaps,
} from '../../src/api/kinds.ts';
import { apiVersionOf, type KubeObject, type ResourceKind } from '../../src/api/meta.ts';
import type { Migration } from '../../src/api/migration.ts';
import type { NetworkMap } from '../../src/api/network-map.ts';
import type { Plan } from '../../src/api/plan.ts';
import type { StorageMap } from '../../src/api/storage-map.ts';
import { validate } from '../../src/api/validate.ts';

const manifests = join(import.meta.dirname, '..', '..', 'manifests');
/** As kubectl reads it: YAML 1.1, where a bare `on` is true. */
const asKubectl = { version: '1.1' } as const;

const read = (file: string) => readFileSync(join(manifests, file), 'utf8');
const documents = (file: string): readonly KubeObject[] =>
  parseAllDocuments(read(file), asKubectl).map((document) => document.toJS() as KubeObject);
const yamlFiles = (folder: string) =>
  readdirSync(join(manifests, folder))
    .filter((file) => file.endsWith('.yaml'))
    .sort();

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}
function rules(file: string): readonly Rule[] {
  return documents(file).flatMap((object) => ('rules' in object ? (object.rules as readonly Rule[]) : []));
}

describe('the manifests', () => {
  test('mean the same to kubectl as to us', () => {
    const files = ['.', 'crds', 'samples', 'samples/warm'].flatMap((folder) =>
      yamlFiles(folder).map((file) => join(folder, file)),
    );
    for (const file of files) {
      const ours = parseAllDocuments(read(file)).map((document) => document.toJS() as unknown);
      expect([file, documents(file)]).toEqual([file, ours]);
    }
  });

  test('are all in the kustomization', () => {
    const { resources } = parse(read('kustomization.yaml')) as { resources: readonly string[] };
    const files = [
      ...yamlFiles('crds').map((file) => `crds/${file}`),
      ...yamlFiles('.').filter((file) => file !== 'kustomization.yaml'),
    ];
    expect([...resources].sort()).toEqual(files.sort());
  });

  test('name the version of the package as the tag of the image', () => {
    const { images } = parse(read('kustomization.yaml')) as { images: readonly unknown[] };
    const { version } = JSON.parse(readFileSync(join(manifests, '..', 'package.json'), 'utf8')) as {
      version: string;
    };
    expect(images).toEqual([{ name: 'gantry', newTag: version }]);
  });
});

describe('the rights of the controller', () => {
  const all = [...rules('cluster-role.yaml'), ...rules('leader-election.yaml')];
  const grants = new Set(
    all.flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => `${group}/${resource} ${verb}`)),
      ),
    ),
  );

  test('hold no wildcard, no collection delete, and an update only of finalizers', () => {
    for (const grant of grants) {
      expect(grant).not.toMatch(/\*|deletecollection|escalate|impersonate/);
      if (grant.endsWith(' update')) expect(grant).toMatch(/\/finalizers update$/);
    }
  });

  test('speak of known kinds only', () => {
    const known = new Set(allKinds.map((kind) => `${kind.group}/${kind.plural}`));
    const named = [...grants].map((grant) =>
      grant.replace(/ .*$/, '').replace(/\/(status|finalizers|proxy)$/, ''),
    );
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  test('let it read, watch and write the status of each kind of its own', () => {
    for (const { group, plural } of ownKinds) {
      for (const verb of ['get', 'list', 'watch']) expect(grants).toContain(`${group}/${plural} ${verb}`);
      expect(grants).toContain(`${group}/${plural}/status patch`);
    }
  });

  test('let it speak with its conversion pods and make, release and delete them', () => {
    for (const verb of ['create', 'patch', 'delete']) expect(grants).toContain(`/pods ${verb}`);
    expect([...grants].filter((grant) => grant.startsWith('/pods/'))).toEqual([
      '/pods/proxy get',
      '/pods/proxy create',
    ]);
  });

  test('never let it delete a namespace, or anything of the users but what an import made', () => {
    const deletes = [...grants].filter((grant) => grant.endsWith(' delete')).sort();
    expect(deletes).toEqual([
      '/configmaps delete',
      '/persistentvolumeclaims delete',
      '/pods delete',
      '/secrets delete',
      'cdi.kubevirt.io/datavolumes delete',
      'forklift.konveyor.io/migrations delete',
      'gantry.dev/virtualmachineimports delete',
      'kubevirt.io/virtualmachines delete',
    ]);
  });
});

describe('the samples', () => {
  const samples = yamlFiles('samples').flatMap((file) => documents(join('samples', file)));

  function only<T extends KubeObject>(kind: ResourceKind<T>): T {
    const found = samples.filter(
      (object) => object.apiVersion === apiVersionOf(kind) && object.kind === kind.kind,
    );
    expect(found).toHaveLength(1);
    return found[0] as T;
  }
  const exists = (kind: string, reference: { readonly name?: string; readonly namespace?: string }) =>
    samples.some(
      (object) =>
        object.kind === kind &&
        object.metadata.name === reference.name &&
        object.metadata.namespace === reference.namespace,
    );

  test('are valid', () => {
    const own = samples.filter((object) => object.apiVersion.startsWith(forkliftGroup));
    expect(own).toHaveLength(6);
    for (const object of own) {
      const kind = ownKinds.find((candidate) => candidate.kind === object.kind)!;
      expect([object.kind, validate(kind, object)]).toEqual([object.kind, []]);
    }
  });

  test('refer only to each other', () => {
    const plan = only<Plan>(plans);
    const networkMap = only<NetworkMap>(networkMaps);
    const storageMap = only<StorageMap>(storageMaps);
    for (const { spec } of [plan, networkMap, storageMap]) {
      expect(exists('Provider', spec.provider.source)).toBe(true);
      expect(exists('Provider', spec.provider.destination)).toBe(true);
    }
    expect(exists('NetworkMap', plan.spec.map.network)).toBe(true);
    expect(exists('StorageMap', plan.spec.map.storage)).toBe(true);
    expect(exists('Plan', only<Migration>(migrations).spec.plan)).toBe(true);
    for (const { destination } of networkMap.spec.map)
      if (destination.type === 'multus')
        expect(exists('NetworkAttachmentDefinition', destination)).toBe(true);
  });

  test('for a warm run are valid, and refer to what the others bring', () => {
    const warm = yamlFiles('samples/warm').flatMap((file) => documents(join('samples/warm', file)));
    const [plan] = warm.filter(({ kind }) => kind === 'Plan') as Plan[];
    expect(warm.map(({ kind }) => kind).sort()).toEqual(['Migration', 'Plan']);
    for (const object of warm) {
      expect(
        validate(
          ownKinds.find(({ kind }) => kind === object.kind)!,
          object,
        ),
      ).toEqual([]);
    }
    expect(plan?.spec.warm).toBe(true);
    expect(exists('NetworkMap', plan!.spec.map.network)).toBe(true);
    expect(exists('StorageMap', plan!.spec.map.storage)).toBe(true);
    expect(exists('Provider', plan!.spec.provider.source)).toBe(true);
  });

  test('send at most one network to the pod network, since a VM may have all of them', () => {
    const toPod = only<NetworkMap>(networkMaps).spec.map.filter(
      ({ destination }) => destination.type === 'pod',
    );
    expect(toPod).toHaveLength(1);
  });
});
