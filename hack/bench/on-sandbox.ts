import { SystemClock } from '../../src/runtime/clock.ts';
import { createMemoryDiskStore } from '../../src/sandbox/disk-memory.ts';
import { Sandbox } from '../../src/sandbox/sandbox.ts';
import { measurePlan, type PlanFigures } from './measure-plan.ts';
import { silent } from './silent.ts';
import { addVms, standIns } from './stand-ins.ts';

/** All in this process: API server, stand-ins, vCenter, controller. */
export async function measureOnSandbox(count: number): Promise<PlanFigures> {
  const clock = new SystemClock();
  const options = { clock, seed: 1, disks: createMemoryDiskStore(), log: silent, ...standIns };
  await using sandbox = new Sandbox(options);
  await sandbox.ready;
  const { vcenter } = sandbox;
  return await measurePlan(
    {
      user: sandbox.client('bench'),
      transport: sandbox.api.transport('gantry'),
      connect: (url, trust) => vcenter.connect(url, trust),
      vcenter,
      vms: addVms(vcenter, count),
    },
    clock,
  );
}
