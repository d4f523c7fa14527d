import { count, formatBytes, formatDuration } from '../../cli/format.ts';
import { renderTable } from '../../cli/table.ts';

/** What `--json` says. These names are a contract: add, never change. */
export type DemoDocument =
  | { readonly ok: true; readonly vms: readonly VmReport[] }
  | { readonly ok: false; readonly error: { readonly code: string; readonly message: string } };

export interface VmReport {
  readonly name: string;
  readonly strategy: string;
  readonly disks: readonly DiskReport[];
  readonly rounds: number;
  /** From power-off of the source to the target running; 0 for a VM that was off. */
  readonly downtimeMs: number;
  /** The part of it in which the controller worked on this VM. */
  readonly controllerMs: number;
}

export interface DiskReport {
  /** Size of the source. */
  readonly bytes: number;
  readonly sha256Source: string;
  readonly sha256Target: string;
}

/** More VMs than this are not listed one by one. */
const mostListed = 12;

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
      vm.downtimeMs === 0 ? '' : `${vm.controllerMs} ms`,
    ]);
  const lines = renderTable(
    [
      { title: 'NAME', least: 12 },
      { title: 'STRATEGY' },
      { title: 'DISKS', align: 'right' },
      { title: 'BYTES', align: 'right' },
      { title: 'SHA-256 OF BOTH', least: 10 },
      { title: 'DOWNTIME', align: 'right' },
      { title: "CONTROLLER'S PART", align: 'right' },
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

/** What was proved, a sentence each. */
export function proofLines(vms: readonly VmReport[], wereOn: number): readonly string[] {
  const disks = vms.reduce((sum, vm) => sum + vm.disks.length, 0);
  const bytes = vms.reduce((sum, vm) => sum + bytesOf(vm), 0);
  const off = vms.length - wereOn;
  const stayed = off === 0 ? '' : `, and ${off === 1 ? 'the one' : `the ${off}`} that did not stayed off`;
  return [
    `${wereOn === vms.length ? 'Every VM runs' : `Every VM that ran runs again${stayed}`}.`,
    `${count(disks, 'disk')}, ${formatBytes(bytes)}: each target equals its source as it was at power-off, byte for byte.`,
    'Every source is off, with nothing of ours left on it; no import owes anything.',
  ];
}

export const closingLines: readonly string[] = [
  'Look at it with kubectl while it runs:   npm run demo -- --keep',
  'Move a disk of your own, a raw image:    npm run demo -- --disk FILE',
  'Move two hundred VMs at once:            npm run demo -- --vms 200 --speed 10',
];

function bytesOf({ disks }: VmReport): number {
  return disks.reduce((sum, { bytes }) => sum + bytes, 0);
}
