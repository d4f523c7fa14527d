import { describe, expect, test } from '@jest/globals';
import { ownerOf, volumeFact } from '../../../src/controllers/import/volume-facts.ts';
import { frozenDisk } from '../../migration/import-spec.ts';

const disk = frozenDisk(0);
const meta = (name: string, more: object = {}) => ({
  name,
  namespace: 'target',
  uid: `${name}-uid`,
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
  ...more,
});
const ours = { labels: { 'gantry.dev/import': 'me' } };
const reading = { scrub: (text: string) => text.replaceAll('hunter2', '***'), isLoginRefusal: () => false };
const fact = (objects: object) =>
  volumeFact('me', disk, { dataVolume: undefined, claim: undefined, pods: [], ...objects }, reading);

describe('what stands behind a disk', () => {
  test('is nothing but names while nothing was made', () => {
    expect(fact({})).toEqual({ diskKey: disk.key, claimName: disk.claimName });
  });

  test.each([
    ['56.25%', 56.25],
    ['100.0%', 100],
    ['N/A', undefined],
    ['', undefined],
  ])('has progress %p as %p', (progress, percent) => {
    const { dataVolume } = fact({
      dataVolume: { metadata: meta('dv', ours), spec: {}, status: { progress } },
    });
    expect(dataVolume?.percent).toBe(percent);
  });

  test('is ours only with our own label', () => {
    const other = { labels: { 'gantry.dev/import': 'another' } };
    expect(
      fact({ dataVolume: { metadata: meta('dv', other), spec: {} }, claim: { metadata: meta('c') } }),
    ).toMatchObject({
      dataVolume: { ours: false },
      claim: { ours: false },
    });
  });

  test('tells the last error of its importer without the secrets in it', () => {
    const terminated = { exitCode: 1, message: 'login with hunter2 failed\n' };
    const pod = {
      metadata: meta('importer', ours),
      spec: {},
      status: {
        phase: 'Running',
        containerStatuses: [
          { name: 'sidecar', restartCount: 9 },
          {
            name: 'importer',
            restartCount: 2,
            state: { waiting: { reason: 'CrashLoopBackOff' } },
            lastState: { terminated },
          },
        ],
      },
    };
    expect(fact({ pods: [pod] }).pod).toMatchObject({
      restarts: 3,
      terminationMessage: 'login with *** failed',
      waitingReason: 'CrashLoopBackOff',
    });
  });

  test.each([
    [{ exitCode: 137, reason: 'Error', message: 'I1121 15:10:32 the end of its lo' }, 'signal 9'],
    [{ exitCode: 137, reason: 'OOMKilled', message: 'I1121 15:10:32 the end of its lo' }, 'OOMKilled'],
  ])('tells that its importer was killed rather than where its log broke off (%p)', (terminated, how) => {
    const containerStatuses = [{ name: 'importer', restartCount: 1, lastState: { terminated } }];
    const pod = {
      metadata: meta('importer', ours),
      spec: {},
      status: { phase: 'Running', containerStatuses },
    };
    expect(fact({ pods: [pod] }).pod?.terminationMessage).toBe(`The importer was killed (${how}).`);
  });

  const error = { exitCode: 1 };
  test.each([
    ['runs again', { state: { running: {} }, lastState: { terminated: error } }, {}, 2],
    ['has ended and waits for no start yet', { state: { terminated: error } }, {}, 3],
    [
      'lacks its Secret',
      {
        state: { waiting: { reason: 'CreateContainerConfigError' } },
        lastState: { terminated: error },
      },
      {},
      3,
    ],
    [
      'has come to its end',
      { state: { terminated: { exitCode: 0 } }, lastState: { terminated: error } },
      {},
      2,
    ],
    ['was not started yet', { state: { waiting: { reason: 'ContainerCreating' } } }, {}, 2],
    [
      'is deleted',
      { state: { terminated: { exitCode: 143 } } },
      { deletionTimestamp: '2026-01-01T00:01:00Z' },
      2,
    ],
  ])('counts the failure of an importer that %s once', (_what, of, more, restarts) => {
    const containerStatuses = [{ name: 'importer', restartCount: 2, ...of }];
    const pod = {
      metadata: meta('importer', { ...ours, ...more }),
      spec: {},
      status: { phase: 'Running', containerStatuses },
    };
    expect(fact({ pods: [pod] }).pod?.restarts).toBe(restarts);
  });

  test('tells why the node threw its importer out', () => {
    const terminated = { exitCode: 137, reason: 'Error', message: 'I1121 15:10:32 the end of its lo' };
    const status = {
      phase: 'Failed',
      reason: 'Evicted',
      message: 'The node was low on resource: memory.',
      containerStatuses: [{ name: 'importer', restartCount: 0, state: { terminated } }],
    };
    const pod = { metadata: meta('importer', ours), spec: {}, status };
    expect(fact({ pods: [pod] }).pod?.terminationMessage).toBe('The node was low on resource: memory.');
  });

  test('is served by the newest of several pods', () => {
    const old = { metadata: meta('old'), spec: {} };
    const fresh = { metadata: meta('new', { creationTimestamp: '2026-01-01T00:00:09Z' }), spec: {} };
    expect(fact({ pods: [fresh, old] }).pod?.name).toBe('new');
  });
});

describe('the owner of a claim', () => {
  const owners = (...kinds: string[]) =>
    ownerOf({
      kind: 'x',
      apiVersion: 'v1',
      metadata: {
        name: 'c',
        ownerReferences: kinds.map((kind) => ({ apiVersion: 'v1', kind, name: kind, uid: kind })),
      },
    });

  test('is the VirtualMachine before the DataVolume, and anything else is foreign', () => {
    expect(owners('DataVolume', 'VirtualMachine').kind).toBe('VirtualMachine');
    expect(owners('Pod', 'DataVolume').kind).toBe('DataVolume');
    expect(owners('Pod').kind).toBe('other');
    expect(owners().kind).toBe('none');
  });
});
