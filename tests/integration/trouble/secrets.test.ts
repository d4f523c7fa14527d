import { describe, expect, test } from '@jest/globals';
import { dataVolumes, events, persistentVolumeClaims, plans, pods, secrets } from '../../../src/api/kinds.ts';
import type { RecordingLogger } from '../../../src/runtime/recording-logger.ts';
import { planWith, untilClean } from '../../support/move.ts';
import { sandboxOnly } from '../../support/needs.ts';
import { password } from '../../support/objects.ts';
import { SecretsScan } from '../../support/secrets-scan.ts';
import { entryOf, saysWhy, slowCopy, startRun, untilCopying, untilEnded } from '../../support/trouble.ts';
import type { TestWorld } from '../../support/world.ts';

const awkward = 'p&ss <wörd>"/+=%41';

async function changePassword(world: TestWorld, to: string): Promise<void> {
  world.secrets.add(to);
  world.vcenter.setAccount(to);
  const at = { namespace: world.planNamespace, name: 'vcenter' };
  await world.client.mergePatch(secrets, at, { stringData: { password: to } });
}

const simulated = sandboxOnly({ simulated: 'what an importer says, and each object as it is stored' });

describe('a password', () => {
  test('of awkward signs moves a VM and is seen nowhere', async () => {
    const { world } = await startRun(undefined, { prepare: (prepared) => changePassword(prepared, awkward) });
    await using _world = world;
    await planWith(world, 'Succeeded');
    await untilClean(world);
  });

  test('that is wrong is seen nowhere', async () => {
    const { world } = await startRun(undefined, {
      prepare: (prepared) => changePassword(prepared, awkward),
    });
    await using _world = world;
    world.vcenter.setAccount('another');
    await world.letPass(120);
  });

  simulated.test(
    'that an importer shouts out is taken out of what the import, the Plan and the log say',
    async () => {
      const { world } = await startRun(undefined, {
        async prepare(prepared) {
          prepared.secrets.passOver(pods, persistentVolumeClaims, dataVolumes, events);
          await changePassword(prepared, awkward);
          const { vcenter } = prepared;
          vcenter.openDisk = ({ user, password: given }) => {
            const basic = Buffer.from(`${user}:${given}`).toString('base64');
            throw new Error(
              `no session for ${user} with ${given} at https://${encodeURIComponent(given)}@x (${basic})`,
            );
          };
        },
      });
      await using _world = world;
      const end = await untilEnded(world);
      saysWhy(end, 'ImporterFailed', 'no session for', '***');
      await untilClean(world);
      expect(JSON.stringify(await entryOf(world))).not.toContain(awkward);
    },
  );

  test('changed in the middle of a copy is seen nowhere, the old one neither', async () => {
    const { world } = await startRun(undefined, slowCopy);
    await using _world = world;
    await untilCopying(world);
    await changePassword(world, awkward);
    await planWith(world, 'Succeeded');
  });
});

describe('the scan itself', () => {
  simulated.each(
    [
      password,
      encodeURIComponent(awkward),
      Buffer.from(awkward).toString('base64'),
      Buffer.from(`administrator@vsphere.local:${awkward}`).toString('base64'),
    ].map((text) => [text] as const),
  )('finds %s in a stored object and in a log line', async (text) => {
    const { world } = await startRun();
    await using _world = world;
    const log = { lines: [] } as unknown as RecordingLogger;
    const scan = new SecretsScan(log, [password, awkward]);
    scan.follow(simulated.world(world).sandbox.api);
    scan.check();
    const told = new Error('outer', { cause: new Error(`inner ${text}`) });
    log.lines.push({ level: 'info', message: 'x', fields: { error: told } });
    expect(() => scan.check()).toThrow('log "x"');
    log.lines.length = 0;

    const noted = { metadata: { annotations: { note: text } } };
    world.secrets.passOver(plans);
    await world.client.mergePatch(plans, { namespace: world.planNamespace, name: 'plan' }, noted);
    expect(() => scan.check()).toThrow(`plans ${world.planNamespace}/plan`);
  });
});
