import type { Clock } from '../../runtime/clock.ts';
import type { DiskStore } from '../disk-store.ts';
import type { Faults, Trace } from '../world.ts';
import { Account } from './account.ts';
import { stunTracking, usualMaxAreas } from './change-tracking.ts';
import { Inventory } from './inventory.ts';
import { Registry, type ObjectParts } from './managed-object.ts';
import { PowerControl, usualLatencies, type PowerLatencies } from './power.ts';
import { Privileges } from './privileges.ts';
import type { ReconfigureLatencies } from './reconfigure.ts';
import type { VCenterParts } from './service-context.ts';
import { managers } from './session-methods.ts';
import { Sessions } from './sessions.ts';
import { SnapshotControl, usualSnapshotLatencies, type SnapshotLatencies } from './snapshot-control.ts';
import { Snapshots } from './snapshots.ts';
import { apiVersions } from './soap-service.ts';
import { Tasks } from './tasks.ts';
import { Timers } from './timers.ts';
import { vim } from './vim-schema.ts';
import type { VimObject } from './vim-value.ts';
import { layoutOf } from './vm-layout.ts';
import { DiskChanges } from './vm-disk-changes.ts';
import { VmStore } from './vm-store.ts';
import { VmTasks } from './vm-tasks.ts';

export type VCenterLatencies = PowerLatencies & SnapshotLatencies & ReconfigureLatencies;

export interface VCenterOptions {
  readonly clock: Clock;
  /** Seeded, in [0, 1): certificate, session keys. */
  readonly random: () => number;
  readonly disks: DiskStore;
  readonly faults: Faults;
  readonly trace: Trace;
  /** Default administrator@vsphere.local / sandbox-password. */
  readonly credentials?: { readonly user: string; readonly password: string };
  readonly latencies?: Partial<VCenterLatencies>;
  /** Divides the latencies; default 1. */
  readonly speed?: number;
  /** Host name before anybody listens; default vcenter.example. */
  readonly host?: string;
  /** Areas in one answer of QueryChangedDiskAreas; default 2000 (fact: vs 4.3). */
  readonly maxChangedAreas?: number;
}

const defaultCredentials = { user: 'administrator@vsphere.local', password: 'sandbox-password' };
const defaultReconfigureMs = 500;

/** All that is behind the API, and the two things that end with it. */
export interface Parts extends VCenterParts {
  readonly tasks: Tasks;
  readonly timers: Timers;
}

export function createParts(options: VCenterOptions, random: () => number): Parts {
  const { clock, faults, trace, disks } = options;
  const registry = new Registry();
  const about = aboutInfo();
  const inventory = new Inventory(registry, about, random);
  const vms = new VmStore(inventory, disks, clock);
  const snapshots = new Snapshots(clock, registry);
  vms.layoutOf = (vm) => layoutOf(vm, snapshots.chainOf(vm), clock);
  const timers = new Timers(clock, options.speed ?? 1);
  const tasks = new Tasks(registry, clock, timers);
  const usual = { ...usualLatencies, ...usualSnapshotLatencies, reconfigureMs: defaultReconfigureMs };
  const latencies: VCenterLatencies = { ...usual, ...options.latencies };
  const vmTasks = new VmTasks({ tasks, timers, faults, trace, startMs: latencies.taskStartMs });
  const power = new PowerControl({
    clock,
    tasks: vmTasks,
    timers,
    faults,
    trace,
    latencies,
    stunned: (vm) => {
      if (stunTracking(vm)) snapshots.show(vm);
    },
  });
  const account = new Account(options.credentials ?? defaultCredentials, { clock, faults, trace });
  const sessions = new Sessions(clock, random, registry);
  registry.add('ServiceInstance', 'ServiceInstance');
  for (const { type, id } of Object.values(managers)) {
    registry.add(type, id, type === 'SessionManager' ? sessionLists(sessions, account) : {});
  }
  return {
    clock,
    trace,
    about,
    account,
    privileges: new Privileges(faults),
    sessions,
    registry,
    inventory,
    vms,
    power,
    vmTasks,
    snapshots,
    snapshotControl: new SnapshotControl({ tasks: vmTasks, snapshots, power, faults, latencies }),
    diskChanges: new DiskChanges(vms, snapshots),
    reconfigureMs: latencies.reconfigureMs,
    maxChangedAreas: options.maxChangedAreas ?? usualMaxAreas,
    tasks,
    timers,
  };
}

/** Who is logged in, and which of them asks. */
function sessionLists(sessions: Sessions, account: Account): ObjectParts {
  return {
    computed: {
      sessionList: () => sessions.live.map((session) => session.describeFully(account.displayName)),
      currentSession: () => sessions.serving?.describeFully(account.displayName),
    },
  };
}

/** What this vCenter says of itself; apiType tells it from an ESXi host (fact: vs 1.1). */
function aboutInfo(): VimObject {
  return vim('AboutInfo', {
    name: 'VMware vCenter Server',
    fullName: 'VMware vCenter Server 8.0.2 build-22617221',
    vendor: 'VMware, Inc.',
    version: '8.0.2',
    build: '22617221',
    osType: 'linux-x64',
    productLineId: 'vpx',
    apiType: 'VirtualCenter',
    apiVersion: apiVersions[0],
    instanceUuid: '5a3bd7f2-2f9b-4b5d-9d0c-1c1f6c0e8a11',
    licenseProductName: 'VMware VirtualCenter Server',
    licenseProductVersion: '8.0',
  });
}
