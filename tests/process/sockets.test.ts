import { describe, expect, jest, test } from '@jest/globals';
import { findCondition, isTrue } from '../../src/api/conditions.ts';
import { providers, secrets } from '../../src/api/kinds.ts';
import { issueCertificate } from '../../src/sandbox/api/certificates.ts';
import { Made, planWith, untilClean } from '../support/move.ts';
import { isMovedOnce } from '../support/moved.ts';
import { migrationObject } from '../support/objects.ts';
import { testPatienceMs } from './patience.ts';
import { ProcessWorld } from './process-world.ts';

jest.setTimeout(testPatienceMs);

describe('over sockets', () => {
  test('a vCenter that shows a certificate of another authority is refused; with the right one in the Secret the VM moves', async () => {
    const { caPem } = await issueCertificate(0);
    await using world = await ProcessWorld.start({ secret: { 'ca.crt': caPem } });
    const made = await Made.follow(world);
    await world.startController();
    const provider = () => world.get(providers, world.planNamespace, 'vcenter');
    const refused = await world.until('the Provider tells of the certificate', async () => {
      const conditions = (await provider())?.status?.conditions ?? [];
      return conditions.find(({ message = '' }) => message.includes('is not trusted'));
    });
    expect(refused).toMatchObject({ status: 'True', category: 'Critical' });
    expect(refused.message).toContain(new URL(world.sandbox.vcenter.url).host);
    expect(refused.message).toContain('ca.crt');
    expect(isTrue((await provider())?.status?.conditions, 'Ready')).toBe(false);
    expect(world.sandbox.trace.entries.filter(({ what }) => what === 'Login')).toEqual([]);

    const right = Buffer.from(world.sandbox.vcenter.caPem).toString('base64');
    const at = { namespace: world.planNamespace, name: 'vcenter' };
    await world.client.mergePatch(secrets, at, { data: { 'ca.crt': right } });
    await planWith(world, 'Ready');
    expect(findCondition((await provider())?.status?.conditions, refused.type)).toBeUndefined();
    await world.apply(migrationObject(world));
    await planWith(world, 'Succeeded');
    await untilClean(world);
    await isMovedOnce(world, world.source, made);
    made.stop();
  });

  test('a Ready Plan at rest costs no request but the lease', async () => {
    await using world = await ProcessWorld.start();
    const { door } = await world.startController();
    await planWith(world, 'Ready');
    const startedMs = world.clock.monotonicMs();
    // When the last status is written nobody can say; but whoever asks by a tick, however slow the machine, never rests for so long.
    const rest = await world.until('for six seconds nothing but the lease is asked for', () => {
      const { entries } = world.sandbox.trace;
      const fromMs = world.clock.monotonicMs() - 6000;
      const isAsked = door.requests.some(({ atMs, path }) => atMs > fromMs && !path.includes('/leases/'));
      const isAskedOfSource = entries.some(({ atMs }) => atMs > world.clock.now() - 6000);
      if (isAsked || isAskedOfSource || world.clock.monotonicMs() - startedMs < 6000)
        return Promise.resolve(undefined);
      return Promise.resolve(door.ofLease.filter(({ atMs }) => atMs > fromMs));
    });
    expect(rest.length).toBeGreaterThan(0);
  });
});
