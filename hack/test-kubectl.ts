// Drives the real kubectl against the sandbox's API server. Skipped where kubectl is absent.
import { randomInt } from 'node:crypto';
import { SystemClock } from '../src/runtime/clock.ts';
import { EmbeddedApiServer } from '../src/sandbox/api/api-server.ts';
import { kubeconfig } from '../src/sandbox/api/kubeconfig.ts';
import { SwitchedFaults } from '../src/sandbox/faults.ts';
import { RecordedTrace } from '../src/sandbox/trace.ts';
import { checks } from './kubectl/checks.ts';
import { Kubectl } from './kubectl/kubectl.ts';

async function runAll(): Promise<number> {
  const clock = new SystemClock();
  const trace = new RecordedTrace(clock);
  const random = (): number => randomInt(2 ** 32) / 2 ** 32;
  await using api = new EmbeddedApiServer({ clock, random, faults: new SwitchedFaults(trace), trace });
  await using kubectl = await Kubectl.with(kubeconfig(await api.listen()));
  let failed = 0;
  for (const { name, run } of checks) {
    try {
      await run(kubectl);
      console.log(`ok   ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL ${name}\n     ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return failed;
}

if (await Kubectl.isThere()) {
  const failed = await runAll();
  console.log(`\n${checks.length - failed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
} else {
  console.log(`0 passed, 0 failed, ${checks.length} skipped`);
}
