import { describe, expect, test } from '@jest/globals';
import { findCondition, isTrue } from '../../src/api/conditions.ts';
import { providers, secrets } from '../../src/api/kinds.ts';
import { issueCertificate } from '../../src/sandbox/api/certificates.ts';
import { Made, planWith, untilClean } from '../support/move.ts';
import { isMovedOnce } from '../support/moved.ts';
import { migrationObject } from '../support/objects.ts';
import { ProcessWorld } from './process-world.ts';

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
    await world.until('the last status is written', async () => {
      const last = door.requests.findLast(({ path }) => !path.includes('/leases/'));
      return Promise.resolve(world.clock.monotonicMs() - (last?.atMs ?? 0) > 1000 ? true : undefined);
    });
    const before = door.requests.length;
    const soap = world.sandbox.trace.entries.length;
    await world.clock.sleep(6000);
    const asked = door.requests.slice(before);
    expect(asked.filter(({ path }) => !path.includes('/leases/'))).toEqual([]);
    expect(asked.length).toBeGreaterThan(5);
    expect(world.sandbox.trace.entries.slice(soap)).toEqual([]);
  });
});
