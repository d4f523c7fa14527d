import { describe, expect, test } from '@jest/globals';
import { findCondition } from '../../../src/api/conditions.ts';
import {
  migrations,
  namespaces,
  plans,
  providers,
  secrets,
  virtualMachineImports,
  virtualMachines,
} from '../../../src/api/kinds.ts';
import type { ResourceKind } from '../../../src/api/meta.ts';
import { planWith, untilClean } from '../../support/move.ts';
import { sandboxOnly } from '../../support/needs.ts';
import {
  entryOf,
  eventsOf,
  importOf,
  nothingLeft,
  once,
  slowCopy,
  startRun,
  untilCopying,
  untilImport,
  type Run,
} from '../../support/trouble.ts';

async function untilGone({ world }: Run, kind: ResourceKind, name: string): Promise<void> {
  await world.until(
    `${kind.plural} ${name} is gone`,
    async () => {
      const at = kind.namespaced ? { namespace: world.planNamespace, name } : { name };
      return (await world.client.get(kind, at)) === undefined ? true : undefined;
    },
    1800,
  );
}

async function copying(): Promise<Run> {
  const run = await startRun(undefined, slowCopy);
  await untilCopying(run.world);
  return run;
}

async function isTakenBack({ world, source }: Run): Promise<void> {
  expect(source.power).toBe('poweredOn');
  await nothingLeft(world);
}

describe('in the middle of a copy somebody deletes', () => {
  test('the Migration: all is taken back, the source runs again, the Plan says Canceled', async () => {
    const run = await copying();
    await using world = run.world;
    await world.client.delete(migrations, { namespace: world.planNamespace, name: 'run' });
    await untilGone(run, migrations, 'run');
    await world.until('no imports', async () => ((await world.imports()).length === 0 ? true : undefined));
    const plan = await planWith(world, 'Canceled', 'plan', 600);
    const [entry] = plan.status?.migration?.vms ?? [];
    expect(entry?.completed).toBeDefined();
    expect(findCondition(entry?.conditions, 'Canceled')).toMatchObject({ reason: 'Deleted' });
    await isTakenBack(run);
  });

  test('the import: all is taken back, the source runs again, the Plan says Canceled', async () => {
    const run = await copying();
    await using world = run.world;
    const { name } = (await importOf(world))!.metadata;
    await world.client.delete(virtualMachineImports, { namespace: world.planNamespace, name });
    await planWith(world, 'Canceled', 'plan', 600);
    await untilGone(run, virtualMachineImports, name);
    expect(findCondition((await entryOf(world))?.conditions, 'Canceled')).toMatchObject({
      reason: 'Deleted',
    });
    await isTakenBack(run);
  });

  test('the Plan: its Migration goes with it, all is taken back, the source runs again', async () => {
    const run = await copying();
    await using world = run.world;
    await world.client.delete(plans, { namespace: world.planNamespace, name: 'plan' });
    await untilGone(run, plans, 'plan');
    await untilGone(run, migrations, 'run');
    await world.until('no imports', async () => ((await world.imports()).length === 0 ? true : undefined));
    await isTakenBack(run);
  });

  test('the Provider and its Secret: they stay until the source runs again', async () => {
    const run = await copying();
    await using world = run.world;
    await world.client.delete(secrets, { namespace: world.planNamespace, name: 'vcenter' });
    await world.client.delete(providers, { namespace: world.planNamespace, name: 'vcenter' });
    const cancel = { spec: { cancel: [{ id: run.source.id }] } };
    await world.client.mergePatch(migrations, { namespace: world.planNamespace, name: 'run' }, cancel);
    await untilClean(world);
    await isTakenBack(run);
    await untilGone(run, providers, 'vcenter');
    await untilGone(run, secrets, 'vcenter');
  });

  sandboxOnly({ skipTime: 'ten minutes for a source' }).test(
    'the Provider, and takes our finalizer off: the import gives up after ten minutes, and says so',
    async () => {
      const run = await copying();
      await using world = run.world;
      const at = { namespace: world.planNamespace, name: 'vcenter' };
      await world.client.delete(providers, at);
      await world.client.mergePatch(providers, at, { metadata: { finalizers: null } });
      const { name } = (await importOf(world))!.metadata;
      await world.client.delete(virtualMachineImports, { namespace: world.planNamespace, name });
      await world.clock.sleep(9 * 60_000);
      const left = (await importOf(world))?.status;
      expect(findCondition(left?.conditions, 'SourceLeftOff')?.message).toContain('web-01');
      await untilGone(run, virtualMachineImports, name);
      const [told] = await eventsOf(world, 'SourcePowerLetGo');
      expect(told?.message).toContain('left off');
      await nothingLeft(world);
    },
  );

  test('the namespace of the plan: the source runs again, and nothing is immortal', async () => {
    const run = await copying();
    await using world = run.world;
    await world.client.delete(namespaces, { name: world.planNamespace });
    await untilGone(run, namespaces, world.planNamespace);
    expect(await world.imports()).toEqual([]);
    await isTakenBack(run);
  });
});

describe('after the commit point', () => {
  test.each([
    ['the Migration', migrations, 'run'],
    ['the namespace of the plan', namespaces, undefined],
  ] as const)(
    '%s may be deleted: the target stays and runs, the source stays off',
    async (_what, kind, given) => {
      const run = await startRun(undefined, {
        atBoundary: (world) =>
          once('after', 'StartVM setRunStrategy', async () => {
            await world.client.delete(kind, {
              ...(kind.namespaced && { namespace: world.planNamespace }),
              name: given ?? world.planNamespace,
            });
          }),
      });
      await using world = run.world;
      await untilGone(run, kind, given ?? world.planNamespace);
      await world.until('no imports', async () => ((await world.imports()).length === 0 ? true : undefined));
      await world.until('the target runs', async () =>
        (await world.get(virtualMachines, world.targetNamespace, 'web-01'))?.status?.printableStatus ===
        'Running'
          ? true
          : undefined,
      );
      expect(run.source.power).toBe('poweredOff');
    },
  );

  test('the target may be deleted: that is the user’s, and the source stays off', async () => {
    const run = await startRun(undefined, {
      settings: { targetRunningSeconds: 15 },
      atBoundary: (world) =>
        once('after', 'StartVM setRunStrategy', async () => {
          await world.client.delete(virtualMachines, { namespace: world.targetNamespace, name: 'web-01' });
        }),
    });
    await using world = run.world;
    await untilImport(world, 'has ended', ({ status }) => status?.outcome !== undefined);
    await untilClean(world);
    expect(run.source.power).toBe('poweredOff');
  });
});
