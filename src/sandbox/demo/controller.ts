import { createControllers } from '../../controllers/controllers.ts';
import { createKubeClient } from '../../kube/rest-client.ts';
import { defaultSettings } from '../../migration/settings.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/log.ts';
import type { RuntimeMetrics } from '../../runtime/metrics.ts';
import { createSourceRegistry } from '../../sources/registry.ts';
import { seededRandom } from '../random.ts';
import type { Sandbox } from '../sandbox.ts';

export interface RunningController extends AsyncDisposable {
  /** Rejects when the controller ends by itself. */
  readonly ended: Promise<void>;
}

/** The controller as it runs in a pod, but in this process: it speaks to the API server and to the vCenter without a socket. */
export function startController(
  sandbox: Sandbox,
  options: {
    readonly clock: Clock;
    readonly seed: number;
    readonly log: Logger;
    readonly metrics: RuntimeMetrics;
    readonly version: string;
  },
): RunningController {
  const { clock, log, metrics, version } = options;
  const random = seededRandom(options.seed + 1);
  const sources = createSourceRegistry();
  const end = new AbortController();
  const { manager } = createControllers({
    client: createKubeClient(sandbox.api.transport('gantry'), { clock, random }),
    clock,
    random,
    log,
    settings: defaultSettings,
    platformOf: (type) => sources.platform(type),
    connect: (url, trust) => sandbox.vcenter.connect(url, trust),
    version,
    metrics,
  });
  const ended = manager.run(end.signal);
  ended.catch(() => undefined);
  return {
    ended,
    async [Symbol.asyncDispose]() {
      end.abort(new Error('the demo ends'));
      // Why it ended, had it ended before, was told to whoever waited for `ended`.
      await ended.catch(() => undefined);
    },
  };
}
