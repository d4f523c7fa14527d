import type { ConditionDraft } from '../api/conditions.ts';
import type { PhaseName, StepName } from '../api/phases.ts';
import type {
  DiskStatus,
  LedgerEntry,
  Records,
  VirtualMachineImportSpec,
  VirtualMachineImportStatus,
} from '../api/virtual-machine-import.ts';
import type { EngineSettings } from './settings.ts';
import type { FactName, Facts } from './facts.ts';

/**
 * The contract between decisions and effects. A phase is a small step of an import: it names the facts it needs and decides, purely, what
 * comes next. The runner (controllers/import) is the only one that acts, always in this order:
 *
 *   1. gather   exactly the facts that the phase names, by read verbs only;
 *   2. decide   `phase.decide(facts, context)`;
 *   3. save     records, ledger, slots: a barrier that must succeed before any effect of this decision;
 *   4. fence    is the lease still ours?
 *   5. act      the actions, in order; each is one try and safe to repeat;
 *   6. again    from 1, until the decision is to wait, at most `longestRun` times.
 *
 * The process may die between any two of these lines; what is then true is in facts, records and ledger and nowhere else. An action gives
 * nothing back: what it made is found by the next gathering.
 */
export interface Phase<N extends FactName = FactName> {
  readonly name: PhaseName;
  /** The step of the pipeline that clients see, unless the itinerary says otherwise. */
  readonly step: StepName;
  readonly needs: readonly N[];
  decide(facts: Facts<N>, context: Context): Decision;
  /**
   * The target cluster or the source has judged an action of this phase and refused it (no mere trouble on the way). Without this, a
   * refusal is a terminal failure with the refuser's own words.
   */
  refused?(refusal: Refusal, context: Context): Decision;
}

/** An action that was turned down for a reason that trying again at once will not change. */
export interface Refusal {
  readonly action: Action;
  /** Stable: KubeError's or SourceFault's code. */
  readonly code: string;
  /** The refuser's words, scrubbed. */
  readonly text: string;
}

/** Keeps the tie between `needs` and `facts` while phases of different needs stand in one list. */
export function phase<const N extends FactName>(definition: Phase<N>): Phase {
  return definition;
}

/** What a decision may look at beside its facts. Nothing here needs I/O. */
export interface Context {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly spec: VirtualMachineImportSpec;
  readonly status: VirtualMachineImportStatus;
  readonly records: Records;
  readonly ledger: readonly LedgerEntry[];
  readonly settings: EngineSettings;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** When this phase began, moved on by the time its clock stood still (source unreachable). Milliseconds since 1970. */
  readonly phaseSince: number;
  /** Since when the target cluster has been watched without a gap. Milliseconds since 1970. */
  readonly watchingSince: number;
}

// ---- decisions ------------------------------------------------------------------------------------------------------------------

/** What a decision changes in the import's own status. Saved before the decision takes effect. */
export interface Change {
  readonly records?: Partial<Records>;
  /** Records that no longer hold: a cutover that was left has seen no source off. */
  readonly forget?: readonly (keyof Records)[];
  readonly ledger?: readonly LedgerChange[];
  /** The whole list, where anything in it changed. */
  readonly disks?: readonly DiskStatus[];
  /** Slots that are no longer needed. */
  readonly free?: readonly string[];
  /** What must be said now. A condition that is not said again is gone. */
  readonly conditions?: readonly ConditionDraft[];
  /** Told once, as an event on the import. */
  readonly events?: readonly EventNote[];
}

export interface EventNote {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** To the next phase of the itinerary, or to `to` (rounds go back). */
export interface Advance extends Change {
  readonly kind: 'advance';
  readonly to?: PhaseName;
  /** Shown on the step that was left. */
  readonly warning?: string;
}

/** Until something wakes this import. */
export interface Wait extends Change {
  readonly kind: 'wait';
  /** One CamelCase word for tables: "GuestShutdown". */
  readonly reason: string;
  /** Goes on after "Waiting for": "the guest to shut down". The runner adds since when and until when. */
  readonly for: string;
  /** Its deadline, milliseconds since 1970: it is told, and the phase looks again by then. */
  readonly until?: number;
  /** The next look at what tells nobody when it changes, milliseconds since 1970. It is not told, or every look would write another time. */
  readonly lookAt?: number;
}

/** Asks for slots, all or nothing, and waits for them in the queue. */
export interface Acquire extends Change {
  readonly kind: 'acquire';
  readonly slots: readonly SlotRequest[];
  readonly priority: number;
  readonly for: string;
  /** When the phase wants to look again though nothing was granted, milliseconds since 1970. */
  readonly until?: number;
}

export interface Fail extends Change {
  readonly kind: 'fail';
  /** Retryable within the phase's budget; the table over source faults is migration/faults.ts. */
  readonly class: 'retryable' | 'terminal';
  readonly code: string;
  readonly message: string;
  /** What to do now. */
  readonly hint?: string;
  /** How the import ends; left out: Failed. */
  readonly outcome?: 'Failed' | 'Canceled';
  readonly outcomeReason?: string;
}

export interface Act extends Change {
  readonly kind: 'act';
  readonly actions: readonly Action[];
}

export type Decision = Advance | Wait | Acquire | Fail | Act;

export interface SlotRequest {
  readonly resource: string;
  readonly cost: number;
  readonly capacity: number;
}
/** Priorities of the queue: cutover first, nobody is pre-empted (review.md F52). */
export const slotPriorities = { cutover: 3, finalRetry: 2, round: 1, start: 0 } as const;

export type LedgerChange =
  | {
      readonly op: 'add';
      readonly entry: Pick<LedgerEntry, 'key' | 'kind' | 'marker' | 'disposition'> & {
        readonly endpoint?: string;
      };
    }
  | { readonly op: 'strike'; readonly key: string }
  /** The thing was made; this is its own id. */
  | { readonly op: 'identify'; readonly key: string; readonly id: string }
  /** Asked away, now. */
  | { readonly op: 'ask'; readonly key: string }
  | { readonly op: 'note'; readonly key: string; readonly lastError: string }
  | { readonly op: 'dispose'; readonly key: string; readonly disposition: LedgerEntry['disposition'] };

/**
 * Everything an import can do to the world. Symbolic: which objects they stand for is built at the edge by target/ from the frozen spec.
 * A create is create-if-absent (a deterministic name, and the owner checked); a delete names the very object by uid; a patch tests.
 */
export type Action =
  | { readonly do: 'createNamespace' }
  /** Our own login is tried anew: an importer says that its was refused. */
  | { readonly do: 'verifyLogin'; readonly credentials: string }
  /** Also rewrites it where it is there and says something else. */
  | { readonly do: 'createAccess' }
  | { readonly do: 'deleteAccess' }
  | {
      readonly do: 'createDataVolume';
      readonly diskKey: string;
      readonly growPercent?: number;
      /** Warm: the first stage, and whether it is the last one too. */
      readonly stage?: {
        readonly current: string;
        readonly isFinal: boolean;
        readonly sizeBytes: number;
        /** What it is read by, where that is not as planned. */
        readonly sourceId?: string;
      };
    }
  /** One more stage for a DataVolume whose last one is `after`; in the same patch it becomes the last of all. */
  | {
      readonly do: 'appendCheckpoint';
      readonly name: string;
      readonly uid: string;
      readonly after: string;
      readonly current: string;
      readonly previous: string;
      readonly isFinal: boolean;
    }
  | { readonly do: 'createSnapshot'; readonly marker: string; readonly quiesce: boolean }
  | { readonly do: 'removeSnapshot'; readonly id: string }
  | {
      readonly do: 'deleteDataVolume';
      readonly name: string;
      readonly uid: string;
      readonly orphanClaim: boolean;
    }
  | { readonly do: 'deletePod'; readonly name: string; readonly uid: string }
  /** Beside the pod: the domain that it converts, in a ConfigMap. */
  | { readonly do: 'createConversionPod' }
  /** The converter has told all: it may end. */
  | { readonly do: 'finishConversion'; readonly name: string }
  /** Our finalizer goes off a pod; with `forget` our label too, for the user to keep it. */
  | { readonly do: 'releasePod'; readonly name: string; readonly uid: string; readonly forget: boolean }
  | { readonly do: 'createVm' }
  | { readonly do: 'deleteVm'; readonly name: string; readonly uid: string }
  | {
      readonly do: 'giveClaimToVm';
      readonly claim: string;
      readonly claimUid: string;
      readonly dataVolumeUid: string;
      readonly vmUid: string;
    }
  | {
      readonly do: 'takeClaimFromVm';
      readonly claim: string;
      readonly claimUid: string;
      readonly vmUid: string;
    }
  | { readonly do: 'deleteClaim'; readonly name: string; readonly uid: string }
  | { readonly do: 'setRunStrategy'; readonly vmUid: string; readonly runStrategy: 'Always' | 'Halted' }
  | {
      readonly do: 'stripLabel';
      readonly on: 'VirtualMachine' | 'PersistentVolumeClaim';
      readonly name: string;
      readonly uid: string;
    }
  | { readonly do: 'deleteSecret' | 'deleteConfigMap'; readonly name: string; readonly uid: string }
  | { readonly do: 'powerOff'; readonly how: 'guest' | 'hard' }
  | { readonly do: 'powerOn'; readonly restore?: string };

/** Phases that one reconcile runs through before it lets others have a turn. */
export const longestRun = 40;

// ---- unwind ---------------------------------------------------------------------------------------------------------------------

/**
 * One element of the ordered list by which an import that did not succeed takes back what it did (import.md 2.5). Same contract as a
 * phase, but it never fails: an error is noted on the ledger entry and tried again with back-off, for ever.
 */
export interface UnwindStep<N extends FactName = FactName> {
  readonly name: string;
  /** false: nothing to do for this import, and its facts need not be gathered. */
  applies(context: Context): boolean;
  /** What holds, by the records, while the facts cannot be gathered. */
  untold?(context: Context): readonly ConditionDraft[];
  /** true: later steps wait until this one is done. */
  readonly blocks: boolean;
  readonly needs: readonly N[];
  decide(facts: Facts<N>, context: Context): UnwindDecision;
}

export function unwindStep<const N extends FactName>(definition: UnwindStep<N>): UnwindStep {
  return definition;
}

export type UnwindDecision =
  | (Change & { readonly kind: 'done' })
  | (Change & { readonly kind: 'wait'; readonly for: string; readonly lookAt?: number })
  | (Change & { readonly kind: 'act'; readonly actions: readonly Action[] });
