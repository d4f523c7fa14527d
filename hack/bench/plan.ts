import process from 'node:process';
import { parseArgs } from 'node:util';
import { untilSignalled } from '../../src/cli/until-signalled.ts';
import type { PlanFigures } from './measure-plan.ts';
import { measureOnSandbox } from './on-sandbox.ts';
import { measureOnTestbed } from './on-testbed.ts';

/**
 * How fast the engine is: one plan of many VMs of one disk each, a CDI that needs one second a disk, no limit in the way, sources off.
 * Times are taken from watch events, as a user would see them; requests are the controller's.
 *
 *   node hack/bench/plan.ts [--on sandbox|testbed|both] [--vms 200] [--json]
 *
 * In the sandbox everything runs in one process, so the world's own work is in its times and in CPU and memory. On the testbed API server
 * and etcd are the real ones, without webhooks; stand-ins and vCenter are another process, so CPU and memory are those of controller and
 * observer. All of them share the machine's cores, which makes times worse, never better.
 */
const worlds = {
  sandbox: measureOnSandbox,
  testbed: (count: number) => measureOnTestbed(count, untilSignalled()),
} as const;
type WorldName = keyof typeof worlds;
const names = Object.keys(worlds) as readonly WorldName[];

const { values } = parseArgs({
  options: {
    on: { type: 'string', default: 'sandbox' },
    vms: { type: 'string', default: '200' },
    json: { type: 'boolean', default: false },
  },
});
const wanted = names.filter((name) => values.on === 'both' || values.on === name);
if (wanted.length === 0) throw new RangeError(`--on ${values.on}: one of ${names.join(', ')}, both`);

const results: Partial<Record<WorldName, PlanFigures>> = {};
for (const name of wanted) results[name] = await worlds[name](Number(values.vms));
if (values.json) process.stdout.write(`${JSON.stringify(results)}\n`);
else {
  print('', ({ figures }) => figures);
  print('requests of the controller per VM', ({ requestsPerVm }) => requestsPerVm);
}
process.exit();

/** A table of what is taken from each result, the worlds side by side. */
function print(title: string, take: (result: PlanFigures) => Readonly<Record<string, number>>): void {
  const columns = wanted.map((name) => {
    const result = results[name];
    return result === undefined ? {} : take(result);
  });
  const rows = [...new Set(columns.flatMap((column) => Object.keys(column)))];
  const line = (head: string, cells: readonly string[]): string =>
    `${head.padEnd(45)}${cells.map((cell) => cell.padStart(12)).join('')}\n`;
  process.stdout.write(`\n${line(title, wanted)}`);
  for (const row of rows) {
    const cells = columns.map((column) => String(column[row] ?? '-'));
    process.stdout.write(line(row, cells));
  }
}
