import { expect } from '@jest/globals';
import { findCondition, isTrue } from '../../../src/api/conditions.ts';
import { plans, providers, secrets } from '../../../src/api/kinds.ts';
import { sandboxOnly } from '../../support/needs.ts';
import { eventsOf, eventsSoFar, importOf, untilImport, type Run } from '../../support/trouble.ts';
import { cutoverNow, isMovedWarm, startWarm, untilCopied } from '../../support/warm.ts';
import { scribble } from '../../support/writing-guest.ts';

const rotation = sandboxOnly({ faults: 'an importer that crashes at a fifth of a disk' });
const slow = { copy: { secondsPerDisk: 60 }, sandbox: { cdi: { faultAtPercent: 20 } } } as const;
const soonSeconds = 30;

async function editPassword({ world }: Run, password: string): Promise<void> {
  const at = { namespace: world.planNamespace, name: 'vcenter' };
  const data = { password: Buffer.from(password).toString('base64') };
  await world.client.mergePatch(secrets, at, { data });
}

async function rejections({ world }: Run): Promise<readonly (number | undefined)[]> {
  return (await eventsSoFar(world, 'SourceCredentialsRejected')).map(({ count }) => count);
}

/** Tries of controllers that were refused. */
function lost({ world }: Run): number {
  return world.log.lines.filter(({ message }) => message === 'source lost').length;
}

async function rejected({ world }: Run): Promise<void> {
  await world.until('the Provider says so', async () => {
    const provider = await world.get(providers, world.planNamespace, 'vcenter');
    return isTrue(provider?.status?.conditions, 'ConnectionAuthFailed') ? true : undefined;
  });
}

/** Rotated at the vCenter alone, in the middle of a copy; what is open stays open, who comes anew is refused. */
async function rotate(run: Run): Promise<void> {
  await untilImport(run.world, 'copies', ({ status }) =>
    (status?.disks ?? []).some(({ state }) => state === 'copying'),
  );
  run.world.vcenter.setAccount('rotated');
  rotation.world(run.world).faults.start('importer-crash', { times: 1 });
  await rejected(run);
}

rotation.describe('a password that is rotated in the middle of a round', () => {
  rotation.test('is one event and one condition; all goes on within half a minute of the edit', async () => {
    const run = await startWarm(slow);
    await using _world = run.world;
    await rotate(run);
    await run.world.letPass(600);
    const [event, ...others] = await eventsOf(run.world, 'SourceCredentialsRejected');
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      type: 'Warning',
      count: 1,
      involvedObject: { kind: 'Provider', name: 'vcenter' },
    });
    expect(event?.message).toContain(`Secret ${run.world.planNamespace}/vcenter`);
    expect(event?.message).not.toContain('rotated');
    const plan = await run.world.get(plans, run.world.planNamespace, 'plan');
    expect(findCondition(plan?.status?.conditions, 'SourceCredentialsRejected')).toBeDefined();

    await editPassword(run, 'rotated');
    await untilImport(
      run.world,
      'goes on',
      ({ status }) => !isTrue(status?.conditions, 'SourceUnavailable'),
      'web-01',
      soonSeconds,
    );
    scribble(run.source, 6);
    await untilCopied(run.world, 2);
    await cutoverNow(run.world);
    await isMovedWarm(run);
    expect((await importOf(run.world))?.status?.error).toBeUndefined();
    expect(await rejections(run)).toEqual([1]);
  });

  rotation.test('is told again of another version of the Secret, and not by another controller', async () => {
    const run = await startWarm(slow);
    await using _world = run.world;
    await rotate(run);
    await editPassword(run, 'mistyped');
    await run.world.until('it is told again', async () =>
      (await rejections(run))[0] === 2 ? true : undefined,
    );
    await rejected(run);
    const tries = lost(run);
    run.controller.kill();
    run.world.startController();
    await run.world.until('the new one has tried', () =>
      Promise.resolve(lost(run) > tries ? true : undefined),
    );
    await run.world.letPass(120);
    expect(await rejections(run)).toEqual([2]);
    await editPassword(run, 'rotated');
    await untilCopied(run.world, 2);
    await cutoverNow(run.world);
    await isMovedWarm(run);
  });
});
