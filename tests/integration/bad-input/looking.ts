import { expect } from '@jest/globals';
import { findCondition, isTrue, type Condition } from '../../../src/api/conditions.ts';
import { migrations, plans, providers, secrets } from '../../../src/api/kinds.ts';
import type { KubeObject, ResourceKind, Stored } from '../../../src/api/meta.ts';
import type { Migration, MigrationStatus } from '../../../src/api/migration.ts';
import type { Plan } from '../../../src/api/plan.ts';
import type { VmStatus } from '../../../src/api/vm-status.ts';
import type { VmHandle } from '../../../src/sandbox/vcenter/vm-handle.ts';
import { migrationObject } from '../../support/objects.ts';
import type { TestWorld } from '../../support/world.ts';

/** The words "at once" of these tests: after the user's correction everything goes on by itself within half a minute. */
export const soonSeconds = 30;

interface WithConditions extends KubeObject {
  readonly status?: { readonly conditions?: readonly Condition[] };
}

export async function conditionsOf(
  world: TestWorld,
  kind: ResourceKind,
  name: string,
): Promise<readonly Condition[]> {
  const object = (await world.get(kind, world.planNamespace, name)) as WithConditions | undefined;
  return object?.status?.conditions ?? [];
}

/** Types of all conditions that hold. */
export async function typesOf(world: TestWorld, kind: ResourceKind, name: string): Promise<string[]> {
  return (await conditionsOf(world, kind, name)).map(({ type }) => type);
}

/** The condition, as soon as it holds. */
export function untilCondition(
  world: TestWorld,
  kind: ResourceKind,
  name: string,
  type: string,
  withinSeconds = 600,
): Promise<Condition> {
  return world.until(
    `${kind.kind} ${name} says ${type}`,
    async () => {
      const conditions = await conditionsOf(world, kind, name);
      return isTrue(conditions, type) ? findCondition(conditions, type) : undefined;
    },
    withinSeconds,
  );
}

export async function untilWithout(
  world: TestWorld,
  kind: ResourceKind,
  name: string,
  type: string,
  withinSeconds = soonSeconds,
): Promise<void> {
  await world.until(
    `${kind.kind} ${name} says ${type} no more`,
    async () => (isTrue(await conditionsOf(world, kind, name), type) ? undefined : true),
    withinSeconds,
  );
}

export const providerSays = (world: TestWorld, type: string, withinSeconds?: number): Promise<Condition> =>
  untilCondition(world, providers, 'vcenter', type, withinSeconds);
export const planSays = (world: TestWorld, type: string, withinSeconds?: number): Promise<Condition> =>
  untilCondition(world, plans, 'plan', type, withinSeconds);

/** The Migration has ended, one way or another. */
export function untilEnded(world: TestWorld, name = 'run'): Promise<Stored<Migration>> {
  return world.until(
    `Migration ${name} has ended`,
    async () => {
      const migration = (await world.get(migrations, world.planNamespace, name)) as
        Stored<Migration> | undefined;
      return migration?.status?.completed === undefined ? undefined : migration;
    },
    7200,
  );
}

/** The Migration ends, and so; and its Plan, which is written after it, tells of it. */
export async function ends(
  world: TestWorld,
  outcome: 'Succeeded' | 'Failed' | 'Canceled',
  name = 'run',
): Promise<void> {
  const migration = await untilEnded(world, name);
  const found = outcomeOf(migration);
  if (found !== outcome)
    throw new Error(`Migration ${name} ended as ${found ?? '-'}\n${await world.story()}`);
  await world.until(`its Plan tells of the end of Migration ${name}`, async () => {
    const { namespace = world.planNamespace, name: of = '' } = migration.spec.plan;
    const plan = await world.get(plans, namespace, of);
    const run = plan?.status?.migration?.history?.find(
      ({ migration: { uid } }) => uid === migration.metadata.uid,
    );
    return isTrue(run?.conditions, 'Executing') ? undefined : true;
  });
}

/** How the Migration ended: Succeeded, Failed or Canceled. */
function outcomeOf({ status }: { readonly status?: MigrationStatus }): string | undefined {
  return ['Succeeded', 'Failed', 'Canceled'].find((type) => isTrue(status?.conditions, type));
}

export async function planNow(world: TestWorld, name = 'plan'): Promise<Stored<Plan>> {
  const plan = (await world.get(plans, world.planNamespace, name)) as Stored<Plan> | undefined;
  if (plan === undefined) throw new Error(`no Plan ${name}`);
  return plan;
}

export async function vmStatusOf(world: TestWorld, vmName: string): Promise<VmStatus | undefined> {
  return (await planNow(world)).status?.migration?.vms?.find(({ name }) => name === vmName);
}

/** The VM's status, as soon as it has begun and is not yet at its end. */
export function untilPhase(world: TestWorld, phase: string, vmName = 'web-01'): Promise<VmStatus> {
  return world.until(`VM ${vmName} is in ${phase}`, async () => {
    const vm = await vmStatusOf(world, vmName);
    return vm?.phase === phase ? vm : undefined;
  });
}

/** Some bytes are copied, and some are not. */
export async function untilMidCopy(world: TestWorld): Promise<void> {
  await world.until('the copy is half-way', async () => {
    const imports = await world.imports();
    const copying = imports.some(
      ({ status }) =>
        status?.phase === 'CopyDisks' && (status.disks ?? []).some((disk) => disk.state === 'copying'),
    );
    return copying ? true : undefined;
  });
}

export async function editSecret(
  world: TestWorld,
  stringData: Readonly<Record<string, string>>,
): Promise<void> {
  await world.client.mergePatch(secrets, { namespace: world.planNamespace, name: 'vcenter' }, { stringData });
}

export async function edit(world: TestWorld, kind: ResourceKind, name: string, patch: object): Promise<void> {
  await world.client.mergePatch(kind, { namespace: world.planNamespace, name }, patch);
}

/** The Plan becomes Ready soon, and a Migration of it moves its VMs. */
export async function movesAfterAll(world: TestWorld, withinSeconds = soonSeconds): Promise<void> {
  await planSays(world, 'Ready', withinSeconds);
  await world.apply(migrationObject(world));
  await ends(world, 'Succeeded');
}

/** Nobody but us asks for power in these tests. */
export function powerRequests(world: TestWorld): readonly string[] {
  return world.trace.entries
    .filter(({ who, what }) => who !== 'administrator' && /Shutdown|PowerO|Suspend|Reset/i.test(what))
    .map(({ what, on }) => `${what} ${on}`);
}

/** As it was: nothing was asked of the source VM. */
export function isUntouched(
  world: TestWorld,
  source: VmHandle,
  power: VmHandle['power'] = 'poweredOn',
): void {
  expect(powerRequests(world)).toEqual([]);
  expect(source.power).toBe(power);
  expect(source.snapshots).toEqual([]);
}
