import { loadKubeConfig } from '../../../src/kube/auth.ts';
import { SystemClock } from '../../../src/runtime/clock.ts';
import { ownTestbed } from '../../support/own-testbed.ts';
import { openDoor } from './door.ts';
import type { Doors } from './tell.ts';

/** The ways into the API server of the testbed that this process runs in. Throws where there is none. */
export async function openReal(): Promise<AsyncDisposable & { readonly doors: Doors }> {
  const clock = new SystemClock();
  const testbed = await ownTestbed();
  const admin = openDoor(await loadKubeConfig({ path: testbed.kubeconfig('admin'), clock }));
  const gantry = openDoor(await loadKubeConfig({ path: testbed.kubeconfig('gantry'), clock }));
  const dispose = async (): Promise<void> => {
    await admin[Symbol.asyncDispose]();
    await gantry[Symbol.asyncDispose]();
  };
  return { doors: { admin, gantry }, [Symbol.asyncDispose]: dispose };
}
