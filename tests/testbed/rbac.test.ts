import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { leases, migrations } from '../../src/api/kinds.ts';
import type { Lease } from '../../src/api/external/core.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import { planWith, plannedWorld, untilClean } from '../support/move.ts';
import { isOnTestbed } from '../support/needs.ts';
import { migrationObject } from '../support/objects.ts';
import { openRealCluster, type RealCluster } from './real-cluster.ts';

const manifests = join(import.meta.dirname, '..', '..', 'manifests');
const ownNamespace = 'konveyor-forklift';

interface Rule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly verbs: readonly string[];
}

/** "create pods", "get plans.forklift.konveyor.io", "patch plans/status.forklift.konveyor.io". */
function grantsOf(rules: readonly Rule[]): readonly string[] {
  return rules
    .flatMap(({ apiGroups = [], resources = [], verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) =>
          verbs.map((verb) => `${verb} ${resource}${group === '' ? '' : `.${group}`}`),
        ),
      ),
    )
    .sort();
}

function shipped(file: string): readonly string[] {
  const documents = parseAllDocuments(readFileSync(join(manifests, file), 'utf8'));
  return grantsOf(
    documents.flatMap((document) => (document.toJS() as { rules?: readonly Rule[] }).rules ?? []),
  );
}

/** Kubernetes lets everybody ask about himself, and CDI lets everybody read its configuration. */
const everybodys = /\bselfsubject\w+\.|\bcdiconfigs\./;

/** Rights that neither a move nor one that is cancelled makes use of, and why they are there all the same; some are used by chance. */
const otherwiseNeeded: readonly (readonly [RegExp, string])[] = [
  [/^(get|list) configmaps$/, 'what is left of an import'],
  [/^update .*\/finalizers\b/, 'to own an object, where a cluster asks for the right to hold up the owner'],
  [/^patch (hosts|hooks)\/status\b/, 'no Host and no Hook takes part'],
  [
    /^(create|patch|delete) pods$|^(get|create) pods\/proxy$/,
    'pods that convert guests, and what they answer',
  ],
  [/^(create|delete) configmaps$/, 'the certificate of a source that CDI is to be told of'],
  [/^patch datavolumes\./, 'a warm move adds its rounds'],
  [/^delete virtualmachineimports\./, 'imports of a Migration that was deleted'],
  [
    /^delete (migrations\.forklift\.konveyor\.io|persistentvolumeclaims)$/,
    'OpenShift asks for it of who changes owners',
  ],
  [/^(delete|patch) virtualmachines\.kubevirt\.io$/, 'a target that could not be started is taken away'],
  [/^patch events$/, 'an event that happens again is counted'],
  [/^patch secrets$/, 'credentials that were changed in the middle of a copy'],
];

(isOnTestbed ? describe : describe.skip)('the rights of the controller', () => {
  let gantry: RealCluster;
  let admin: RealCluster;
  beforeAll(async () => {
    [gantry, admin] = await Promise.all([openRealCluster('gantry'), openRealCluster('admin')]);
  });
  afterAll(async () => {
    await Promise.all([gantry[Symbol.asyncDispose](), admin[Symbol.asyncDispose]()]);
  });

  /** What the API server lets it do in a namespace, but what everybody may. */
  async function rightsIn(namespace: string): Promise<readonly string[]> {
    const review = async (cluster: RealCluster): Promise<readonly Rule[]> => {
      const { status, body } = await cluster.transport.request({
        method: 'POST',
        path: '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews',
        body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', spec: { namespace } },
      });
      expect(status).toBe(201);
      return (body as { status: { resourceRules: readonly Rule[] } }).status.resourceRules;
    };
    return grantsOf(await review(gantry)).filter((grant) => !everybodys.test(grant));
  }

  test('are those of the shipped ClusterRole in every namespace, and nothing besides', async () => {
    expect(new Set(await rightsIn('default'))).toEqual(new Set(shipped('cluster-role.yaml')));
  });

  test('are those of the leader election besides in its own namespace alone, where it can hold a Lease', async () => {
    const all = [...shipped('cluster-role.yaml'), ...shipped('leader-election.yaml')];
    expect(new Set(await rightsIn(ownNamespace))).toEqual(new Set(all));
    const lease = (namespace: string): Lease => ({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'rights', namespace },
      spec: { holderIdentity: 'a' },
    });
    const at = { namespace: ownNamespace, name: 'rights' };
    await gantry.client.create(leases, lease(ownNamespace));
    await gantry.client.mergePatch(leases, at, { spec: { holderIdentity: 'b' } });
    expect((await gantry.client.get(leases, at))?.spec?.holderIdentity).toBe('b');
    await expect(gantry.client.create(leases, lease('default'))).rejects.toMatchObject({ code: 'Forbidden' });
    await admin.client.delete(leases, at);
  });

  test('suffice for a move and for one that is cancelled, and each of them has its use', async () => {
    const { world, sources } = await plannedWorld([{ name: 'web-01', power: 'on' }], {
      copy: { secondsPerDisk: 60 },
    });
    await using _world = world;
    const refusals: string[] = [];
    const controller = world.startController();
    await planWith(world, 'Ready');
    await world.apply(migrationObject(world, {}, 'cancelled'));
    await world.until('the copy has begun', async () =>
      (await world.imports()).some(({ status }) => status?.phase === 'CopyDisks') ? true : undefined,
    );
    const cancel = sources.map(({ id, name }) => ({ id, name }));
    await world.client.mergePatch(
      migrations,
      { namespace: world.planNamespace, name: 'cancelled' },
      { spec: { cancel } },
    );
    await untilClean(world);
    await world.apply(migrationObject(world, {}, 'run'));
    await planWith(world, 'Succeeded');
    await untilClean(world);

    for (const { fields } of world.log.lines) {
      const { error } = fields as { readonly error?: unknown };
      if (isKubeError(error, 'Forbidden')) refusals.push(error.message);
    }
    expect(refusals).toEqual([]);
    const used = new Set(controller.requests.filter((request) => !request.startsWith('get version')));
    const granted = shipped('cluster-role.yaml');
    // A recorded request does not tell a status from its object.
    const asStatus = (request: string): string => request.replace(/^(patch [^.]+)/, '$1/status');
    const missing = [...used].filter(
      (request) => !granted.includes(request) && !granted.includes(asStatus(request)),
    );
    expect(missing).toEqual([]);
    // Who may read a thing in one way may in all: they tell the same.
    const isRead = (grant: string): boolean =>
      ['get', 'list', 'watch'].some((verb) => used.has(grant.replace(/^(get|list|watch) /, `${verb} `)));
    const unused = granted.filter((grant) => !used.has(grant.replace('/status', '')) && !isRead(grant));
    expect(unused.filter((grant) => !otherwiseNeeded.some(([pattern]) => pattern.test(grant)))).toEqual([]);
  });
});
