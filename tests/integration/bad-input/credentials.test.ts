import { describe, expect, test } from '@jest/globals';
import { migrations, plans, providers, secrets } from '../../../src/api/kinds.ts';
import { isTrue } from '../../../src/api/conditions.ts';
import { plannedWorld, planWith, untilClean } from '../../support/move.ts';
import { sameBytes } from '../../support/bytes.ts';
import { persistentVolumeClaims } from '../../../src/api/kinds.ts';
import { sandboxOnly } from '../../support/needs.ts';
import { migrationObject, password } from '../../support/objects.ts';
import type { TestWorld } from '../../support/world.ts';
import {
  conditionsOf,
  editSecret,
  isUntouched,
  planSays,
  providerSays,
  soonSeconds,
  typesOf,
  untilCondition,
  ends,
  untilMidCopy,
} from './looking.ts';

const web = { name: 'web-01', power: 'on' } as const;
const tenMinutes = 600;

/** Everything applied, the password wrong, a Migration waiting. */
async function worldWithSecret(data: Readonly<Record<string, string>>) {
  const { world, sources } = await plannedWorld([web]);
  await editSecret(world, data);
  await world.apply(migrationObject(world));
  world.startController();
  return { world, source: sources[0]! };
}

function logins(world: TestWorld): readonly string[] {
  return world.trace.entries.filter(({ what }) => /^login/i.test(what)).map(({ what }) => what);
}

describe('a wrong password', () => {
  test('is tried once for each version of the Secret; after the edit the waiting Migration runs by itself', async () => {
    const { world, source } = await worldWithSecret({ password: 'wrong-1' });
    await using _world = world;
    const { account } = world.vcenter;
    const condition = await providerSays(world, 'ConnectionAuthFailed');
    expect(condition).toMatchObject({ category: 'Critical', reason: 'InvalidLogin' });
    expect(condition.message).toMatch(
      /Login on SessionManager .* Correct user and password in the provider's Secret/,
    );
    expect(await typesOf(world, providers, 'vcenter')).not.toContain('Ready');
    await world.letPass(tenMinutes);
    expect(account.wrongTries).toBe(1);
    await planSays(world, 'SourceProviderNotReady');
    const waiting = await untilCondition(world, migrations, 'run', 'PlanNotReady');
    expect(waiting.message).toMatch(/begins as soon as it is/);

    await editSecret(world, { password: 'wrong-2' });
    await world.until('the second is tried', () =>
      Promise.resolve(account.wrongTries === 2 ? true : undefined),
    );
    await world.letPass(tenMinutes);
    expect(account.wrongTries).toBe(2);
    isUntouched(world, source);

    await editSecret(world, { password });
    await planSays(world, 'Executing', soonSeconds);
    await ends(world, 'Succeeded');
    expect(account.wrongTries).toBe(2);
    expect(await typesOf(world, providers, 'vcenter')).toContain('Ready');
    expect(await typesOf(world, providers, 'vcenter')).not.toContain('ConnectionAuthFailed');
  });

  test('that was right after all, once the account is unlocked, is tried again when the Secret is touched', async () => {
    const { world } = await worldWithSecret({ password: 'changed-later' });
    await using _world = world;
    await providerSays(world, 'ConnectionAuthFailed');
    world.vcenter.setAccount('changed-later');
    await world.letPass(tenMinutes);
    expect(world.vcenter.account.wrongTries).toBe(1);
    const touched = { metadata: { annotations: { 'example.com/unlocked': 'yes' } } };
    await world.client.mergePatch(secrets, { namespace: world.planNamespace, name: 'vcenter' }, touched);
    await providerSays(world, 'Ready', soonSeconds);
  });

  test('never shows in a condition, an event or the log', async () => {
    const { world } = await worldWithSecret({ password: 'hunter2-and-more' });
    await using _world = world;
    await providerSays(world, 'ConnectionAuthFailed');
    const said = JSON.stringify([
      await conditionsOf(world, providers, 'vcenter'),
      await conditionsOf(world, plans, 'plan'),
      world.log.lines.map(({ message, fields }) => [message, fields]),
    ]);
    expect(said).toContain('InvalidLogin');
    expect(said).not.toContain('hunter2-and-more');
  });
});

describe('a certificate that is not trusted', () => {
  const wrongTrust = {
    'a thumbprint of another certificate': {
      'ca.crt': '',
      thumbprint: '00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33',
    },
    'an authority that has not signed it': {
      'ca.crt': '-----BEGIN CERTIFICATE-----\nTWFuIGlz\n-----END CERTIFICATE-----',
    },
  };

  test.each(Object.entries(wrongTrust))(
    '%s: no password is sent, and the edit is enough',
    async (_name, data) => {
      const { world, source } = await worldWithSecret(data);
      await using _world = world;
      const { vcenter } = world;
      const condition = await providerSays(world, 'ConnectionTestFailed');
      expect(condition).toMatchObject({ category: 'Critical', reason: 'CertificateNotTrusted' });
      expect(condition.message).toContain(vcenter.url);
      // Who fails by the authority is not told more by TLS.
      if ('thumbprint' in data) expect(condition.message).toContain(vcenter.thumbprint);
      await world.letPass(tenMinutes);
      expect(logins(world)).toEqual([]);
      isUntouched(world, source);

      await editSecret(world, { 'ca.crt': '', thumbprint: vcenter.thumbprint });
      await planSays(world, 'Executing', soonSeconds);
      await ends(world, 'Succeeded');
    },
  );

  test('that was renewed under a Provider by thumbprint is one condition, until the Secret has the new one', async () => {
    const { world } = await plannedWorld([web]);
    await using _world = world;
    const { vcenter } = world;
    await editSecret(world, { 'ca.crt': '', thumbprint: vcenter.thumbprint });
    world.startController();
    await planSays(world, 'Ready');
    vcenter.renewCertificate();
    vcenter.dropConnections();
    await providerSays(world, 'ConnectionTestFailed', 120);
    await planSays(world, 'SourceProviderNotReady');
    await editSecret(world, { thumbprint: vcenter.thumbprint });
    await planSays(world, 'Ready', soonSeconds);
  });
});

describe('a Secret that cannot be used', () => {
  test('is not there: the Provider names it, and goes on when it is created', async () => {
    const { world } = await plannedWorld([web]);
    await using _world = world;
    const secret = (await world.get(secrets, world.planNamespace, 'vcenter'))!;
    await world.client.delete(secrets, { namespace: world.planNamespace, name: 'vcenter' });
    world.startController();
    const condition = await providerSays(world, 'SecretNotValid');
    expect(condition).toMatchObject({ category: 'Critical', reason: 'NotFound' });
    expect(condition.message).toContain(`${world.planNamespace}/vcenter`);
    const { resourceVersion: _version, uid: _uid, creationTimestamp: _time, ...metadata } = secret.metadata;
    await world.client.create(secrets, { ...secret, metadata });
    await planSays(world, 'Ready', soonSeconds);
  });

  test('lacks a key: the Provider names the key, and nothing is tried before it is there', async () => {
    const { world } = await worldWithSecret({ password: '' });
    await using _world = world;
    const condition = await providerSays(world, 'SecretNotValid');
    expect(condition).toMatchObject({ category: 'Critical', reason: 'DataErr', items: ['password'] });
    expect(logins(world)).toEqual([]);
    await editSecret(world, { password });
    await planSays(world, 'Executing', soonSeconds);
  });

  test('is deleted under a Ready Provider: it says so, and goes on when it is back', async () => {
    const { world } = await plannedWorld([web]);
    await using _world = world;
    world.startController();
    await planSays(world, 'Ready');
    const { metadata, ...rest } = (await world.get(secrets, world.planNamespace, 'vcenter'))!;
    await world.client.delete(secrets, { namespace: world.planNamespace, name: 'vcenter' });
    await providerSays(world, 'SecretNotValid', soonSeconds);
    await planSays(world, 'SourceProviderNotReady', soonSeconds);
    await world.client.create(secrets, {
      ...rest,
      metadata: { name: metadata.name, namespace: world.planNamespace },
    });
    await planSays(world, 'Ready', soonSeconds);
  });
});

describe('a password that is changed at the vCenter in the middle of a copy', () => {
  const rotation = sandboxOnly({ faults: 'an importer that crashes at a fifth of a disk' });
  const slow = { copy: { secondsPerDisk: 120 }, sandbox: { cdi: { faultAtPercent: 20 } } } as const;

  rotation.test(
    'fails no VM: one condition on the Provider until the Secret is edited, then all goes on within half a minute',
    async () => {
      const { world, sources } = await plannedWorld([web, { name: 'web-02', power: 'on' }], slow);
      await using _world = world;
      const { vcenter, faults } = rotation.world(world);
      world.startController();
      await world.apply(migrationObject(world));
      await untilMidCopy(world);
      vcenter.setAccount('rotated');
      // What is open stays open; who comes anew is refused.
      faults.start('importer-crash', { times: 1 });
      const condition = await providerSays(world, 'ConnectionAuthFailed', 180);
      expect(condition).toMatchObject({ category: 'Critical', reason: 'InvalidLogin' });
      await planSays(world, 'SourceCredentialsRejected', soonSeconds);
      const tries = vcenter.account.wrongTries;
      await world.letPass(2 * tenMinutes);
      expect(vcenter.account.wrongTries).toBe(tries);
      // Fewer than lock an account (five within three minutes).
      expect(tries).toBeLessThan(5);
      expect(isTrue(await conditionsOf(world, plans, 'plan'), 'Executing')).toBe(true);

      await editSecret(world, { password: 'rotated' });
      await providerSays(world, 'Ready', soonSeconds);
      await world.until(
        'the copy goes on',
        async () => {
          const { items } = await world.client.list(persistentVolumeClaims, {
            namespace: world.targetNamespace,
          });
          return items.length === 2 ? true : undefined;
        },
        soonSeconds,
      );
      const plan = await planWith(world, 'Succeeded');
      expect(plan.status?.migration?.vms?.map(({ error }) => error)).toEqual([undefined, undefined]);
      await untilClean(world);
      const { items: claims } = await world.client.list(persistentVolumeClaims, {
        namespace: world.targetNamespace,
      });
      const copies = await Promise.all(claims.map((claim) => world.contentOf(claim)));
      for (const source of sources)
        expect(copies.some((copy) => sameBytes(source.disks[0]!.disk, copy))).toBe(true);
      expect(await typesOf(world, plans, 'plan')).not.toContain('SourceCredentialsRejected');
      expect(vcenter.account.wrongTries).toBe(tries);
    },
  );
});
