// The process of the controller and of whoever measures it, in a testbed's namespaces. Reads a TestbedRun as JSON from its input.
import { writeFile } from 'node:fs/promises';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { explained } from '../../src/cli/explained.ts';
import { connections } from '../../src/controllers/process.ts';
import { loadKubeConfig } from '../../src/kube/auth.ts';
import { createKubeClient } from '../../src/kube/rest-client.ts';
import type { Transport } from '../../src/kube/transport.ts';
import { createUndiciTransport } from '../../src/kube/undici-transport.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { seededRandom } from '../../src/sandbox/random.ts';
import { createHttpEndpoint } from '../../src/sources/http-endpoint.ts';
import { kubeconfigPath } from '../testbed/cluster/keys.ts';
import type { TestbedUser } from '../testbed/control/testbed.ts';
import { programCpu } from './program-cpu.ts';
import { figuresFile } from './figures-file.ts';
import { measurePlan } from './measure-plan.ts';

export interface TestbedRun {
  /** Of the testbed. */
  readonly folder: string;
  /** Of the vCenter. */
  readonly url: string;
  readonly caPem: string;
  readonly vms: readonly { readonly id: string; readonly name: string }[];
}

const clock = new SystemClock();

async function run({ folder, url, caPem, vms }: TestbedRun): Promise<void> {
  const transport = async (user: TestbedUser): Promise<Transport> =>
    createUndiciTransport({
      ...(await loadKubeConfig({ path: kubeconfigPath(folder, user), clock })),
      clock,
      connections,
    });
  await using admin = await transport('admin');
  await using gantry = await transport('gantry');
  const figures = await measurePlan(
    {
      user: createKubeClient(admin, { clock, random: seededRandom(3) }),
      transport: gantry,
      connect: (to, trust) => createHttpEndpoint(to, trust),
      vcenter: { url, caPem },
      vms,
      otherCpu: () => programCpu(['etcd', 'kube-apiserver', 'kube-controller-manager']),
    },
    clock,
  );
  await writeFile(figuresFile(folder), JSON.stringify(figures));
}

try {
  await run(JSON.parse(await text(process.stdin)) as TestbedRun);
} catch (error) {
  process.stderr.write(`bench: ${explained(error)}\n`);
  process.exitCode = 1;
}
process.exit();
