import { SourceError } from '../../model/fault.ts';
import type { VmHandle } from '../../model/source-data.ts';
import type { MoRef } from './soap/values.ts';
import { rfc3339, type Clock } from '../../runtime/clock.ts';
import type { VmModel } from '../../model/vm.ts';
import type { Collector } from './collector.ts';
import type { ManagedObject } from './managed-object.ts';
import { identityOf, vmModelOf } from './model/vm-model.ts';
import { keepGuest, ObjectTree } from './object-tree.ts';
import { inventoryProperties, tpmSince, vmPaths } from './properties.ts';
import { retrieve } from './retrieve.ts';
import type { VimSession } from './session.ts';
import { compareVersions } from './soap/api-version.ts';
import { referencesOf } from './vm-context.ts';

/** The only endpoint there is: going to an ESXi host directly (Forklift's Host) is not done yet. */
export const providerEndpoint = 'provider';

export function vmRef(vm: VmHandle): MoRef {
  return { type: 'VirtualMachine', value: vm.vmId };
}

/**
 * Properties of one VM, read now. The handle's identity is compared each time: an id that means another VM (the provider's URL was
 * changed to another vCenter) is told as gone, before anything is done to a stranger. Throws SourceError.
 */
export async function readVm(
  session: VimSession,
  instance: string,
  vm: VmHandle,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<ManagedObject> {
  if (vm.endpoint !== providerEndpoint) {
    throw new SourceError({
      code: 'EndpointUnsupported',
      kind: 'unsupported',
      message: `VM ${vm.vmId} is to be reached through host ${vm.endpoint}, which is not supported yet; only the provider itself is.`,
    });
  }
  const wanted = [...new Set(['config.instanceUuid', 'config.uuid', ...paths])];
  const spec = {
    propSet: [{ type: 'VirtualMachine', paths: wanted }],
    objectSet: [{ obj: vmRef(vm) }],
  };
  const [found] = await retrieve(session, spec, signal);
  if (found === undefined) throw gone(vm, 'vCenter does not know it');
  const identity = identityOf(found, instance);
  if (identity !== vm.identity) throw gone(vm, `this id now means the VM ${identity}`);
  return found;
}

function gone(vm: VmHandle, why: string): SourceError {
  return new SourceError({
    code: 'VmGone',
    kind: 'gone',
    message: `VM ${vm.vmId} (${vm.identity}) is not at this vCenter: ${why}.`,
  });
}

export interface FreshModelInput {
  readonly session: VimSession;
  readonly collector: Collector;
  readonly clock: Clock;
  readonly instance: string;
}

/** The VM as it is now. What surrounds it (names of datastores, networks, folders) is taken from the collector where it knows. */
export async function readFreshModel(
  { session, collector, clock, instance }: FreshModelInput,
  vm: VmHandle,
  signal: AbortSignal,
): Promise<VmModel> {
  const tpm = compareVersions(session.content.about.apiVersion, tpmSince) >= 0;
  const read = await readVm(session, instance, vm, vmPaths(tpm), signal);
  const fresh = keepGuest(collector.find(vm.vmId), read, rfc3339(clock.now()));
  const tree = new ObjectTree();
  let wanted = referencesOf(fresh);
  // Folders above folders: one more round for each level that the collector does not know.
  for (let round = 0; round < 32 && wanted.length > 0; round += 1) {
    const known = wanted.map((ref) => collector.find(ref.value)).filter((object) => object !== undefined);
    const knownIds = new Set(known.map((object) => object.ref.value));
    const missing = wanted.filter((ref) => !knownIds.has(ref.value));
    const objects = [...known, ...(await readObjects(session, missing, signal))];
    for (const object of objects) tree.put(object);
    wanted = objects
      .filter((object) => isInPath(object.ref))
      .flatMap((object) => referencesOf(object).filter((ref) => isInPath(ref)))
      .filter((ref) => tree.find(ref.value) === undefined);
  }
  return vmModelOf(fresh, tree.context(instance));
}

/** Objects that may not be seen are left out: their names are then missing from the model, and mapping by id still works. */
async function readObjects(
  session: VimSession,
  refs: readonly MoRef[],
  signal: AbortSignal,
): Promise<readonly ManagedObject[]> {
  const types = new Set(refs.map((ref) => ref.type));
  const propSet = inventoryProperties(true).filter(({ type }) => types.has(type));
  const objectSet = refs
    .filter((ref) => propSet.some(({ type }) => type === ref.type))
    .map((obj) => ({ obj }));
  return objectSet.length === 0 ? [] : retrieve(session, { propSet, objectSet }, signal);
}

function isInPath(ref: MoRef): boolean {
  return ref.type === 'Folder' || ref.type === 'Datacenter';
}
