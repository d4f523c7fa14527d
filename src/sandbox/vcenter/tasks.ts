import { rfc3339, type Clock } from '../../runtime/clock.ts';
import type { ManagedObject, Registry } from './managed-object.ts';
import type { Timers } from './timers.ts';
import { VimFault } from './vim-fault.ts';
import { vim } from './vim-schema.ts';
import { AnyValue, MoRef, type VimValue } from './vim-value.ts';

/** fact: vs 1.5: a completed task is gone about ten minutes later. */
export const taskLifetimeMs = 10 * 60 * 1000;

export interface TaskRequest {
  /** The method (fact: vs 1.5: `info.name` is the method's name on the wire). */
  readonly name: string;
  readonly descriptionId: string;
  readonly entity: ManagedObject;
  readonly userName: string;
}

/** Running work of the vCenter. `finish` is called once. */
export interface RunningTask {
  readonly ref: MoRef;
  start(): void;
  /** Percent. */
  progress(percent: number): void;
  finish(result?: VimFault | VimValue): void;
}

export class Tasks {
  readonly #registry: Registry;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #ofTask = new Map<ManagedObject, ManagedObject>();
  #last = 40;

  constructor(registry: Registry, clock: Clock, timers: Timers) {
    this.#registry = registry;
    this.#clock = clock;
    this.#timers = timers;
  }

  /** A queued task. */
  create(request: TaskRequest): RunningTask {
    const id = `task-${(this.#last += 1)}`;
    const { entity } = request;
    const task = this.#registry.add('Task', id);
    this.#ofTask.set(task, entity);
    setTasks(entity, [...tasksOf(entity), task.ref]);
    task.set(
      'info',
      vim('TaskInfo', {
        key: id,
        task: task.ref,
        name: request.name,
        descriptionId: request.descriptionId,
        entity: entity.ref,
        entityName: entity.text('name'),
        state: 'queued',
        cancelled: false,
        cancelable: false,
        reason: vim('TaskReasonUser', { userName: request.userName }),
        queueTime: this.#now(),
        eventChainId: this.#last,
      }),
    );
    return {
      ref: task.ref,
      start: () => this.#update(task, { state: 'running', progress: 0, startTime: this.#now() }),
      progress: (progress) => this.#update(task, { progress }),
      finish: (result) => this.#finish(task, result),
    };
  }

  /** A task is lost before its time: the vCenter restarted, or nobody asked for long. */
  forget(ref: MoRef): void {
    const task = this.#registry.find(ref);
    if (task !== undefined) this.#remove(task);
  }

  #finish(task: ManagedObject, result: VimFault | VimValue | undefined): void {
    const failed = result instanceof VimFault;
    this.#update(task, {
      state: failed ? 'error' : 'success',
      completeTime: this.#now(),
      progress: undefined,
      ...(failed ? { error: result.localized } : { result: resultOf(result) }),
    });
    this.#timers.exactly(taskLifetimeMs, () => this.#remove(task));
  }

  /** Out of the entity's `recentTask` too, which names the tasks of late, whatever became of them (fact: vs 1.5; the property: inferred). */
  #remove(task: ManagedObject): void {
    const entity = this.#ofTask.get(task);
    if (entity !== undefined) {
      setTasks(
        entity,
        tasksOf(entity).filter((ref) => ref !== task.ref),
      );
    }
    this.#ofTask.delete(task);
    this.#registry.remove(task);
  }

  #update(task: ManagedObject, fields: Readonly<Record<string, VimValue | undefined>>): void {
    const { $type, ...info } = task.get('info') as ReturnType<typeof vim>;
    task.set('info', vim($type, { ...info, ...fields }));
  }

  #now(): string {
    return rfc3339(this.#clock.now());
  }
}

function tasksOf(entity: ManagedObject): readonly MoRef[] {
  const refs = entity.get('recentTask');
  return Array.isArray(refs) ? refs.filter((ref) => ref instanceof MoRef) : [];
}

function setTasks(entity: ManagedObject, refs: readonly MoRef[]): void {
  entity.set('recentTask', refs.length === 0 ? undefined : refs);
}

/** `result` is anyType: a reference has to say so (fact: vs 1.2, 1.5). */
function resultOf(value: VimValue | undefined): VimValue | undefined {
  if (!(value instanceof MoRef)) return value;
  const of = { name: 'result', type: value.type, kind: 'reference', many: false, optional: true } as const;
  return new AnyValue(of, value);
}
