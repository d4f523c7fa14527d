import { describe, expect, test } from '@jest/globals';
import type { Host, HostSpec } from '../../../src/api/host.ts';
import { hosts } from '../../../src/api/kinds.ts';
import { hostReconciler } from '../../../src/controllers/host/reconciler.ts';
import { ObjectCache } from '../../../src/kube/cache.ts';
import type { EventContent } from '../../../src/kube/events.ts';
import { RecordingLogger } from '../../../src/runtime/recording-logger.ts';
import { ApiWith, noSignal } from '../api-with.ts';
import { forklift, PlanFixture } from '../plan/plan-fixture.ts';

const good: HostSpec = {
  id: 'host-1',
  provider: { namespace: 'mtv', name: 'vcenter' },
  ipAddress: '10.0.0.7',
  secret: { namespace: 'mtv', name: 'esx' },
};

function setUp() {
  const fixture = new PlanFixture();
  fixture.inventory.upsert('hosts', 'host-1', { _type: 'HostSystem', name: 'esx-1.example.com' });
  const cache = new ObjectCache<Host>({ logger: new RecordingLogger() });
  const server = new ApiWith<Host>(hosts, cache);
  const told: EventContent[] = [];
  const events = { record: (_object: unknown, content: EventContent) => void told.push(content) };
  const { client, clock } = server;
  const reconcile = hostReconciler({ client, clock, events, hosts: cache, world: fixture.world });
  const judge = async (spec: HostSpec): Promise<readonly string[]> => {
    const object = forklift<Host>('Host', 'h', { spec });
    server.put(object);
    await reconcile('mtv/h', noSignal, {} as never);
    return (server.find(object).status?.conditions ?? []).map(({ type, category, reason }) =>
      [type, category, reason].filter(Boolean).join(' '),
    );
  };
  return { fixture, server, told, judge, reconcile };
}
const notUsed = 'HostNotUsed Warn NotSupported';

describe('a Host', () => {
  test('in which all is well is told, once, that it has no effect, and is never Ready', async () => {
    const { judge, reconcile, told, server } = setUp();
    expect(await judge(good)).toEqual(['Validated Advisory Completed', notUsed]);
    await reconcile('mtv/h', noSignal, {} as never);
    expect(told).toEqual([expect.objectContaining({ type: 'Warning', reason: 'HostNotUsed' })]);
    expect(server.writes).toBe(1);
  });

  test('may be named by its name', async () => {
    const { id: _id, ...rest } = good;
    expect(await setUp().judge({ ...rest, name: 'esx-1.example.com' })).toContain(
      'Validated Advisory Completed',
    );
  });

  test.each<[string, Partial<HostSpec>, string]>([
    ['is not in the inventory', { id: 'host-9' }, 'RefNotValid Critical NotFound'],
    ['is named by nothing', { id: '' }, 'RefNotValid Critical NotSet'],
    ['has no address', { ipAddress: '' }, 'IpNotValid Critical NotSet'],
    ['has an address that is none', { ipAddress: 'esx-1' }, 'IpNotValid Critical NotValid'],
    ['names no Secret', { secret: {} }, 'SecretNotValid Critical NotSet'],
    ['names no Provider', { provider: {} }, 'ProviderNotValid Critical NotSet'],
    ['names a Provider that is gone', { provider: { name: 'gone' } }, 'ProviderNotValid Critical NotFound'],
    [
      'belongs to a Provider without hosts',
      { provider: { name: 'host' } },
      'TypeNotValid Critical NotSupported',
    ],
  ])('that %s is told so', async (_what, changes, expected) => {
    expect(await setUp().judge({ ...good, ...changes })).toEqual([expected, notUsed]);
  });

  test('that bears the name of another is told to give its id', async () => {
    const { fixture, judge } = setUp();
    fixture.inventory.upsert('hosts', 'host-2', { _type: 'HostSystem', name: 'esx-1.example.com' });
    expect(await judge({ ...good, id: '', name: 'esx-1.example.com' })).toEqual([
      'RefNotValid Critical Ambiguous',
      notUsed,
    ]);
  });

  test('of a Provider that is not Ready is told so', async () => {
    const { fixture, judge } = setUp();
    fixture.provider('vcenter', { type: 'vsphere', url: 'u', secret: { name: 's' } }, []);
    expect(await judge(good)).toEqual(['ProviderNotReady Critical', notUsed]);
  });
});
