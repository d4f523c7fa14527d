import { bool, int, object, optional, type StaticOf } from '../model/schema.ts';
import { openList, openMap, openText, openTime, plainInt } from './open-schema.ts';
import { planVmFields } from './plan-vm.ts';
import { conditions } from './references.ts';

/** Progress of one VM, as Plan.status and Migration.status show it (forklift-api.md 1.8). */
const ErrorSchema = object({ phase: openText(), reasons: openList(openText()) });
export type StepError = StaticOf<typeof ErrorSchema>;

const taskFields = {
  name: openText(),
  description: optional(openText()),
  phase: optional(openText({ description: 'Pending, Running or Completed.' })),
  reason: optional(openText()),
  progress: object({ completed: int(), total: int() }),
  annotations: optional(openMap({ description: 'unit=MB: the progress counts MiB.' })),
  started: optional(openTime()),
  completed: optional(openTime()),
  error: optional(ErrorSchema),
  warning: optional(ErrorSchema),
};
export const taskPhases = ['Pending', 'Started', 'Running', 'Completed'] as const;
export type TaskPhase = (typeof taskPhases)[number];

const TaskSchema = object({ ...taskFields });
export type Task = StaticOf<typeof TaskSchema>;

const StepSchema = object({
  ...taskFields,
  tasks: optional(openList(TaskSchema, { description: 'One a disk, in steps that copy.' })),
});
export type Step = StaticOf<typeof StepSchema>;

const PrecopySchema = object({
  start: optional(openTime()),
  end: optional(openTime()),
  snapshot: optional(openText()),
  createTaskId: optional(openText()),
  removeTaskId: optional(openText()),
  deltas: optional(openList(object({ disk: openText(), deltaId: openText() }))),
});
export type Precopy = StaticOf<typeof PrecopySchema>;

const WarmSchema = object({
  successes: plainInt(),
  failures: plainInt(),
  consecutiveFailures: plainInt(),
  nextPrecopyAt: optional(openTime()),
  precopies: optional(openList(PrecopySchema)),
});
export type WarmStatus = StaticOf<typeof WarmSchema>;

export const VmStatusSchema = object({
  ...planVmFields,
  phase: openText({ description: 'The small step that the VM is in.' }),
  pipeline: openList(StepSchema),
  started: optional(openTime()),
  completed: optional(openTime()),
  error: optional(ErrorSchema),
  warm: optional(WarmSchema),
  restorePowerState: optional(openText({ description: 'Power of the source before: On, Off or Unknown.' })),
  firmware: optional(openText()),
  operatingSystem: optional(openText()),
  detectedBootDisk: optional(plainInt()),
  newName: optional(
    openText({ description: 'Name of the VirtualMachine, where it differs from the name at the source.' }),
  ),
  disksCopied: optional(bool({ description: 'All disks are complete and still true to the source.' })),
  conditions: conditions(),
});
export type VmStatus = StaticOf<typeof VmStatusSchema>;
