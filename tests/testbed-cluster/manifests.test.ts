import { readdirSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { identities } from '../../hack/testbed/cluster/identities.ts';
import { kindOf } from '../../hack/testbed/cluster/kinds.ts';
import { ownManifests, parseJsonLines } from '../../hack/testbed/cluster/manifests.ts';
import { csiDriver, provisioners, storageClassObjects } from '../../hack/testbed/cluster/storage-classes.ts';
import { resourceName } from '../../src/api/meta.ts';

describe('what a testbed is given', () => {
  test('is all that the shipped manifests hold, and of kinds that it can create', async () => {
    const objects = await ownManifests();
    const of = (kind: string) => objects.filter((object) => object.kind === kind);
    expect(of('CustomResourceDefinition')).toHaveLength(readdirSync('manifests/crds').length);
    expect(objects.map((object) => resourceName(kindOf(object)))).toEqual(
      expect.arrayContaining([
        'clusterroles.rbac.authorization.k8s.io',
        'rolebindings.rbac.authorization.k8s.io',
        'validatingadmissionpolicies.admissionregistration.k8s.io',
      ]),
    );
  });

  test('lets the identity "gantry" be the ServiceAccount that the manifests bind their rights to', async () => {
    const account = (await ownManifests()).find(({ kind }) => kind === 'ServiceAccount')!;
    const { namespace = '', name } = account.metadata;
    expect(identities.gantry.user).toBe(`system:serviceaccount:${namespace}:${name}`);
  });

  test('says which object is of a kind that it cannot create', () => {
    expect(() => kindOf({ apiVersion: 'x.io/v1', kind: 'Odd', metadata: { name: 'a' } })).toThrow(
      /Odd a \(x.io\/v1\)/,
    );
  });

  test('has one default class, and a CSI driver for the classes of that provisioner alone', () => {
    const isDefault = 'storageclass.kubernetes.io/is-default-class';
    const defaults = storageClassObjects.filter(
      ({ metadata }) => metadata.annotations?.[isDefault] === 'true',
    );
    expect(defaults.map(({ metadata }) => metadata.name)).toEqual(['standard']);
    expect(csiDriver.metadata.name).toBe(provisioners.csi);
    const populated = storageClassObjects.filter(
      ({ provisioner }) => provisioner === csiDriver.metadata.name,
    );
    expect(populated.map(({ metadata }) => metadata.name)).toEqual(['csi']);
  });

  test('is read line by line where a program prints it', () => {
    const one = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } };
    expect(parseJsonLines(`${JSON.stringify(one)}\n${JSON.stringify(one)}\n`)).toEqual([one, one]);
  });
});
