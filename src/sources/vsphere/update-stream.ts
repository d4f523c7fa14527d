import { SourceError } from '../../model/fault.ts';
import { inventoryProperties, inventoryTypes, tpmSince } from './properties.ts';
import type { VimSession } from './session.ts';
import { compareVersions } from './soap/api-version.ts';
import {
  createContainerView,
  createFilter,
  createPropertyCollector,
  destroyPropertyCollector,
  destroyView,
  throughView,
  waitForUpdatesEx,
} from './soap/requests.ts';
import { asMoRef, type MoRef } from './soap/values.ts';
import type { Json } from '../../model/vm.ts';
import { updatePageOf, type UpdatePage } from './update-page.ts';

/** Below the HTTP time-out, so that an idle inventory is a quiet answer and not an error (fact: vs 1.4). */
const maxWaitSeconds = 60;
/** What a vCenter gives at most by itself (fact: vs 5.2); a page must be decoded in little time (review.md F55). */
const maxObjectUpdates = 100;

/** One filter at one server. It dies with the session that made it. */
export interface UpdateStream {
  /** Of the session. */
  readonly generation: number;
  /**
   * undefined: nothing has changed for a while. Asking again after a failure gives the same page. `patience` none: answers at once, for
   * whoever wants to know whether anybody answers at all.
   */
  next(patience: 'none' | 'usual', signal: AbortSignal): Promise<UpdatePage | undefined>;
  /** What cannot be closed in time goes with the session. */
  close(signal: AbortSignal): Promise<void>;
}

/**
 * A private collector, since waits on the shared one disturb each other, and a filter over a view of everything; the view follows what
 * comes and goes. Whole properties are asked for, not parts of them (fact: vs 1.4).
 */
export async function openUpdateStream(session: VimSession, signal: AbortSignal): Promise<UpdateStream> {
  const { content } = session;
  const tpm = compareVersions(content.about.apiVersion, tpmSince) >= 0;
  const collector = refIn(await session.call(createPropertyCollector(content.propertyCollector), signal));
  // Read after the first call: if that one had to log in again, the collector belongs to the new session.
  const generation = session.generation;
  const view = refIn(
    await session.call(createContainerView(content.viewManager, content.rootFolder, inventoryTypes), signal),
  );
  const spec = {
    propSet: inventoryProperties(tpm),
    objectSet: [{ obj: content.rootFolder, skip: false }, throughView(view)],
  };
  await session.call(createFilter(collector, spec, false), signal);
  let version = '';
  return {
    generation,
    async next(patience, abort) {
      const seconds = patience === 'none' ? 0 : maxWaitSeconds;
      const wait = waitForUpdatesEx(collector, version, { maxWaitSeconds: seconds, maxObjectUpdates });
      const page = updatePageOf(await session.call(wait, abort));
      if (page !== undefined) version = page.version;
      return page;
    },
    async close(abort) {
      if (session.generation !== generation) return;
      for (const request of [destroyPropertyCollector(collector), destroyView(view)]) {
        await session.call(request, abort).catch(() => undefined);
      }
    },
  };
}

function refIn(returnval: Json | undefined): MoRef {
  const ref = asMoRef(returnval);
  if (ref !== undefined) return ref;
  throw new SourceError({
    code: 'NoReference',
    kind: 'transient',
    message: 'The vCenter made a collector or view and did not name it. It is tried again.',
  });
}
