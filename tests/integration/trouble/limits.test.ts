import { describe, expect, test } from '@jest/globals';
import type { Pod } from '../../../src/api/external/core.ts';
import { findCondition } from '../../../src/api/conditions.ts';
import { pods } from '../../../src/api/kinds.ts';
import { importLabel } from '../../../src/api/labels.ts';
import type { WatchEvent } from '../../../src/kube/client.ts';
import type { VmInput } from '../../../src/sandbox/vcenter/vm-spec.ts';
import { planWith, untilClean } from '../../support/move.ts';
import { sandboxOnly } from '../../support/needs.ts';
import { entryOf, once, slowCopy, startRun, untilCopying, untilOneCopies } from '../../support/trouble.ts';
import type { TestWorld } from '../../support/world.ts';

const onOneHost = (count: number, more: Partial<VmInput> = {}): readonly VmInput[] =>
  Array.from({ length: count }, (_, n) => ({
    name: `web-0${n + 1}`,
    power: 'on',
    host: 'esx1.example',
    ...more,
  }));

/** Importers that are there at once, as a watch shows them, and by which VM's claims. */
class Copying {
  readonly #now = new Map<string, string>();
  most = 0;
  readonly together = new Set<string>();

  /** Until the world ends. */
  async follow({ client, targetNamespace: namespace }: TestWorld): Promise<void> {
    // Those of VMs that run already bear no label of ours.
    const ours = { namespace, labelSelector: importLabel };
    const { resourceVersion } = await client.list(pods, ours);
    const { signal } = new AbortController();
    void this.#watch(client.watch(pods, { ...ours, resourceVersion }, signal)).catch(() => undefined);
  }

  async #watch(events: AsyncIterable<WatchEvent<Pod>>): Promise<void> {
    for await (const event of events) {
      if (event.type === 'BOOKMARK') continue;
      const { metadata, status } = event.object;
      const isAlive = event.type !== 'DELETED' && !['Succeeded', 'Failed'].includes(status?.phase ?? '');
      if (isAlive) this.#now.set(metadata.name, metadata.labels?.['vmID'] ?? '');
      else this.#now.delete(metadata.name);
      this.most = Math.max(this.most, this.#now.size);
      this.together.add([...new Set(this.#now.values())].sort().join(' '));
    }
  }
}

const few = sandboxOnly({ numbers: 'copies one after another' });

describe('a host of which one disk at a time is read', () => {
  test('has never two importers, and whoever waits is told its place', async () => {
    const copying = new Copying();
    const { world } = await startRun(onOneHost(3), {
      ...slowCopy,
      settings: { maxVmInflight: 1 },
      prepare: (prepared) => copying.follow(prepared),
    });
    await using _world = world;
    await untilOneCopies(world);
    const places = ['place 1 of 2', 'place 2 of 2'];
    const areTold = (messages: readonly (string | undefined)[]): true | undefined =>
      places.every((place) => messages.some((message) => message?.includes(place))) ? true : undefined;
    const messages = async (): Promise<readonly (string | undefined)[]> => {
      const queued = (await world.imports()).filter(({ status }) => status?.waitingFor === 'Queued');
      return queued.map(({ status }) => status?.message);
    };
    await world.until('the others are told their places', async () => areTold(await messages()), 30);
    await world.until('the Plan says so', async () => {
      const entries = await Promise.all(onOneHost(3).map(({ name }) => entryOf(world, name)));
      const pending = entries.map((entry) => findCondition(entry?.conditions, 'Pending')?.message);
      return areTold(pending);
    });
    await world.until('the last moves up when the first is done', async () =>
      (await messages()).some((message) => message?.includes('place 1 of 1')) ? true : undefined,
    );
    await planWith(world, 'Succeeded');
    await untilClean(world);
    expect(copying.most).toBe(1);
  });

  few.test('is taken whole by a VM with more disks than that, which runs alone', async () => {
    const copying = new Copying();
    const disks = [{ sizeBytes: 256 * 1024 }, { sizeBytes: 256 * 1024 }];
    const vms = [...onOneHost(1), { ...onOneHost(2)[1]!, disks }, onOneHost(3)[2]!];
    const { world, sources } = await startRun(vms, {
      ...slowCopy,
      settings: { maxVmInflight: 1 },
      prepare: (prepared) => copying.follow(prepared),
    });
    await using _world = world;
    await planWith(world, 'Succeeded');
    expect(copying.most).toBe(2);
    expect([...copying.together].filter((ids) => ids.includes(' '))).toEqual([]);
    expect([...copying.together].sort()).toEqual(['', ...sources.map(({ id }) => id)].sort());
  });

  test('keeps its limit when the controller is replaced in the middle', async () => {
    const copying = new Copying();
    const { world, controller } = await startRun(onOneHost(3), {
      ...slowCopy,
      settings: { maxVmInflight: 1 },
      prepare: (prepared) => copying.follow(prepared),
    });
    await using _world = world;
    await untilCopying(world, 'web-02');
    controller.kill();
    world.startController();
    await planWith(world, 'Succeeded');
    expect(copying.most).toBe(1);
  });

  few.test('is given on by a VM that fails', async () => {
    const { world } = await startRun(onOneHost(2), {
      ...slowCopy,
      settings: { maxVmInflight: 1 },
      atBoundary: (_world, source) => once('after', 'createDataVolume', () => source.powerOn()),
    });
    await using _world = world;
    await planWith(world, 'Failed');
    expect((await entryOf(world, 'web-01'))?.error?.reasons[0]).toContain('powered on');
    expect((await entryOf(world, 'web-02'))?.error).toBeUndefined();
  });
});
