import { configMaps, pods } from '../../api/kinds.ts';
import { conversionFinalizer, importLabel } from '../../api/labels.ts';
import type { Stored } from '../../api/meta.ts';
import type { VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { Action } from '../../migration/phase.ts';
import { buildConversion, conversionPort } from '../../target/conversion-pod.ts';
import type { TargetCluster } from '../target-cluster.ts';
import { claimModes } from './conversion-facts.ts';
import { createOurs } from './create-ours.ts';

/** The ConfigMap first: a pod whose volume is not there waits for nothing. */
export async function createConversionPod(
  object: Stored<VirtualMachineImport>,
  vmName: string,
  cluster: TargetCluster,
  signal: AbortSignal,
): Promise<void> {
  const modes = await claimModes(object, cluster, signal);
  const { pod, domain } = buildConversion(object, { vmName, modes });
  await createOurs(configMaps, domain, object, cluster, signal);
  cluster.pods.put(await createOurs(pods, pod, object, cluster, signal));
}

/** A converter that has ended already, or ends while it answers, has done what it was asked for. */
export async function finishConversion(
  { spec }: VirtualMachineImport,
  name: string,
  { client }: TargetCluster,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.podProxy(
      { namespace: spec.target.namespace, name },
      conversionPort,
      'shutdown',
      'POST',
      signal,
    );
  } catch (error) {
    if (!isKubeError(error, 'ServerError', 'BadRequest', 'NotFound')) throw error;
  }
}

/** Takes our finalizer off, and our label too where the pod is the user's from now on. Other finalizers stay. */
export async function releasePod(
  object: Stored<VirtualMachineImport>,
  { name, uid, forget }: Extract<Action, { do: 'releasePod' }>,
  { client, pods: cached }: TargetCluster,
  signal: AbortSignal,
): Promise<void> {
  const at = { namespace: object.spec.target.namespace, name };
  const pod = await client.get(pods, at, signal);
  if (pod === undefined || pod.metadata.uid !== uid) return;
  const { finalizers = [], resourceVersion } = pod.metadata;
  const others = finalizers.filter((one) => one !== conversionFinalizer);
  if (others.length === finalizers.length && !forget) return;
  const metadata = {
    uid,
    resourceVersion,
    finalizers: others,
    ...(forget && { labels: { [importLabel]: null } }),
  };
  try {
    const released = await client.mergePatch(pods, at, { metadata }, {}, signal);
    if (forget) cached.forget(released);
  } catch (error) {
    if (!isKubeError(error, 'NotFound')) throw error;
  }
}
