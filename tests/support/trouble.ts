import { expect } from '@jest/globals';
import type { Event } from '../../src/api/external/core.ts';
import { findCondition, isTrue } from '../../src/api/conditions.ts';
import {
  dataVolumes,
  events,
  persistentVolumeClaims,
  plans,
  pods,
  secrets,
  virtualMachines,
} from '../../src/api/kinds.ts';
import type { KubeObject, ResourceKind, Stored } from '../../src/api/meta.ts';
import type { Migration } from '../../src/api/migration.ts';
import type { VirtualMachineImport } from '../../src/api/virtual-machine-import.ts';
import type { VmStatus } from '../../src/api/vm-status.ts';
import type { AtBoundary } from '../../src/controllers/import/boundary.ts';
import type { VmHandle } from '../../src/sandbox/vcenter/vm-handle.ts';
import type { VmInput } from '../../src/sandbox/vcenter/vm-spec.ts';
import { plannedWorld } from './move.ts';
import { nothingWithOurLabel } from './moved.ts';
import { migrationObject } from './objects.ts';
import type { AnswerWrite, AtWrite, ControllerInstance } from './controller-instance.ts';
import type { SandboxWorld } from './sandbox-world.ts';
import type { TestWorld } from './world.ts';

export const web: VmInput = { name: 'web-01', power: 'on' };

/** A disk that takes a minute, so that there is a middle of the copy in which something can happen. */
export const slowCopy = { copy: { secondsPerDisk: 60 } } as const;

export interface Run {
  readonly world: TestWorld;
  readonly sources: readonly VmHandle[];
  /** The first of them. */
  readonly source: VmHandle;
  readonly controller: ControllerInstance;
}

type RunOptions = NonNullable<Parameters<typeof plannedWorld>[1]> & {
  readonly atBoundary?: (world: TestWorld, source: VmHandle) => AtBoundary;
  readonly atWrite?: AtWrite;
  readonly answerWrite?: AnswerWrite;
  readonly migration?: Partial<Migration['spec']>;
  /** Before the controller starts, when the objects of the plan are applied. */
  readonly prepare?: (world: TestWorld, sources: readonly VmHandle[]) => Promise<void>;
};

/** A migration of these VMs under way. */
export async function startRun(vms: readonly VmInput[] = [web], options: RunOptions = {}): Promise<Run> {
  const { atBoundary, atWrite, answerWrite, migration, prepare, ...rest } = options;
  const { world, sources } = await plannedWorld(vms, rest);
  await using unlessDone = new AsyncDisposableStack();
  unlessDone.use(world);
  const source = sources[0]!;
  await prepare?.(world, sources);
  const controller = world.startController({
    ...(atBoundary !== undefined && { atBoundary: () => atBoundary(world, source) }),
    ...(atWrite !== undefined && { atWrite: () => atWrite }),
    ...(answerWrite !== undefined && { answerWrite }),
  });
  await world.apply(migrationObject(world, migration));
  unlessDone.move();
  return { world, sources, source, controller };
}

/** Does something once, when the import is about to do, or has just done, this action. */
export function once(when: 'before' | 'after', ending: string, act: () => void | Promise<void>): AtBoundary {
  let isDone = false;
  return (boundary) => {
    const isIt = boundary.what === 'act' && boundary.when === when && boundary.name.endsWith(ending);
    if (isDone || !isIt) return undefined;
    isDone = true;
    return act();
  };
}

export async function importOf(
  world: TestWorld,
  vm = 'web-01',
): Promise<Stored<VirtualMachineImport> | undefined> {
  return (await world.imports()).find((object) => object.spec.vm.name === vm);
}

export async function untilImport(
  world: TestWorld,
  what: string,
  holds: (object: Stored<VirtualMachineImport>) => boolean,
  vm = 'web-01',
  withinSeconds = 7200,
): Promise<Stored<VirtualMachineImport>> {
  return world.until(
    `import of ${vm}: ${what}`,
    async () => {
      const object = await importOf(world, vm);
      return object !== undefined && holds(object) ? object : undefined;
    },
    withinSeconds,
  );
}

export function untilCopying(world: TestWorld, vm = 'web-01'): Promise<Stored<VirtualMachineImport>> {
  return untilImport(world, 'copies', copies, vm);
}

/** Which of them is the first nobody can say, where they come to it at the same time. */
export function untilOneCopies(world: TestWorld): Promise<Stored<VirtualMachineImport>> {
  return world.until('one of the VMs is copied', async () => (await world.imports()).find(copies));
}

function copies({ status }: VirtualMachineImport): boolean {
  return status?.phase === 'CopyDisks' && (status.disks ?? []).some(({ state }) => state === 'copying');
}

export async function entryOf(world: TestWorld, vm = 'web-01'): Promise<VmStatus | undefined> {
  const plan = await world.get(plans, world.planNamespace, 'plan');
  return plan?.status?.migration?.vms?.find((entry) => entry.name === vm);
}

export interface End {
  readonly object: Stored<VirtualMachineImport>;
  readonly entry: VmStatus;
}

/** The Plan shows that this VM is through, one way or another. */
export async function untilEnded(world: TestWorld, vm = 'web-01', withinSeconds = 7200): Promise<End> {
  return world.until(
    `${vm} has ended`,
    async () => {
      const entry = await entryOf(world, vm);
      const object = await importOf(world, vm);
      return entry?.completed === undefined || object === undefined ? undefined : { object, entry };
    },
    withinSeconds,
  );
}

/** The import says by a stable code what went wrong, on what and what to do; the Plan's entry of the VM says the same. */
export function saysWhy({ object, entry }: End, code: string, ...words: readonly string[]): void {
  const { error, outcome, conditions } = object.status ?? {};
  expect({ outcome, code: error?.code, said: error?.message }).toMatchObject({ outcome: 'Failed', code });
  expect(error?.phase).toBeTruthy();
  expect(error?.hint).toBeTruthy();
  const text = `${error?.message ?? ''} ${error?.hint ?? ''}`;
  for (const word of words) expect(text).toContain(word);
  expect(findCondition(conditions, 'Failed')).toMatchObject({ reason: code, status: 'True' });
  expect(entry.error?.reasons).toEqual(expect.arrayContaining([error?.message, error?.hint]));
  expect(findCondition(entry.conditions, 'Failed')).toMatchObject({ reason: code, status: 'True' });
  expect(isTrue(entry.conditions, 'Succeeded')).toBe(false);
}

/** All objects of a kind in the target namespace, by name. */
export async function namesOf(world: TestWorld, kind: ResourceKind): Promise<readonly string[]> {
  const { items } = await world.client.list(kind, { namespace: world.targetNamespace });
  return items.map((item) => item.metadata.name);
}

/** Nothing stands in the target namespace, or at the source, but what was there before. */
export async function nothingLeft(world: TestWorld, ...foreign: readonly string[]): Promise<void> {
  await nothingWithOurLabel(world);
  for (const kind of [virtualMachines, dataVolumes, persistentVolumeClaims, pods, secrets]) {
    const left = (await namesOf(world, kind)).filter((name) => !foreign.includes(name));
    expect({ kind: kind.plural, left }).toEqual({ kind: kind.plural, left: [] });
  }
  expect(world.vcenter.marked('gantry-')).toEqual([]);
}

/** Byte for byte as it was, its version included: nobody wrote it. */
export async function untouched(
  world: TestWorld,
  kind: ResourceKind,
  object: Stored<KubeObject>,
): Promise<void> {
  const { name, namespace = '' } = object.metadata;
  expect(await world.get(kind, namespace, name)).toEqual(object);
}

/** What was told by events of this reason, as soon as there is one: they are sent in the background. */
export function eventsOf(world: TestWorld, reason: string): Promise<readonly Stored<Event>[]> {
  return world.until(
    `an event ${reason}`,
    async () => {
      const told = await eventsSoFar(world, reason);
      return told.length === 0 ? undefined : told;
    },
    60,
  );
}

/** The same, at this moment. */
export async function eventsSoFar(world: TestWorld, reason: string): Promise<readonly Stored<Event>[]> {
  const told = [world.planNamespace, world.targetNamespace].map((namespace) =>
    world.client.list(events, { namespace }),
  );
  const items = (await Promise.all(told)).flatMap((list) => list.items);
  return items.filter((event) => event.reason === reason);
}

/** Who asked what of this VM at the source. */
export function powerCalls(world: TestWorld, vm = 'web-01'): readonly string[] {
  return world.trace.entries
    .filter(({ on, what }) => on === vm && /PowerO|Shutdown/.test(what))
    .map(({ what }) => what);
}

/** As Made, but from the embedded server's own store: a watch would break with the server. */
export class Stores {
  readonly #uids = new Map<string, Set<string>>();

  constructor(world: SandboxWorld) {
    world.sandbox.api.onWrite(({ object }, kind) => {
      const { namespace, uid } = (object as Stored<KubeObject>).metadata;
      if (kind.plural !== 'virtualmachineimports' && namespace !== world.targetNamespace) return;
      this.#uids.set(kind.plural, (this.#uids.get(kind.plural) ?? new Set<string>()).add(uid));
    });
  }

  /** Distinct objects made in the target namespace (imports: in all). */
  count(kind: ResourceKind): number {
    return this.#uids.get(kind.plural)?.size ?? 0;
  }
}
