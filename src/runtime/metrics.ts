import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { LeaderObserver } from '../kube/lease.ts';
import type { RequestObservation } from '../kube/request-sender.ts';
import type { ControllerObserver, ReconcileOutcome } from './controller.ts';
import type { QueueObserver } from './queue.ts';

const outcomes: readonly ReconcileOutcome[] = ['success', 'requeue_after', 'error', 'terminal_error'];
/** From a millisecond, as far as a clock can tell them apart, to the longest back-off. */
const queueSeconds = [0.001, 0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1000];
const reconcileSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 600];
const requestSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/**
 * The measures of the machinery, under the names that controller-runtime and client-go gave them, so that dashboards made for any
 * other controller work. Owns its registry: two of them in one process do not meet.
 */
export class RuntimeMetrics {
  readonly registry = new Registry();
  readonly #reconciles = this.#counter('controller_runtime_reconcile_total', 'Reconciles by outcome', [
    'controller',
    'result',
  ]);
  readonly #reconcileErrors = this.#counter(
    'controller_runtime_reconcile_errors_total',
    'Failed reconciles',
    ['controller'],
  );
  readonly #terminalErrors = this.#counter(
    'controller_runtime_terminal_reconcile_errors_total',
    'Reconciles that failed for good',
    ['controller'],
  );
  readonly #reconcileTime = this.#histogram(
    'controller_runtime_reconcile_time_seconds',
    'Length of a reconcile',
    ['controller'],
    reconcileSeconds,
  );
  readonly #active = this.#gauge('controller_runtime_active_workers', 'Reconciles under way', ['controller']);
  readonly #maxConcurrent = this.#gauge(
    'controller_runtime_max_concurrent_reconciles',
    'Workers of a controller',
    ['controller'],
  );
  readonly #depth = this.#gauge('workqueue_depth', 'Keys ready and not handed out', ['name']);
  readonly #adds = this.#counter('workqueue_adds_total', 'Keys made ready', ['name']);
  readonly #retries = this.#counter('workqueue_retries_total', 'Keys added after a failure', ['name']);
  readonly #waited = this.#histogram(
    'workqueue_queue_duration_seconds',
    'Time from ready to handed out',
    ['name'],
    queueSeconds,
  );
  readonly #worked = this.#histogram(
    'workqueue_work_duration_seconds',
    'Time from handed out to done',
    ['name'],
    queueSeconds,
  );
  readonly #requests = this.#counter('rest_client_requests_total', 'Requests to API servers', [
    'code',
    'method',
    'host',
  ]);
  readonly #requestTime = this.#histogram(
    'rest_client_request_duration_seconds',
    'Time until a request was answered',
    ['verb', 'host'],
    requestSeconds,
  );
  readonly #leading = this.#gauge('leader_election_master_status', '1 on the leader', ['name']);
  readonly #renewalLag = this.#gauge(
    'leader_election_renewal_lag_seconds',
    'Time by which the last renewal began too late: the event loop was blocked for so long',
    ['name'],
  );

  /** Event loop lag, memory, CPU and file handles of the process, under Prometheus' common names. Starts a timer of Node's own. */
  collectProcessMetrics(): void {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Every outcome exists from the start, at zero: a rate over a counter that appears with its first error would miss that error. */
  controller(name: string, workers: number): ControllerObserver {
    for (const result of outcomes) this.#reconciles.inc({ controller: name, result }, 0);
    this.#reconcileErrors.inc({ controller: name }, 0);
    this.#terminalErrors.inc({ controller: name }, 0);
    this.#active.set({ controller: name }, 0);
    this.#maxConcurrent.set({ controller: name }, workers);
    return {
      active: (count) => this.#active.set({ controller: name }, count),
      reconciled: (outcome, seconds) => {
        this.#reconciles.inc({ controller: name, result: outcome });
        this.#reconcileTime.observe({ controller: name }, seconds);
        if (outcome === 'error' || outcome === 'terminal_error')
          this.#reconcileErrors.inc({ controller: name });
        if (outcome === 'terminal_error') this.#terminalErrors.inc({ controller: name });
      },
    };
  }

  queue(name: string): QueueObserver {
    this.#depth.set({ name }, 0);
    this.#adds.inc({ name }, 0);
    this.#retries.inc({ name }, 0);
    return {
      added: () => this.#adds.inc({ name }),
      retried: () => this.#retries.inc({ name }),
      depth: (depth) => this.#depth.set({ name }, depth),
      waited: (seconds) => this.#waited.observe({ name }, seconds),
      worked: (seconds) => this.#worked.observe({ name }, seconds),
    };
  }

  /** For the client of the API server at `host`. No answer counts as code "<error>", as client-go has it. */
  requests(host: string): (observation: RequestObservation) => void {
    return ({ method, verb, status, durationMs }) => {
      this.#requests.inc({ code: status === 0 ? '<error>' : String(status), method, host });
      this.#requestTime.observe({ verb: verb.toUpperCase(), host }, durationMs / 1000);
    };
  }

  leader(name: string): LeaderObserver {
    this.#leading.set({ name }, 0);
    return {
      leading: (isLeader) => this.#leading.set({ name }, isLeader ? 1 : 0),
      renewalLag: (seconds) => this.#renewalLag.set({ name }, seconds),
    };
  }

  #counter<L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> {
    return new Counter({ name, help, labelNames: [...labelNames], registers: [this.registry] });
  }

  #gauge<L extends string>(name: string, help: string, labelNames: readonly L[]): Gauge<L> {
    return new Gauge({ name, help, labelNames: [...labelNames], registers: [this.registry] });
  }

  #histogram<L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    buckets: readonly number[],
  ): Histogram<L> {
    return new Histogram({
      name,
      help,
      labelNames: [...labelNames],
      buckets: [...buckets],
      registers: [this.registry],
    });
  }
}
