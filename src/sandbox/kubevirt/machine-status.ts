import type { DataVolume } from '../../api/external/cdi.ts';
import type { PersistentVolumeClaim, StandardCondition } from '../../api/external/core.ts';
import type {
  RunStrategy,
  VirtualMachine,
  VirtualMachineInstance,
  VirtualMachineInstancePhase,
} from '../../api/external/kubevirt.ts';
import { rfc3339 } from '../../runtime/clock.ts';

export interface MachineView {
  readonly vm: VirtualMachine;
  readonly instance: VirtualMachineInstance | undefined;
  /** Of the machine's volumes, those that exist. */
  readonly claims: readonly PersistentVolumeClaim[];
  /** DataVolumes that own one of the claims. */
  readonly dataVolumes: readonly DataVolume[];
  /** Why the last start failed. */
  readonly failure: { readonly reason: string; readonly message: string } | undefined;
  readonly nowMs: number;
}

type MachineStatus = NonNullable<VirtualMachine['status']>;

/** `running` is the older way to say Always or Halted (fact: kubevirt 1.1). */
export function runStrategyOf({ spec: { runStrategy, running } }: VirtualMachine): RunStrategy {
  return runStrategy ?? (running === true ? 'Always' : 'Halted');
}

/** Whether an instance is to exist: Halted and Manual start nothing by themselves (fact: kubevirt 1.1). */
export function isStartExpected(vm: VirtualMachine): boolean {
  const strategy = runStrategyOf(vm);
  return strategy === 'Always' || strategy === 'RerunOnFailure' || strategy === 'Once';
}

export function isFinal(instance: VirtualMachineInstance): boolean {
  return instance.status?.phase === 'Succeeded' || instance.status?.phase === 'Failed';
}

/** The status as virt-controller would write it next (fact: kubevirt 1.4). Pure. */
export function nextMachineStatus(view: MachineView): MachineStatus {
  const { vm, instance, failure, nowMs } = view;
  const now = rfc3339(nowMs);
  const before = vm.status?.conditions ?? [];
  const fromInstance = (instance?.status?.conditions ?? []).find(({ type }) => type === 'Ready');
  const ready: StandardCondition =
    instance === undefined
      ? { type: 'Ready', status: 'False', reason: 'VMINotExists', message: 'VMI does not exist' }
      : (fromInstance ?? {
          type: 'Ready',
          status: 'False',
          reason: 'VMIConditionMissing',
          message: 'VMI is missing the Ready condition',
        });
  const failed = failure && { type: 'Failure', status: 'True', ...failure };
  const others = (instance?.status?.conditions ?? []).filter(({ type }) => type !== 'Ready');
  const conditions = [ready, ...(failed ? [failed] : []), ...others].map((condition) =>
    withTransition(condition, before, now),
  );
  const { created: _created, ready: _ready, ...kept } = vm.status ?? {};
  // What is not so is not said.
  return {
    ...kept,
    ...(instance !== undefined && { created: true }),
    ...(ready.status === 'True' && { ready: true }),
    printableStatus: printableStatus(view),
    conditions,
  };
}

/** First match wins (fact: kubevirt 1.4, 1.5). */
export function printableStatus({ vm, instance, claims, dataVolumes }: MachineView): string {
  if (vm.metadata.deletionTimestamp !== undefined) return 'Terminating';
  if (instance !== undefined && !isFinal(instance)) {
    const isLeaving = instance.metadata.deletionTimestamp !== undefined;
    if (isLeaving || runStrategyOf(vm) === 'Halted') return 'Stopping';
    if (instance.status?.phase === 'Running') return 'Running';
    const sync = instance.status?.conditions?.find(({ type }) => type === 'Synchronized');
    if (sync?.status === 'False' && sync.reason === 'FailedPvcNotFound') return 'ErrorPvcNotFound';
  }
  const isWaiting = instance === undefined ? isStartExpected(vm) : !isFinal(instance);
  if (!isWaiting) return 'Stopped';
  const phases = dataVolumes.map(({ status }) => status?.phase ?? '');
  if (phases.includes('Failed')) return 'DataVolumeError';
  if (phases.some((phase) => !settledPhases.includes(phase))) return 'Provisioning';
  if (claims.some(({ status }) => status?.phase !== 'Bound')) return 'WaitingForVolumeBinding';
  return 'Starting';
}

/** A DataVolume in one of these is not being provisioned. */
const settledPhases = ['', 'Pending', 'Succeeded', 'WaitForFirstConsumer', 'PendingPopulation'];

/** An instance's status in `phase`; times of phases are kept. Fact: kubevirt 1.4, 1.5. */
export function instanceStatus(
  instance: VirtualMachineInstance,
  phase: VirtualMachineInstancePhase,
  nowMs: number,
  options: { readonly nodeName?: string; readonly missingClaim?: string } = {},
): NonNullable<VirtualMachineInstance['status']> {
  const now = rfc3339(nowMs);
  const before = instance.status;
  const isNew = before?.phase !== phase;
  const conditions: readonly StandardCondition[] = [
    readyCondition(phase),
    synchronized(instance, options.missingClaim),
  ].map((condition) => withTransition(condition, before?.conditions ?? [], now));
  const { interfaces = [] } = instance.spec.domain.devices;
  return {
    ...before,
    phase,
    ...(options.nodeName !== undefined && { nodeName: options.nodeName }),
    conditions,
    phaseTransitionTimestamps: [
      ...(before?.phaseTransitionTimestamps ?? []),
      ...(isNew ? [{ phase, phaseTransitionTimestamp: now }] : []),
    ],
    ...(phase === 'Running' && {
      interfaces: interfaces.map(({ name, macAddress }) => ({
        name,
        ...(macAddress !== undefined && { mac: macAddress }),
      })),
    }),
  };
}

function readyCondition(phase: VirtualMachineInstancePhase): StandardCondition {
  if (phase === 'Running') return { type: 'Ready', status: 'True' };
  const hasPod = phase === 'Scheduling' || phase === 'Scheduled';
  return hasPod
    ? {
        type: 'Ready',
        status: 'False',
        reason: 'GuestNotRunning',
        message: 'Guest VM is not reported as running',
      }
    : {
        type: 'Ready',
        status: 'False',
        reason: 'PodNotExists',
        message: 'virt-launcher pod has not yet been scheduled',
      };
}

function synchronized(instance: VirtualMachineInstance, missingClaim: string | undefined): StandardCondition {
  if (missingClaim === undefined) return { type: 'Synchronized', status: 'True' };
  const { namespace = '' } = instance.metadata;
  return {
    type: 'Synchronized',
    status: 'False',
    reason: 'FailedPvcNotFound',
    message: `PVC ${namespace}/${missingClaim} does not exist, waiting for it to appear`,
  };
}

function withTransition(
  condition: StandardCondition,
  before: readonly StandardCondition[],
  now: string,
): StandardCondition {
  const old = before.find(({ type }) => type === condition.type);
  const isSame = old?.status === condition.status;
  const at = isSame ? old.lastTransitionTime : (condition.lastTransitionTime ?? now);
  return { ...condition, ...(at !== undefined && { lastTransitionTime: at }) };
}
