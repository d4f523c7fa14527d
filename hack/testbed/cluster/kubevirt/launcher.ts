import type { VirtualMachineInstance } from '../../../../src/api/external/kubevirt.ts';
import { virtualMachineInstances } from '../../../../src/api/kinds.ts';
import type { JsonPatch, Stored } from '../../../../src/api/meta.ts';
import type { KubeClient, ObjectKey } from '../../../../src/kube/client.ts';
import { isKubeError } from '../../../../src/kube/errors.ts';
import type { ProgramImage } from '../../node/images.ts';

type Instance = Stored<VirtualMachineInstance>;

/** Milliseconds in which a guest that is told to stop has said that it did. */
const lastWordMs = 5000;

/**
 * Stands for virt-launcher and for the virt-handler beside it: a guest that runs as soon as it may, and shuts down as soon as it is told
 * to. No guest runs; what a disk is worth is another matter (guest/).
 *
 * @param client of virt-controller: an instance's status is taken from KubeVirt's own accounts alone, and of a handler's account virt-api
 *   wants to know the node (fact: kubevirt 4.4).
 */
export function launcherImage(client: KubeClient): ProgramImage {
  return {
    program: async (context, signal) => {
      const { namespace = '', ownerReferences = [] } = context.pod.metadata;
      const owner = ownerReferences.find(({ kind }) => kind === virtualMachineInstances.kind);
      if (owner === undefined) return { exitCode: 1, message: 'the pod belongs to no instance' };
      const at = { namespace, name: owner.name };
      try {
        await runGuest(client, at, owner.uid, (line) => context.print(line), signal);
      } catch (error) {
        // SIGTERM is what a guest is shut down by when its VM is stopped; after SIGKILL nothing more is said.
        const isShutDown = signal.aborted && (signal.reason as Error | undefined)?.message === 'SIGTERM';
        if (!isShutDown) throw error;
      }
      const stopped: JsonPatch = [{ op: 'add', path: '/status/phase', value: 'Succeeded' }];
      await patchStatus(client, at, owner.uid, stopped, AbortSignal.timeout(lastWordMs));
      context.print(`guest of ${at.name} has stopped`);
      return { exitCode: 0, message: '' };
    },
  };
}

/** From the instance being scheduled to its being deleted. Rejects when aborted. */
async function runGuest(
  client: KubeClient,
  at: Required<ObjectKey>,
  uid: string,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const isOver = (instance: Instance): boolean => instance.metadata.uid !== uid || isLeaving(instance);
  const instance = await whenInstance(
    client,
    at,
    (seen) => isOver(seen) || seen.status?.phase === 'Scheduled',
    signal,
  );
  if (instance === undefined || isOver(instance)) return;
  await patchStatus(client, at, uid, runningPatch(instance), signal);
  print(`guest of ${at.name} runs`);
  await whenInstance(client, at, isOver, signal);
}

function isLeaving({ metadata }: Instance): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/** What virt-handler tells of a domain that runs: its phase, and the interfaces with their addresses. */
function runningPatch({ spec }: Instance): JsonPatch {
  const interfaces = (spec.domain.devices.interfaces ?? []).map(({ name, macAddress }) => ({
    name,
    ...(macAddress !== undefined && { mac: macAddress }),
  }));
  return [
    { op: 'add', path: '/status/phase', value: 'Running' },
    { op: 'add', path: '/status/interfaces', value: interfaces },
  ];
}

/** An instance that is gone, or is another one by now, has no status to be told. */
async function patchStatus(
  client: KubeClient,
  at: ObjectKey,
  uid: string,
  patch: JsonPatch,
  signal: AbortSignal,
): Promise<void> {
  const own: JsonPatch = [{ op: 'test', path: '/metadata/uid', value: uid }, ...patch];
  try {
    await client.jsonPatch(virtualMachineInstances, at, own, {}, signal);
  } catch (error) {
    if (!isKubeError(error, 'NotFound', 'Invalid')) throw error;
  }
}

/** The instance as soon as `accepts` holds of it; undefined as soon as there is none. */
async function whenInstance(
  client: KubeClient,
  at: Required<ObjectKey>,
  accepts: (instance: Instance) => boolean,
  signal: AbortSignal,
): Promise<Instance | undefined> {
  const only = { namespace: at.namespace, fieldSelector: `metadata.name=${at.name}` };
  for (;;) {
    const { items, resourceVersion } = await client.list(virtualMachineInstances, only, signal);
    const [now] = items;
    if (now === undefined || accepts(now)) return now;
    for await (const event of client.watch(virtualMachineInstances, { ...only, resourceVersion }, signal)) {
      if (event.type === 'DELETED') return undefined;
      if (event.type !== 'BOOKMARK' && accepts(event.object)) return event.object;
    }
    signal.throwIfAborted();
  }
}
