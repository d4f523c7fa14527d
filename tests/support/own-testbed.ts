import process from 'node:process';
import { workerAddress } from '../../hack/testbed/addresses.ts';
import { openTestbed } from '../../hack/testbed/control/client.ts';
import { testbedVariable, type Testbed } from '../../hack/testbed/control/testbed.ts';

/** The testbed that this process runs in. Throws where there is none: its callers ask `isOnTestbed` first. */
export async function ownTestbed(): Promise<Testbed> {
  const folder = process.env[testbedVariable];
  if (folder === undefined) throw new Error(`${testbedVariable} names no testbed: npm run test:testbed does`);
  return openTestbed(folder);
}

/** Where this process serves what the programs of its testbed ask for. */
export function ownAddress(): string {
  return workerAddress(Number(process.env['JEST_WORKER_ID'] ?? '1'));
}
