import { expect, test } from '@jest/globals';
import { virtualMachines } from '../../src/api/kinds.ts';
import type { VmStatus } from '../../src/api/vm-status.ts';
import { plannedWorld, planWith, untilClean } from '../support/move.ts';
import { sandboxOnly } from '../support/needs.ts';
import { migrationObject } from '../support/objects.ts';

const names = Array.from({ length: 50 }, (_, index) => `vm-${String(index).padStart(2, '0')}`);
/** A name that somebody else has at the target, a guest that never shuts down, a VM that we may not touch at its source. */
const clash = 'vm-10';
const deaf = 'vm-20';
const denied = 'vm-30';

async function run(
  withTrouble: boolean,
): Promise<{ readonly vms: readonly VmStatus[]; readonly powers: ReadonlyMap<string, string> }> {
  const { world, sources } = await plannedWorld(
    names.map((name) => ({ name, power: 'on' }) as const),
    { settings: { maxVmInflight: 1000, powerOffDeadlineSeconds: 120 } },
  );
  await using _world = world;
  if (withTrouble) {
    await world.namespace(world.targetNamespace);
    await world.client.create(virtualMachines, {
      apiVersion: 'kubevirt.io/v1',
      kind: 'VirtualMachine',
      metadata: { name: clash, namespace: world.targetNamespace },
      spec: {
        runStrategy: 'Halted',
        template: { spec: { domain: { memory: { guest: '1Gi' }, devices: {} } } },
      },
    });
    world.faults.start('guest-ignores-shutdown', { subject: deaf });
    world.faults.start('vcenter-denied', { subject: denied });
  }
  world.startController();
  await planWith(world, 'Ready');
  await world.apply(migrationObject(world));
  const plan = await planWith(world, withTrouble ? 'Failed' : 'Succeeded');
  await untilClean(world);
  const powers = new Map(sources.map(({ name, power }) => [name, power]));
  return { vms: plan.status?.migration?.vms ?? [], powers };
}

function secondsOf({ started, completed }: VmStatus): number {
  return (Date.parse(completed ?? '') - Date.parse(started ?? '')) / 1000;
}

sandboxOnly({ numbers: 'a hundred VMs' }).describe('three VMs in trouble among fifty', () => {
  test('fail with their own reasons, and delay none of the other forty-seven', async () => {
    const healthy = await run(false);
    const { vms, powers } = await run(true);

    const failed = vms.filter((vm) => vm.error !== undefined);
    expect(failed.map(({ name }) => name)).toEqual([clash, deaf, denied]);
    const reasons = failed.map((vm) => vm.conditions?.find(({ type }) => type === 'Failed')?.reason);
    expect(reasons[0]).toBe('NameTaken');
    expect(reasons[1]).toBe('PowerOffTimeout');
    expect(reasons[2]).toBe('PowerOffRefused');
    expect([clash, deaf, denied].map((name) => powers.get(name))).toEqual([
      'poweredOn',
      'poweredOn',
      'poweredOn',
    ]);

    const others = vms.filter((vm) => vm.error === undefined);
    expect(others).toHaveLength(47);
    const slowest = Math.max(...others.map(secondsOf));
    expect(slowest).toBeLessThanOrEqual(Math.max(...healthy.vms.map(secondsOf)) + 2);
    expect(others.every(({ name }) => powers.get(name ?? '') === 'poweredOff')).toBe(true);
  }, 120_000);
});
