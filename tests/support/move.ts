import {
  dataVolumes,
  persistentVolumeClaims,
  plans,
  secrets,
  virtualMachineImports,
  virtualMachines,
} from '../../src/api/kinds.ts';
import { isTrue } from '../../src/api/conditions.ts';
import type { ResourceKind, Stored } from '../../src/api/meta.ts';
import type { Plan, PlanSpec } from '../../src/api/plan.ts';
import type { WatchOptions } from '../../src/kube/client.ts';
import type { VmHandle } from '../../src/sandbox/vcenter/vm-handle.ts';
import type { VmInput } from '../../src/sandbox/vcenter/vm-spec.ts';
import { fill } from './bytes.ts';
import { mapObjects, planObject, providerObjects, type Names } from './objects.ts';
import { startWorld } from './start-world.ts';
import type { Look, TestWorld, WorldOptions } from './world.ts';

/** Small enough that a whole migration takes a fraction of a second. */
export const diskBytes = Number(process.env['BOUNDARY_DISK'] ?? 256 * 1024);

/** A world with these VMs at the source, seeded bytes on their disks, and everything applied up to the Plan. */
export async function plannedWorld(
  vms: readonly VmInput[],
  options: WorldOptions & { readonly plan?: Partial<PlanSpec> } = {},
): Promise<{ readonly world: TestWorld; readonly sources: readonly VmHandle[] }> {
  const { plan, ...rest } = options;
  const world = await startWorld(rest);
  await using unlessDone = new AsyncDisposableStack();
  unlessDone.use(world);
  const sources = vms.map((vm, order) => {
    const handle = world.vcenter.addVm({ disks: [{ sizeBytes: diskBytes }], ...vm });
    handle.disks.forEach(({ disk }, index) => fill(disk, 100 * order + index + 1));
    return handle;
  });
  await world.namespace(world.planNamespace);
  await world.apply(
    ...providerObjects(world),
    ...mapObjects(world),
    planObject(
      world,
      sources.map(({ id, name }) => ({ id, name })),
      plan,
    ),
  );
  unlessDone.move();
  return { world, sources };
}

export async function planWith(
  world: Look,
  condition: string,
  name = 'plan',
  withinSeconds = 7200,
): Promise<Stored<Plan>> {
  return world.until(
    `Plan ${name} is ${condition}`,
    async () => {
      const plan = (await world.get(plans, world.planNamespace, name)) as Stored<Plan> | undefined;
      return isTrue(plan?.status?.conditions, condition) ? plan : undefined;
    },
    withinSeconds,
  );
}

/** All imports have ended and let go: nothing is owed to anybody any more. */
export async function untilClean(world: Look): Promise<void> {
  await world.until('all imports are clean', async () => {
    const imports = await world.imports();
    return imports.every((object) => (object.metadata.finalizers ?? []).length === 0) ? true : undefined;
  });
}

/** Follows which objects of a kind were ever made, whatever became of them. */
export class Made {
  readonly #uids = new Map<string, Set<string>>();
  readonly #end = new AbortController();

  static async follow(world: Pick<Look, 'client' | keyof Names>): Promise<Made> {
    const made = new Made();
    for (const kind of [
      dataVolumes,
      persistentVolumeClaims,
      virtualMachines,
      secrets,
      virtualMachineImports,
    ] as readonly ResourceKind[]) {
      const namespace = kind === virtualMachineImports ? world.planNamespace : world.targetNamespace;
      const { resourceVersion } = await world.client.list(kind, { namespace });
      void made.#watch(world, kind, { namespace, resourceVersion });
    }
    return made;
  }

  /** Distinct objects made in the target namespace (imports: in the plan's). */
  count(kind: ResourceKind): number {
    return this.#uids.get(kind.plural)?.size ?? 0;
  }

  stop(): void {
    this.#end.abort(new Error('no longer followed'));
  }

  async #watch(world: Pick<Look, 'client'>, kind: ResourceKind, options: WatchOptions): Promise<void> {
    try {
      for await (const event of world.client.watch(kind, options, this.#end.signal)) {
        if (event.type === 'BOOKMARK') continue;
        const uids = this.#uids.get(kind.plural) ?? new Set();
        this.#uids.set(kind.plural, uids.add(event.object.metadata.uid));
      }
    } catch {
      // The watch ends with the world.
    }
  }
}
