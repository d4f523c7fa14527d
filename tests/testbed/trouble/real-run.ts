import { expect } from '@jest/globals';
import type { DaemonName, Testbed } from '../../../hack/testbed/control/testbed.ts';
import {
  dataVolumes,
  persistentVolumeClaims,
  pods,
  secrets,
  virtualMachineImports,
  virtualMachines,
} from '../../../src/api/kinds.ts';
import { findCondition, type Condition } from '../../../src/api/conditions.ts';
import type { Pod } from '../../../src/api/external/core.ts';
import type { KubeObject, ResourceKind, Stored } from '../../../src/api/meta.ts';
import type { VirtualMachineImport } from '../../../src/api/virtual-machine-import.ts';
import { Reflector } from '../../../src/kube/reflector.ts';
import { planWith, untilClean } from '../../support/move.ts';
import { isMovedOnce } from '../../support/moved.ts';
import { TestbedWorld } from '../../support/testbed-world.ts';
import { entryOf, importOf, startRun, untilImport, web, type Run } from '../../support/trouble.ts';

type RunOptions = NonNullable<Parameters<typeof startRun>[1]>;

/** A migration under way on the real programs; ends with its world. */
export interface RealRun extends Run, AsyncDisposable {
  readonly world: TestbedWorld;
  readonly testbed: Testbed;
  readonly made: MadeInAll;
}

/** A source that gives its bytes little by little until it is let go: so a copy has a middle, also on a busy machine. */
export class Brake {
  #isOn = true;
  readonly #bytesPerSecond: number;

  constructor(bytesPerSecond: number) {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Looked at before each read. */
  get bytesPerSecond(): number {
    return this.#isOn ? this.#bytesPerSecond : Infinity;
  }

  release(): void {
    this.#isOn = false;
  }
}

/** A third of it is data: half a minute's worth under the brake. */
const largeDisk = { ...web, disks: [{ sizeBytes: 3 << 20 }] };

/** One VM whose copy is slow until `brake` is released. */
export async function startSlowRun(
  options: Omit<RunOptions, 'copy'> = {},
  brake = new Brake(32 * 1024),
): Promise<RealRun & { readonly brake: Brake }> {
  return { ...(await startRealRun([largeDisk], { ...options, copy: brake })), brake };
}

export async function startRealRun(
  vms: Parameters<typeof startRun>[0],
  options: RunOptions = {},
): Promise<RealRun> {
  await using unlessDone = new AsyncDisposableStack();
  let made: MadeInAll | undefined;
  const run = await startRun(vms, {
    ...options,
    async prepare(world, sources) {
      made = unlessDone.use(await MadeInAll.follow(onTestbed(world)));
      await options.prepare?.(world, sources);
    },
  });
  const world = unlessDone.use(onTestbed(run.world));
  if (made === undefined) throw new Error('nobody follows what is made');
  const parts = unlessDone.move();
  return {
    ...run,
    world,
    testbed: world.testbed,
    made,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

export function onTestbed(world: Run['world']): TestbedWorld {
  if (!(world instanceof TestbedWorld)) throw new Error('these tests need a testbed: npm run test:testbed');
  return world;
}

/** A part of the disk has come over. */
export function untilHalfCopied(world: TestbedWorld): Promise<Stored<VirtualMachineImport>> {
  return untilImport(world, 'has copied a part', ({ status }) => {
    const [disk] = status?.disks ?? [];
    return disk?.state === 'copying' && disk.doneBytes > 0 && disk.doneBytes < disk.totalBytes;
  });
}

/**
 * In the end: the plan has succeeded, nothing is owed, the target holds the source's bytes, and nothing was made twice but the volume of a
 * disk that was copied anew, as the import says; it gives how often. `secretsMade`: what importers log in with may have been taken away.
 */
export async function isMovedInTheEnd({ world, source, made }: RealRun, secretsMade = 1): Promise<number> {
  await planWith(world, 'Succeeded');
  await untilClean(world);
  const { recopies = 0, isLarger = false } = (await importOf(world))?.status?.disks?.[0] ?? {};
  const volumes = 1 + recopies + (isLarger ? 1 : 0);
  const expected = new Map<ResourceKind, number>([
    [dataVolumes, volumes],
    [persistentVolumeClaims, volumes],
    [secrets, secretsMade],
  ]);
  for (const [kind, count] of expected)
    expect({ kind: kind.plural, made: made.count(kind) }).toEqual({ kind: kind.plural, made: count });
  await isMovedOnce(world, source, { count: (kind) => (expected.has(kind) ? 1 : made.count(kind)) });
  return recopies;
}

/** The importer as it is now. */
export async function importerPod({
  client,
  targetNamespace: namespace,
}: TestbedWorld): Promise<Stored<Pod>> {
  const { items } = await client.list(pods, { namespace });
  const [pod] = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  if (pod === undefined) throw new Error('there is no importer');
  return pod;
}

/** The import, and the entry of its VM in the Plan, say by a condition of this type why they wait. */
export async function untilSaid(
  world: TestbedWorld,
  type: string,
  ...words: readonly string[]
): Promise<void> {
  const says = (conditions: readonly Condition[] | undefined): boolean => {
    const { status, message = '' } = findCondition(conditions, type) ?? {};
    return status === 'True' && words.every((word) => message.includes(word));
  };
  await untilImport(world, `says ${type} (${words.join(', ')})`, ({ status }) => says(status?.conditions));
  await world.until(`the Plan says ${type}`, async () =>
    says((await entryOf(world))?.conditions) ? true : undefined,
  );
}

/** Ends when it is told to, and with its scope at the latest: who comes next needs the daemon. */
export interface Outage extends AsyncDisposable {
  end(): Promise<void>;
}

/** The daemon is ended. */
export async function away(testbed: Testbed, daemon: DaemonName): Promise<Outage> {
  await testbed.stop(daemon);
  const end = (): Promise<void> => testbed.start(daemon);
  return { end, [Symbol.asyncDispose]: end };
}

/** The daemon holds its connections and answers nothing. */
export async function frozen(testbed: Testbed, daemon: DaemonName): Promise<Outage> {
  await testbed.pause(daemon);
  const end = (): Promise<void> => testbed.resume(daemon);
  return { end, [Symbol.asyncDispose]: end };
}

/** As Made (move.ts), through outages of the API server, which end every watch. */
export class MadeInAll implements Disposable {
  readonly #made = new Map<string, Stored<KubeObject>>();
  readonly #end = new AbortController();

  static async follow(world: TestbedWorld): Promise<MadeInAll> {
    const made = new MadeInAll();
    const inTarget = [dataVolumes, persistentVolumeClaims, virtualMachines, secrets];
    await Promise.all([
      made.#follow(world, virtualMachineImports, world.planNamespace),
      ...inTarget.map((kind) => made.#follow(world, kind, world.targetNamespace)),
    ]);
    return made;
  }

  /**
   * Distinct objects made in the target namespace (imports: in the plan's). More claims than one for a DataVolume that was given up count
   * once: a stray one is nobody's, and is taken away.
   */
  count(kind: ResourceKind): number {
    const made = this.#allOf(kind);
    if (kind !== persistentVolumeClaims) return made.length;
    const last = this.#allOf(dataVolumes).at(-1)?.metadata.uid;
    const counted = made.map(({ metadata }) => {
      const owner = metadata.ownerReferences?.find(({ kind: its }) => its === 'DataVolume')?.uid;
      return owner === undefined || owner === last ? metadata.uid : owner;
    });
    return new Set(counted).size;
  }

  /** As each was first seen. */
  #allOf({ kind }: ResourceKind): readonly Stored<KubeObject>[] {
    return [...this.#made.values()].filter((object) => object.kind === kind);
  }

  [Symbol.dispose](): void {
    this.#end.abort(new Error('no longer followed'));
  }

  #follow({ client, clock, log }: TestbedWorld, kind: ResourceKind, namespace: string): Promise<undefined> {
    const see = (object: Stored<KubeObject>): void => {
      const { uid } = object.metadata;
      if (!this.#made.has(uid)) this.#made.set(uid, object);
    };
    const reflector = new Reflector({
      client,
      kind,
      selection: { namespace },
      sink: {
        replace: ({ items }) => items.forEach(see),
        apply: (event) => (event.type === 'BOOKMARK' ? undefined : see(event.object)),
      },
      clock,
      random: () => 0,
      logger: log,
    });
    void reflector.run(this.#end.signal);
    return reflector.synced;
  }
}
