import type { Clock } from '../../runtime/clock.ts';
import type { ControllerObserver } from '../../runtime/controller.ts';
import { RuntimeMetrics } from '../../runtime/metrics.ts';

interface Span {
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
}

/** Remembers when the controller worked on which import, so that a downtime can be told apart: the controller's part and the rest. */
export class ReconcileTimes extends RuntimeMetrics {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #spans = new Map<string, Span[]>();

  constructor(clock: Pick<Clock, 'now'>) {
    super();
    this.#clock = clock;
  }

  override controller(name: string, workers: number): ControllerObserver {
    const observer = super.controller(name, workers);
    if (name !== 'import') return observer;
    return {
      active: (active) => observer.active(active),
      reconciled: (outcome, seconds, key) => {
        observer.reconciled(outcome, seconds, key);
        this.note(key, seconds * 1000);
      },
    };
  }

  /** A reconcile of `key` ("namespace/name") that has ended just now. */
  note(key: string, ms: number): void {
    const to = this.#clock.now();
    const spans = this.#spans.get(key) ?? [];
    spans.push({ from: to - ms, to });
    this.#spans.set(key, spans);
  }

  /** Milliseconds of [from, to] (since 1970) in which the import was being reconciled. */
  within(key: string, from: number, to: number): number {
    return (this.#spans.get(key) ?? []).reduce(
      (sum, span) => sum + Math.max(0, Math.min(span.to, to) - Math.max(span.from, from)),
      0,
    );
  }
}
