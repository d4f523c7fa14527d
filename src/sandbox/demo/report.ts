import { count, formatBytes, formatDuration } from '../../cli/format.ts';
import { renderTable, type Column } from '../../cli/table.ts';
import type { DowntimeSplit } from './downtime.ts';
import type { FaultReport } from './fault.ts';
import type { RoundReport } from './rounds-seen.ts';

/** What `--json` says. These names are a contract: add, never change. */
export type DemoDocument =
  | { readonly ok: true; readonly vms: readonly VmReport[]; readonly fault?: FaultReport }
  | { readonly ok: false; readonly error: { readonly code: string; readonly message: string } };

export interface VmReport extends DowntimeSplit {
  readonly name: string;
  readonly strategy: string;
  readonly disks: readonly DiskReport[];
  readonly rounds: number;
  /** What each of them copied; none for a VM that moved cold. */
  readonly copied: readonly RoundReport[];
  /** From power-off of the source to the target running; 0 for a VM that was off. Its four parts come with it. */
  readonly downtimeMs: number;
}

export interface DiskReport {
  /** Size of the source. */
  readonly bytes: number;
  readonly sha256Source: string;
  readonly sha256Target: string;
}

/** More VMs than this are not listed one by one. */
const mostListed = 12;

/** What was moved. */
export function summaryTable(vms: readonly VmReport[], width: number): readonly string[] {
  const rows = vms
    .slice(0, mostListed)
    .map((vm) => [
      vm.name,
      vm.strategy,
      String(vm.disks.length),
      formatBytes(bytesOf(vm)),
      vm.disks.map(({ sha256Target }) => sha256Target.slice(0, 8)).join(' '),
      vm.downtimeMs === 0 ? 'was off' : formatDuration(vm.downtimeMs),
    ]);
  const lines = renderTable(
    [
      { title: 'NAME', least: 12 },
      { title: 'STRATEGY' },
      { title: 'DISKS', align: 'right' },
      { title: 'BYTES', align: 'right' },
      { title: 'SHA-256 OF BOTH', least: 10 },
      { title: 'DOWNTIME', align: 'right' },
    ],
    rows,
    width,
  );
  if (vms.length <= mostListed) return lines;
  const downtimes = vms.map(({ downtimeMs }) => downtimeMs).filter((ms) => ms > 0);
  const longest = formatDuration(Math.max(0, ...downtimes));
  return [
    ...lines,
    `and ${count(vms.length - mostListed, 'more VM')}; the longest downtime of all was ${longest}`,
  ];
}

/** What each round of the warm VMs has copied, and how long it took; no line where none was warm. */
export function roundsTable(vms: readonly VmReport[], width: number): readonly string[] {
  const warm = vms.filter(({ copied }) => copied.length > 0).slice(0, mostListed);
  if (warm.length === 0) return [];
  const most = Math.max(...warm.map(({ copied }) => copied.filter(({ isFinal }) => !isFinal).length));
  const cell = (report: RoundReport | undefined): string =>
    report === undefined ? '' : `${formatBytes(report.bytes)} in ${formatDuration(report.ms)}`;
  const running: readonly Column[] = Array.from({ length: most }, (_, index) => ({
    title: `ROUND ${index + 1}`,
    align: 'right',
  }));
  const rows = warm.map(({ name, copied }) => [
    name,
    ...running.map((_, index) => cell(copied.filter(({ isFinal }) => !isFinal)[index])),
    cell(copied.find(({ isFinal }) => isFinal)),
  ]);
  return renderTable(
    [{ title: 'COPIED', least: 12 }, ...running, { title: 'AT CUTOVER', align: 'right' }],
    rows,
    width,
  );
}

/** Whose time the downtimes were. */
export function downtimeTable(vms: readonly VmReport[], width: number): readonly string[] {
  const rows = vms
    .filter(({ downtimeMs }) => downtimeMs > 0)
    .slice(0, mostListed)
    .map((vm) => [
      vm.name,
      inSeconds(vm.downtimeMs),
      inSeconds(vm.sourceMs),
      `${inSeconds(vm.copyMs)} (${inSeconds(vm.startMs)})`,
      inSeconds(vm.conversionMs),
      inSeconds(vm.controllerMs),
    ]);
  if (rows.length === 0) return [];
  return renderTable(
    [
      { title: 'OUT OF SERVICE', least: 12 },
      { title: 'IN ALL', align: 'right' },
      { title: 'SOURCE', align: 'right' },
      { title: 'COPY (OF IT START)', align: 'right' },
      { title: 'CONVERSION', align: 'right' },
      { title: 'CONTROLLER', align: 'right' },
    ],
    rows,
    width,
  );
}

/** Milliseconds are worth a figure here: "0.24 s". */
function inSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

/** What was proved, a sentence each. */
export function proofLines(vms: readonly VmReport[], wereOn: number, guestBytes: number): readonly string[] {
  const disks = vms.reduce((sum, vm) => sum + vm.disks.length, 0);
  const bytes = vms.reduce((sum, vm) => sum + bytesOf(vm), 0);
  const off = vms.length - wereOn;
  const stayed = off === 0 ? '' : `, and ${off === 1 ? 'the one' : `the ${off}`} that did not stayed off`;
  return [
    `${wereOn === vms.length ? 'Every VM runs' : `Every VM that ran runs again${stayed}`}.`,
    ...(guestBytes > 0
      ? [`Guests wrote ${formatBytes(guestBytes)} while they were moved, until their power-off.`]
      : []),
    `${count(disks, 'disk')}, ${formatBytes(bytes)}: each target equals its source as it was at power-off, byte for byte.`,
    'Every source is off, with nothing of ours left on it; no import owes anything.',
  ];
}

export const closingLines: readonly string[] = [
  'Look at it with kubectl while it runs:   npm run demo -- --keep',
  'Move a disk of your own, a raw image:    npm run demo -- --disk FILE',
  'Move two hundred VMs at once:            npm run demo -- --vms 200 --speed 10',
  'Kill the controller in the cutover:      npm run demo -- --fault kill-controller@cutover',
];

function bytesOf({ disks }: VmReport): number {
  return disks.reduce((sum, { bytes }) => sum + bytes, 0);
}
