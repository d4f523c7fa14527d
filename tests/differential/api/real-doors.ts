import process from 'node:process';
import { openTestbed } from '../../../hack/testbed/control/client.ts';
import { testbedVariable } from '../../../hack/testbed/control/testbed.ts';
import { loadKubeConfig } from '../../../src/kube/auth.ts';
import { SystemClock } from '../../../src/runtime/clock.ts';
import { openDoor } from './door.ts';
import type { Doors } from './tell.ts';

/** The ways into the API server of the testbed that this process runs in. Throws where there is none. */
export async function openReal(): Promise<AsyncDisposable & { readonly doors: Doors }> {
  const folder = process.env[testbedVariable];
  if (folder === undefined) throw new Error(`${testbedVariable} names no testbed: npm run test:testbed does`);
  const clock = new SystemClock();
  const testbed = await openTestbed(folder);
  const admin = openDoor(await loadKubeConfig({ path: testbed.kubeconfig('admin'), clock }));
  const gantry = openDoor(await loadKubeConfig({ path: testbed.kubeconfig('gantry'), clock }));
  const dispose = async (): Promise<void> => {
    await admin[Symbol.asyncDispose]();
    await gantry[Symbol.asyncDispose]();
  };
  return { doors: { admin, gantry }, [Symbol.asyncDispose]: dispose };
}
