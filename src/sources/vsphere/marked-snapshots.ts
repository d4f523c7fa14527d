import type { SourceEntry } from '../source.ts';
import { snapshotsOf } from './model/vm-model.ts';
import { retrieve } from './retrieve.ts';
import type { VimSession } from './session.ts';
import { createContainerView, destroyView, throughView } from './soap/requests.ts';
import { asMoRef } from './soap/values.ts';
import { providerEndpoint } from './vm-reads.ts';

/** Every snapshot at this server whose name starts with `prefix`, read now: a full walk, for the rare look for orphans (review.md F7). */
export async function findMarkedSnapshots(
  session: VimSession,
  prefix: string,
  signal: AbortSignal,
): Promise<readonly SourceEntry[]> {
  const { viewManager, rootFolder } = session.content;
  const view = asMoRef(
    await session.call(createContainerView(viewManager, rootFolder, ['VirtualMachine']), signal),
  );
  if (view === undefined) return [];
  try {
    const spec = {
      propSet: [{ type: 'VirtualMachine', paths: ['snapshot'] }],
      objectSet: [throughView(view)],
    };
    const vms = await retrieve(session, spec, signal);
    return vms.flatMap((vm) =>
      snapshotsOf(vm.properties)
        .filter((snapshot) => snapshot.name.startsWith(prefix))
        .map((snapshot) => ({
          key: `Snapshot/${vm.ref.value}/${snapshot.id}`,
          kind: 'Snapshot' as const,
          marker: snapshot.name,
          id: snapshot.id,
          endpoint: providerEndpoint,
        })),
    );
  } finally {
    await session.call(destroyView(view), signal).catch(() => undefined);
  }
}
