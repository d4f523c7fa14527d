import type { Stored } from '../../api/meta.ts';
import type { VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import type { ObjectCache } from '../../kube/cache.ts';
import { keyOf } from '../../kube/object-key.ts';
import type { ImportRunner, StopReason } from './runner.ts';

/** What an import waits for when its runner rests, as its status says it. */
export interface Rest {
  readonly phase: string;
  /** Undefined: for nobody that it can name; it looks again by itself. */
  readonly reason: string | undefined;
}

/**
 * Told when an import is worked on and when it rests, by "namespace/name": for whoever measures whose time passes (design: sandbox.md
 * "Downtime, measured"). In production nobody does. Must not throw.
 */
export interface RunObserver {
  /** Around all that one reconcile does: calls that `work` makes are made for this import. Gives what `work` gives. */
  around<T>(key: string, work: () => Promise<T>): Promise<T>;
  rests(key: string, rest: Rest): void;
  /** It rests because the world does not show yet what it has just done: `rests` follows, and the wait is its own. */
  echoes(key: string): void;
}

/** The same runner, with somebody who is told. What it waits for is read from the status that it has saved. */
export function observedRunner(
  runner: Pick<ImportRunner, 'run'>,
  observer: RunObserver | undefined,
  imports: Pick<ObjectCache<VirtualMachineImport>, 'getByKey'>,
): Pick<ImportRunner, 'run'> {
  if (observer === undefined) return runner;
  return {
    run(object: Stored<VirtualMachineImport>, stop: StopReason | undefined, signal: AbortSignal) {
      const key = keyOf(object);
      return observer.around(key, async () => {
        const until = await runner.run(object, stop, signal);
        const { phase = '', waitingFor } = imports.getByKey(key)?.status ?? {};
        observer.rests(key, { phase, reason: waitingFor });
        return until;
      });
    },
  };
}
