import type { Action } from '../../migration/phase.ts';
import type { Logger } from '../../runtime/log.ts';
import { perform } from './perform.ts';
import type { RunnerDeps } from './runner-deps.ts';
import type { Session } from './session.ts';

/** One action, behind the fence, between its two boundaries. Throws what `perform` throws, and FenceClosed. */
export async function act(
  session: Session,
  action: Action,
  deps: RunnerDeps,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const { subject } = session;
  const phase = session.status.phase ?? '';
  const name = `${subject.object.spec.vm.name} ${phase} ${action.do}`;
  await deps.atBoundary({ when: 'before', what: 'act', name });
  deps.fence.check();
  log.info('act', { phase, action: action.do });
  await perform(action, subject, deps, signal);
  await deps.atBoundary({ when: 'after', what: 'act', name });
}
