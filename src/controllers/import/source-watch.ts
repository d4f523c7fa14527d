import type { Stored } from '../../api/meta.ts';
import type { VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import type { FactName } from '../../migration/facts.ts';
import { phaseByName } from '../../migration/itineraries.ts';
import { mustStayOff } from '../../migration/power.ts';
import { isSourceError } from '../../model/fault.ts';
import type { SourceHub } from '../source-hub.ts';
import { vmHandle } from './subject.ts';

/**
 * While an import waits for something at its source, or owes it a power state or a snapshot, a change of the VM wakes it. One subscription
 * an import, made before the source is read, so that no change falls in between.
 */
export class SourceWatch {
  readonly #sources: SourceHub;
  readonly #wake: (key: string) => void;
  readonly #followed = new Map<string, Disposable>();
  /** Where something has happened since the power was last read, or may have while nobody looked. */
  readonly #moved = new Set<string>();

  constructor(sources: SourceHub, wake: (key: string) => void) {
    this.#sources = sources;
    this.#wake = wake;
  }

  /** Subscribes or lets go, as the state of the import asks for. True: it has subscribed just now, so the power must be read again. */
  follow(key: string, object: Stored<VirtualMachineImport>): boolean {
    if (!needsSource(object)) {
      this.drop(key);
      return false;
    }
    if (this.#followed.has(key)) return false;
    try {
      const source = this.#sources.source(object.spec.source.provider);
      const subscription = source.subscribe({ kind: 'power', vm: vmHandle(object) }, () => {
        this.#moved.add(key);
        this.#wake(key);
      });
      this.#followed.set(key, subscription);
      this.#moved.add(key);
      return true;
    } catch (error) {
      // Not connected: the import will wait for the Provider, whose return wakes it, and then this is tried again.
      if (!isSourceError(error)) throw error;
      return false;
    }
  }

  /** Whether the power is to be read again; says so once. */
  takeMoved(key: string): boolean {
    return this.#moved.delete(key);
  }

  /** It could not be read after all. */
  markMoved(key: string): void {
    if (this.#followed.has(key)) this.#moved.add(key);
  }

  drop(key: string): void {
    this.#moved.delete(key);
    this.#followed.get(key)?.[Symbol.dispose]();
    this.#followed.delete(key);
  }

  /** A new session knows nothing of the subscriptions of the old one. */
  forget(keys: Iterable<string>): void {
    for (const key of keys) this.drop(key);
  }
}

/** Facts that change when something happens to the VM at its source. */
const sourceFacts: ReadonlySet<FactName> = new Set([
  'sourcePower',
  'snapshot',
  'audit',
  'checkpoints',
  'owedSnapshots',
]);

function needsSource({ status }: VirtualMachineImport): boolean {
  const isUnderWay = status?.outcome === undefined && status?.records?.ending === undefined;
  if (isUnderWay && mustStayOff({ records: status?.records ?? {} })) return true;
  const owed = (status?.ledger ?? []).some(
    (entry) => (entry.kind === 'SourcePower' || entry.kind === 'Snapshot') && entry.doneAt === undefined,
  );
  const phase = phaseByName(status?.phase ?? '');
  return (
    owed || phase?.needs.some((name) => sourceFacts.has(name)) === true || status?.phase === 'StorePowerState'
  );
}
