import { expect, test } from '@jest/globals';
import { Controller, TerminalError } from '../../src/runtime/controller.ts';
import { RuntimeMetrics } from '../../src/runtime/metrics.ts';
import { RecordingLogger } from '../../src/runtime/recording-logger.ts';
import { SimulatedClock } from '../../src/sandbox/simulated-clock.ts';

const lines = async (metrics: RuntimeMetrics): Promise<readonly string[]> =>
  (await metrics.registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));

test('every outcome of a controller and its queue is there at zero before anything happens', async () => {
  const metrics = new RuntimeMetrics();
  metrics.controller('plan', 4);
  metrics.queue('plan');
  metrics.leader('leader');
  expect(await lines(metrics)).toEqual(
    expect.arrayContaining([
      'controller_runtime_reconcile_total{controller="plan",result="success"} 0',
      'controller_runtime_reconcile_total{controller="plan",result="requeue_after"} 0',
      'controller_runtime_reconcile_total{controller="plan",result="error"} 0',
      'controller_runtime_reconcile_total{controller="plan",result="terminal_error"} 0',
      'controller_runtime_reconcile_errors_total{controller="plan"} 0',
      'controller_runtime_terminal_reconcile_errors_total{controller="plan"} 0',
      'controller_runtime_max_concurrent_reconciles{controller="plan"} 4',
      'controller_runtime_active_workers{controller="plan"} 0',
      'workqueue_depth{name="plan"} 0',
      'workqueue_adds_total{name="plan"} 0',
      'workqueue_retries_total{name="plan"} 0',
      'leader_election_master_status{name="leader"} 0',
    ]),
  );
});

test('what a controller does is counted', async () => {
  const metrics = new RuntimeMetrics();
  const clock = new SimulatedClock({ start: 0 });
  const results = [new Error('once'), new TerminalError('for good')];
  const controller = new Controller({
    name: 'plan',
    clock,
    logger: new RecordingLogger(),
    observer: metrics.controller('plan', 1),
    queueObserver: metrics.queue('plan'),
    reconcile: () => {
      const failure = results.shift();
      return failure === undefined ? Promise.resolve({}) : Promise.reject(failure);
    },
  });
  const abort = new AbortController();
  const over = controller.run(abort.signal);
  controller.enqueue('a');
  await clock.advance(1000);
  controller.enqueue('a');
  await clock.advance(1000);
  abort.abort();
  await over;
  expect(await lines(metrics)).toEqual(
    expect.arrayContaining([
      'controller_runtime_reconcile_total{controller="plan",result="success"} 1',
      'controller_runtime_reconcile_total{controller="plan",result="error"} 1',
      'controller_runtime_reconcile_total{controller="plan",result="terminal_error"} 1',
      'controller_runtime_reconcile_errors_total{controller="plan"} 2',
      'controller_runtime_reconcile_time_seconds_count{controller="plan"} 3',
      'workqueue_adds_total{name="plan"} 3',
      'workqueue_retries_total{name="plan"} 1',
      'workqueue_work_duration_seconds_count{name="plan"} 3',
    ]),
  );
});

test('requests are counted by answer, and those without one, too', async () => {
  const metrics = new RuntimeMetrics();
  const observe = metrics.requests('api.example:6443');
  observe({ verb: 'get', resource: 'plans', method: 'GET', status: 200, durationMs: 5 });
  observe({ verb: 'get', resource: 'plans', method: 'GET', status: 0, durationMs: 5 });
  expect(await lines(metrics)).toEqual(
    expect.arrayContaining([
      'rest_client_requests_total{code="200",method="GET",host="api.example:6443"} 1',
      'rest_client_requests_total{code="<error>",method="GET",host="api.example:6443"} 1',
      'rest_client_request_duration_seconds_count{verb="GET",host="api.example:6443"} 2',
    ]),
  );
});

test('two in one process do not meet', async () => {
  const [one, two] = [new RuntimeMetrics(), new RuntimeMetrics()];
  one.leader('x').leading(true);
  two.leader('x');
  expect(await lines(one)).toContain('leader_election_master_status{name="x"} 1');
  expect(await lines(two)).toContain('leader_election_master_status{name="x"} 0');
});
