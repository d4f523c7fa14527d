import type { DataVolume } from '../../api/external/cdi.ts';
import type { PersistentVolumeClaim } from '../../api/external/core.ts';
import { persistentVolumeClaims } from '../../api/kinds.ts';
import type { Stored } from '../../api/meta.ts';
import type { ObjectCache } from '../../kube/cache.ts';
import type { StandIn } from '../stand-in.ts';
import { isBound } from '../storage/binding.ts';
import { annotationChanges, podPhaseAnnotation } from './annotations.ts';
import { afterStage, withStages } from './checkpoints.ts';
import { pauseMs, type CdiSettings } from './settings.ts';

/** A step of bookkeeping that is to be done, and when (monotonic milliseconds). */
interface Due {
  readonly changes: string;
  readonly atMs: number;
  /** Paused is shown before the mark. */
  readonly isLate: boolean;
}

/** `later`: nothing of the stage's end shows yet. `paused`: the status may tell of it, the mark comes after. */
export type Kept = 'kept' | 'later' | 'paused';

/**
 * Keeps the books of imports in stages on their claims, each step some moments after it could be done: this is what makes Paused flicker
 * and late to be left. Fact: cdi 0.1, 2.1.
 */
export class StageKeeper {
  readonly #standIn: StandIn;
  readonly #claims: ObjectCache<PersistentVolumeClaim>;
  readonly #settings: CdiSettings;
  /** By the DataVolume's key. */
  readonly #due = new Map<string, Due>();

  constructor(standIn: StandIn, claims: ObjectCache<PersistentVolumeClaim>, settings: CdiSettings) {
    this.#standIn = standIn;
    this.#claims = claims;
    this.#settings = settings;
  }

  /** Milliseconds until the step that `keep` put off. */
  untilDueMs(key: string): number {
    const atMs = this.#due.get(key)?.atMs ?? 0;
    return Math.max(1, atMs - this.#standIn.clock.monotonicMs());
  }

  forget(key: string): void {
    this.#due.delete(key);
  }

  /** The status that goes with it is that of the claim as it was before (fact: cdi 2.1: Paused on the very pass that finishes). */
  async keep(
    key: string,
    dataVolume: Stored<DataVolume>,
    claim: Stored<PersistentVolumeClaim> | undefined,
    signal: AbortSignal,
  ): Promise<Kept> {
    const before = claim?.metadata.annotations ?? {};
    const isOver = before[podPhaseAnnotation] === 'Succeeded';
    const changes = isOver ? annotationChanges(before, afterStage(before, dataVolume)) : undefined;
    if (claim === undefined || changes === undefined) {
      this.#due.delete(key);
      return 'kept';
    }
    const due = this.#dueFor(key, JSON.stringify(changes));
    if (this.#standIn.clock.monotonicMs() < due.atMs) return due.isLate ? 'paused' : 'later';
    await this.#annotate(claim, changes, signal);
    this.#due.delete(key);
    return 'kept';
  }

  /** A claim that was there before its DataVolume gets its first stage once it is bound (fact: cdi 2.1). */
  async begin(
    dataVolume: Stored<DataVolume>,
    claim: Stored<PersistentVolumeClaim>,
    signal: AbortSignal,
  ): Promise<Stored<PersistentVolumeClaim>> {
    const { annotations: before = {}, deletionTimestamp } = claim.metadata;
    if (!isBound(claim) || deletionTimestamp !== undefined) return claim;
    const changes = annotationChanges(before, withStages(before, dataVolume));
    return changes === undefined ? claim : this.#annotate(claim, changes, signal);
  }

  #dueFor(key: string, changes: string): Due {
    const known = this.#due.get(key);
    if (known?.changes === changes) return known;
    const waitMs = pauseMs(this.#standIn.random(), this.#settings.speed);
    // Who watches claims and DataVolumes apart may see Paused before the mark (fact: cdi 7, "marking in flight").
    const isLate = this.#standIn.random() < this.#settings.flickerChance;
    const due: Due = { changes, atMs: this.#standIn.clock.monotonicMs() + waitMs, isLate };
    this.#due.set(key, due);
    return due;
  }

  /** Refused (Conflict) when the claim was written since we read it. */
  async #annotate(
    claim: Stored<PersistentVolumeClaim>,
    annotations: Readonly<Record<string, string | null>>,
    signal: AbortSignal,
  ): Promise<Stored<PersistentVolumeClaim>> {
    const { namespace = '', name, resourceVersion } = claim.metadata;
    const patch = { metadata: { resourceVersion, annotations } };
    const at = { namespace, name };
    const stored = await this.#standIn.client.mergePatch(persistentVolumeClaims, at, patch, {}, signal);
    this.#claims.put(stored);
    return stored;
  }
}
