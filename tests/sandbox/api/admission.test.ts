import { describe, expect, test } from '@jest/globals';
import {
  dataVolumes,
  namespaces,
  persistentVolumeClaims,
  pods,
  resourceQuotas,
} from '../../../src/api/kinds.ts';
import { add, formatQuantity, parseQuantity } from '../../../src/sandbox/api/quantity.ts';
import { claim, dataVolume, Harness } from './harness.ts';

describe('admission', () => {
  test('a refusal speaks as a webhook, and nothing is stored', async () => {
    await using world = new Harness();
    world.api.admit(dataVolumes, ({ object }) =>
      object.metadata.name === 'bad'
        ? { denied: 'no', webhook: 'datavolume-validate.cdi.kubevirt.io' }
        : object,
    );
    const { status, body } = await world.create(dataVolumes, dataVolume('bad'));
    expect(status).toBe(422);
    expect(body.message).toBe(
      'admission webhook "datavolume-validate.cdi.kubevirt.io" denied the request: no',
    );
    expect((await world.get(dataVolumes, 'bad')).status).toBe(404);
  });

  test('what it changes is stored, and judged by the schema', async () => {
    await using world = new Harness();
    world.api.admit(dataVolumes, ({ object }) => ({
      ...object,
      spec: {
        ...(object as { spec?: object }).spec,
        finalCheckpoint: object.metadata.name === 'a' ? true : 'x',
      },
    }));
    expect((await world.create(dataVolumes, dataVolume('a'))).body.spec['finalCheckpoint']).toBe(true);
    expect((await world.create(dataVolumes, dataVolume('b'))).status).toBe(422);
  });

  test('sees old and new of a change, but no status writes', async () => {
    await using world = new Harness();
    const seen: string[] = [];
    world.api.admit(dataVolumes, ({ operation, object, oldObject, dryRun }) => {
      seen.push(`${operation} ${oldObject === undefined ? 'new' : 'old'} ${dryRun}`);
      return object;
    });
    await world.create(dataVolumes, dataVolume('a'), { dryRun: 'All' });
    await world.create(dataVolumes, dataVolume('a'));
    await world.mergeStatus(dataVolumes, 'a', { phase: 'Pending' });
    await world.merge(dataVolumes, 'a', { metadata: { labels: { a: 'b' } } });
    await world.delete(dataVolumes, 'a');
    expect(seen).toEqual(['CREATE new true', 'CREATE new false', 'UPDATE old false', 'DELETE old false']);
  });

  test('reads other objects', async () => {
    await using world = new Harness();
    let found: unknown;
    world.api.admit(dataVolumes, (request) => {
      found = [
        request.read(namespaces, undefined, 'default')?.metadata.name,
        request.list(namespaces, undefined).length,
      ];
      return request.object;
    });
    await world.create(dataVolumes, dataVolume('a'));
    expect(found).toEqual(['default', 2]);
  });
});

describe('a resource quota', () => {
  test('refuses what exceeds it, dry runs too', async () => {
    await using world = new Harness();
    await world.create(resourceQuotas, {
      metadata: { name: 'q' },
      spec: { hard: { 'requests.storage': '3Gi', persistentvolumeclaims: '5' } },
    });
    expect((await world.create(persistentVolumeClaims, claim('a', '2Gi'))).status).toBe(201);
    const { status, body } = await world.create(persistentVolumeClaims, claim('b', '1536Mi'), {
      dryRun: 'All',
    });
    expect(status).toBe(403);
    expect(body.message).toBe(
      'persistentvolumeclaims "b" is forbidden: exceeded quota: q, requested: requests.storage=1536Mi, used: requests.storage=2Gi, limited: requests.storage=3Gi',
    );
    await world.settle();
    expect((await world.get(resourceQuotas, 'q')).body.status).toEqual({
      hard: { 'requests.storage': '3Gi', persistentvolumeclaims: '5' },
      used: { 'requests.storage': '2Gi', persistentvolumeclaims: '1' },
    });
    await world.delete(persistentVolumeClaims, 'a');
    await world.settle();
    expect((await world.create(persistentVolumeClaims, claim('b', '3Gi'))).status).toBe(201);
  });

  test('counts objects of any kind, claims by class, and the resources of pods', async () => {
    await using world = new Harness();
    const hard = {
      'count/datavolumes.cdi.kubevirt.io': '1',
      'fast.storageclass.storage.k8s.io/requests.storage': '1Gi',
      'limits.memory': '1Gi',
    };
    await world.create(resourceQuotas, { metadata: { name: 'q' }, spec: { hard } });
    await world.create(dataVolumes, dataVolume('a'));
    expect((await world.create(dataVolumes, dataVolume('b'))).body.message).toContain(
      'requested: count/datavolumes.cdi.kubevirt.io=1, used: count/datavolumes.cdi.kubevirt.io=1, limited: count/datavolumes.cdi.kubevirt.io=1',
    );
    expect(
      (await world.create(persistentVolumeClaims, claim('c', '2Gi', { spec: { storageClassName: 'slow' } })))
        .status,
    ).toBe(201);
    expect(
      (await world.create(persistentVolumeClaims, claim('d', '2Gi', { spec: { storageClassName: 'fast' } })))
        .status,
    ).toBe(403);
    const containers = [{ name: 'c', resources: { limits: { memory: '2Gi' } } }];
    expect((await world.create(pods, { metadata: { name: 'p' }, spec: { containers } })).status).toBe(403);
  });
});

describe('quantities', () => {
  test.each([
    ['1536Mi', '1536Mi'],
    ['1024Mi', '1Gi'],
    ['1.5Gi', '1536Mi'],
    ['100m', '100m'],
    ['2000m', '2'],
    ['1e3', '1k'],
    ['5k', '5k'],
    ['0', '0'],
  ])('%s is written as %s', (text, written) => {
    expect(formatQuantity(parseQuantity(text)!)).toBe(written);
  });

  test('add up in the form of the first', () => {
    expect(formatQuantity(add(parseQuantity('512Mi')!, parseQuantity('512Mi')!))).toBe('1Gi');
    expect(parseQuantity('a lot')).toBeUndefined();
  });
});
