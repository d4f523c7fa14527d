import { describe, expect, test } from '@jest/globals';
import {
  configMaps,
  dataVolumes,
  jobs,
  namespaces,
  persistentVolumeClaims,
  plans,
  pods,
} from '../../../src/api/kinds.ts';
import { apiVersionOf } from '../../../src/api/meta.ts';
import type { ResourceKind } from '../../../src/api/meta.ts';
import type { Body } from './harness.ts';
import { claim, configMap, dataVolume, Harness, plan, pod } from './harness.ts';

function ownedBy(kind: ResourceKind, owner: Pick<Body, 'metadata'>, more: object = {}): object[] {
  const { name, uid } = owner.metadata;
  return [{ apiVersion: apiVersionOf(kind), kind: kind.kind, name, uid, ...more }];
}

describe('deleting', () => {
  test('answers with a Status for a custom resource, and with the object for a pod', async () => {
    await using world = new Harness();
    const created = await world.create(plans, plan('p'));
    await world.create(pods, pod('q'));
    const gone = await world.delete(plans, 'p');
    expect(gone.body).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: { name: 'p', group: 'forklift.konveyor.io', kind: 'plans', uid: created.body.metadata.uid },
    });
    expect((await world.delete(pods, 'q')).body.kind).toBe('Pod');
    expect((await world.delete(plans, 'p')).status).toBe(404);
  });

  test('what has a finalizer is marked, and goes when the last one is taken away', async () => {
    await using world = new Harness();
    await world.create(plans, plan('p', {}, { finalizers: ['a.b/c'] }));
    const watch = await world.watch(plans);
    const marked = await world.delete(plans, 'p');
    expect(marked.body.metadata).toMatchObject({
      deletionTimestamp: '2026-01-01T00:00:00Z',
      deletionGracePeriodSeconds: 0,
      generation: 2,
    });
    const added = await world.merge(plans, 'p', { metadata: { finalizers: ['a.b/c', 'a.b/d'] } });
    expect(added.body.message).toBe(
      'Plan.forklift.konveyor.io "p" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a.b/d"}',
    );
    expect((await world.merge(plans, 'p', { metadata: { finalizers: [] } })).status).toBe(200);
    expect((await world.get(plans, 'p')).status).toBe(404);
    await world.settle();
    expect(watch.seen).toEqual(['ADDED p', 'MODIFIED p', 'DELETED p']);
  });

  test('with the uid of another object is a conflict', async () => {
    await using world = new Harness();
    const { body } = await world.create(plans, plan('p'));
    const answer = await world.delete(plans, 'p', { preconditions: { uid: 'other' } });
    expect(answer.status).toBe(409);
    expect(answer.body.message).toBe(
      `Operation cannot be fulfilled on Plan.forklift.konveyor.io "p": the UID in the precondition (other) does not match the UID in record (${body.metadata.uid}). The object might have been deleted and then recreated`,
    );
    expect((await world.delete(plans, 'p', { preconditions: { uid: body.metadata.uid } })).status).toBe(200);
  });

  test('dry runs leave everything', async () => {
    await using world = new Harness();
    await world.create(plans, plan('p'));
    expect((await world.delete(plans, 'p', { dryRun: ['All'] })).status).toBe(200);
    expect((await world.get(plans, 'p')).status).toBe(200);
  });

  test('a running pod has its grace, and goes when its node says so', async () => {
    await using world = new Harness();
    await world.create(pods, pod('p', { nodeName: 'n' }));
    await world.mergeStatus(pods, 'p', { phase: 'Running' });
    const marked = await world.delete(pods, 'p');
    expect(marked.body.metadata).toMatchObject({
      deletionTimestamp: '2026-01-01T00:00:30Z',
      deletionGracePeriodSeconds: 30,
    });
    await world.clock.advance(60_000);
    expect((await world.get(pods, 'p')).status).toBe(200);
    await world.delete(pods, 'p', { gracePeriodSeconds: 0 });
    expect((await world.get(pods, 'p')).status).toBe(404);
  });

  test('a pod that has ended, or that no node has, goes at once', async () => {
    await using world = new Harness();
    await world.create(pods, pod('p', { nodeName: 'n' }));
    await world.mergeStatus(pods, 'p', { phase: 'Succeeded' });
    await world.create(pods, pod('q'));
    await world.delete(pods, 'p');
    await world.delete(pods, 'q');
    expect((await world.call('GET', '/api/v1/pods')).body.items).toEqual([]);
  });

  test('a collection goes by its selector', async () => {
    await using world = new Harness();
    await world.create(configMaps, configMap('a', { metadata: { labels: { x: '1' } } }));
    await world.create(configMaps, configMap('b'));
    await world.call('DELETE', '/api/v1/namespaces/default/configmaps', { query: { labelSelector: 'x' } });
    const { body } = await world.call('GET', '/api/v1/configmaps');
    expect(body.items.map((item) => item.metadata.name)).toEqual(['b']);
  });
});

describe('garbage collection', () => {
  test('what an absent owner leaves is collected, through several generations', async () => {
    await using world = new Harness();
    const owner = await world.create(dataVolumes, dataVolume('d'));
    const child = await world.create(
      persistentVolumeClaims,
      claim('d', '1Gi', { metadata: { ownerReferences: ownedBy(dataVolumes, owner.body) } }),
    );
    await world.create(
      pods,
      pod('importer', {}, { ownerReferences: ownedBy(persistentVolumeClaims, child.body) }),
    );
    await world.settle();
    expect((await world.get(pods, 'importer')).status).toBe(200);
    await world.delete(dataVolumes, 'd');
    await world.settle();
    expect((await world.get(persistentVolumeClaims, 'd')).status).toBe(404);
    expect((await world.get(pods, 'importer')).status).toBe(404);
  });

  test('an object made with an owner that was never there is collected', async () => {
    await using world = new Harness();
    const ghost = { metadata: { name: 'ghost', uid: 'no-such' } as Body['metadata'] };
    await world.create(configMaps, configMap('c', { metadata: { ownerReferences: ownedBy(plans, ghost) } }));
    await world.settle();
    expect((await world.get(configMaps, 'c')).status).toBe(404);
  });

  test('an owner in another namespace counts as absent', async () => {
    await using world = new Harness();
    await world.create(namespaces, { metadata: { name: 'other' } });
    const owner = await world.create(plans, plan('p', {}, { namespace: 'other' }));
    expect(owner.status).toBe(201);
    await world.create(
      configMaps,
      configMap('c', { metadata: { ownerReferences: ownedBy(plans, owner.body) } }),
    );
    await world.settle();
    expect((await world.get(configMaps, 'c')).status).toBe(404);
  });

  test('one owner of two that is gone is only struck from the list', async () => {
    await using world = new Harness();
    const a = await world.create(plans, plan('a'));
    const b = await world.create(plans, plan('b'));
    const owners = [...ownedBy(plans, a.body), ...ownedBy(plans, b.body)];
    await world.create(configMaps, configMap('c', { metadata: { ownerReferences: owners } }));
    await world.delete(plans, 'a');
    await world.settle();
    expect((await world.get(configMaps, 'c')).body.metadata.ownerReferences).toEqual(ownedBy(plans, b.body));
  });

  test('Orphan leaves the dependents without the reference', async () => {
    await using world = new Harness();
    const owner = await world.create(dataVolumes, dataVolume('d'));
    await world.create(
      configMaps,
      configMap('c', { metadata: { ownerReferences: ownedBy(dataVolumes, owner.body) } }),
    );
    await world.delete(dataVolumes, 'd', { propagationPolicy: 'Orphan' });
    await world.settle();
    expect((await world.get(dataVolumes, 'd')).status).toBe(404);
    expect((await world.get(configMaps, 'c')).body.metadata.ownerReferences).toBeUndefined();
  });

  test('Foreground keeps the owner until what blocks it is gone', async () => {
    await using world = new Harness();
    const owner = await world.create(plans, plan('p'));
    const ownerReferences = ownedBy(plans, owner.body, { blockOwnerDeletion: true, controller: true });
    await world.create(configMaps, configMap('c', { metadata: { finalizers: ['a.b/c'], ownerReferences } }));
    const marked = await world.delete(plans, 'p', { propagationPolicy: 'Foreground' });
    expect(marked.body.metadata.finalizers).toEqual(['foregroundDeletion']);
    await world.settle();
    expect((await world.get(configMaps, 'c')).body.metadata.deletionTimestamp).toBeDefined();
    expect((await world.get(plans, 'p')).status).toBe(200);
    await world.merge(configMaps, 'c', { metadata: { finalizers: null } });
    await world.settle();
    expect((await world.get(plans, 'p')).status).toBe(404);
  });

  test('a Job leaves its pods unless told otherwise', async () => {
    await using world = new Harness();
    const job = await world.create(jobs, {
      metadata: { name: 'j' },
      spec: { template: { spec: { restartPolicy: 'Never', containers: [] } } },
    });
    await world.create(pods, pod('p', {}, { ownerReferences: ownedBy(jobs, job.body) }));
    await world.delete(jobs, 'j');
    await world.settle();
    expect((await world.get(jobs, 'j')).status).toBe(404);
    expect((await world.get(pods, 'p')).status).toBe(200);
  });

  test('a claim waits for the pod that has it', async () => {
    await using world = new Harness();
    await world.create(persistentVolumeClaims, claim('d'));
    const volumes = [{ name: 'd', persistentVolumeClaim: { claimName: 'd' } }];
    await world.create(pods, pod('p', { nodeName: 'n', volumes }));
    await world.delete(persistentVolumeClaims, 'd');
    await world.settle();
    expect((await world.get(persistentVolumeClaims, 'd')).body.metadata.finalizers).toEqual([
      'kubernetes.io/pvc-protection',
    ]);
    await world.delete(pods, 'p', { gracePeriodSeconds: 0 });
    await world.settle();
    expect((await world.get(persistentVolumeClaims, 'd')).status).toBe(404);
  });
});

describe('a namespace', () => {
  test('goes with all that is in it, and takes nothing new meanwhile', async () => {
    await using world = new Harness();
    await world.create(namespaces, { metadata: { name: 'n' } });
    await world.create(configMaps, configMap('c', { metadata: { namespace: 'n' } }));
    await world.create(
      configMaps,
      configMap('held', { metadata: { namespace: 'n', finalizers: ['a.b/c'] } }),
    );
    const marked = await world.delete(namespaces, 'n');
    expect(marked.body.status['phase']).toBe('Terminating');
    await world.settle();
    const late = await world.create(configMaps, configMap('late', { metadata: { namespace: 'n' } }));
    expect(late.status).toBe(403);
    expect(late.body.message).toBe(
      'configmaps "late" is forbidden: unable to create new content in namespace n because it is being terminated',
    );
    expect((await world.get(configMaps, 'c', 'n')).status).toBe(404);
    expect((await world.get(namespaces, 'n')).status).toBe(200);
    await world.call('PATCH', world.path(configMaps, 'held', 'n'), {
      contentType: 'application/merge-patch+json',
      body: { metadata: { finalizers: null } },
    });
    await world.settle();
    expect((await world.get(namespaces, 'n')).status).toBe(404);
  });
});
