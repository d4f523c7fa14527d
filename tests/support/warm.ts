import { expect } from '@jest/globals';
import { migrations, persistentVolumeClaims, virtualMachines } from '../../src/api/kinds.ts';
import type { Stored } from '../../src/api/meta.ts';
import type { Migration } from '../../src/api/migration.ts';
import type { Round, VirtualMachineImport } from '../../src/api/virtual-machine-import.ts';
import type { VmInput } from '../../src/sandbox/vcenter/vm-spec.ts';
import { sameBytes } from './bytes.ts';
import { diskBytes, planWith, untilClean } from './move.ts';
import { nothingWithOurLabel } from './moved.ts';
import { isOnTestbed } from './needs.ts';
import { importOf, startRun, untilEnded, untilImport, type End, type Run } from './trouble.ts';
import type { TestWorld } from './world.ts';

export const warmPlan = { type: 'warm', warm: true } as const;

/** Rounds in quick succession, for what does not need hours to pass; on a clock that cannot be hurried as quick as that can be. */
export const quickRounds = {
  precopySeconds: isOnTestbed ? 3 : 20,
  precopyFloorSeconds: 1,
  precopyJitterPercent: 0,
} as const;

export function tracked(changes: Partial<VmInput> = {}): VmInput {
  return {
    name: 'web-01',
    power: 'on',
    changeTracking: true,
    disks: [{ sizeBytes: diskBytes }, { sizeBytes: 2 * diskBytes }],
    ...changes,
  };
}

/** A warm migration of a running VM of two disks. */
export function startWarm(options: Parameters<typeof startRun>[1] = {}, vms = [tracked()]): Promise<Run> {
  const { plan, settings, ...rest } = options;
  return startRun(vms, {
    ...rest,
    plan: { ...warmPlan, ...plan },
    settings: { ...quickRounds, ...settings },
  });
}

/** As a user who patches the Migration; null takes a wish back. */
export async function patchMigration(
  world: TestWorld,
  spec: { readonly [K in keyof Migration['spec']]?: Migration['spec'][K] | null },
): Promise<void> {
  await world.client.mergePatch(migrations, { namespace: world.planNamespace, name: 'run' }, { spec });
}

/** RFC 3339, so many seconds from now. */
export function inSeconds(world: TestWorld, seconds: number): string {
  return new Date(world.clock.now() + seconds * 1000).toISOString();
}

export function cutoverNow(world: TestWorld): Promise<void> {
  return patchMigration(world, { cutover: inSeconds(world, 0) });
}

export function lastRound(object: VirtualMachineImport | undefined): Round | undefined {
  return object?.status?.records?.rounds?.at(-1);
}

export async function roundsOf(world: TestWorld, vm = 'web-01'): Promise<number> {
  return (await importOf(world, vm))?.status?.records?.roundsTotal ?? 0;
}

export function untilCopied(
  world: TestWorld,
  n: number,
  vm = 'web-01',
): Promise<Stored<VirtualMachineImport>> {
  return untilImport(
    world,
    `has copied round ${n}`,
    ({ status }) =>
      (status?.records?.rounds ?? []).some((round) => round.n >= n && round.copiedAt !== undefined),
    vm,
  );
}

export function untilPaused(world: TestWorld, n = 1, vm = 'web-01'): Promise<Stored<VirtualMachineImport>> {
  return untilImport(
    world,
    `pauses after round ${n}`,
    ({ status }) => status?.phase === 'CopyingPaused' && (status.records?.roundsTotal ?? 0) >= n,
    vm,
  );
}

export function untilPhase(
  world: TestWorld,
  phase: string,
  vm = 'web-01',
): Promise<Stored<VirtualMachineImport>> {
  return untilImport(world, `is in ${phase}`, ({ status }) => status?.phase === phase, vm);
}

/** Nothing of ours is at the source while an import pauses. */
export function isBare({ source }: Pick<Run, 'source'>): void {
  expect(source.snapshots).toEqual([]);
}

/** The target runs with the bytes that the source had when it went off, and nothing is left behind. */
export async function isMovedWarm({ world, source }: Run): Promise<void> {
  await planWith(world, 'Succeeded');
  await untilClean(world);
  expect(source.power).toBe('poweredOff');
  expect(source.snapshots).toEqual([]);
  await hasBytes({ world, source });
  const vm = await world.get(virtualMachines, world.targetNamespace, source.name);
  expect(vm?.status?.printableStatus).toBe('Running');
  await nothingWithOurLabel(world);
}

export async function hasBytes({ world, source }: Pick<Run, 'world' | 'source'>): Promise<void> {
  const object = (await importOf(world, source.name))!;
  for (const frozen of object.spec.disks) {
    const claim = await world.get(persistentVolumeClaims, world.targetNamespace, frozen.claimName);
    const held = source.disks.find(({ key }) => frozen.key.startsWith(`${key}`))!;
    expect(sameBytes(held.disk, await world.contentOf(claim!))).toBe(true);
  }
}

/** It has failed and taken back all that it did; the source is in service. */
export async function isUnwoundWarm({ world, source }: Run, vm = 'web-01'): Promise<End> {
  const end = await untilEnded(world, vm);
  await untilClean(world);
  expect(source.power).toBe('poweredOn');
  await nothingWithOurLabel(world);
  expect(world.vcenter.marked('gantry-')).toEqual([]);
  return end;
}

/** Requests of this method for this VM, from whomever. */
export function calls(world: TestWorld, method: string, vm = 'web-01'): number {
  return world.trace.entries.filter(({ on, what }) => on === vm && what === method).length;
}
