import { isSourceError } from '../../model/fault.ts';
import type { Finding } from '../../model/source-data.ts';
import type { VimSession } from './session.ts';
import { hasPrivilegeOnEntity } from './soap/requests.ts';
import { asFlag, asList } from './soap/values.ts';

/** What a migration needs on the root folder; Forklift's list (fact: vs 1.5). */
export const neededPrivileges: readonly string[] = [
  'VirtualMachine.Interact.PowerOff',
  'VirtualMachine.Interact.PowerOn',
  'VirtualMachine.Provisioning.DiskRandomRead',
  'VirtualMachine.Provisioning.GetVmFiles',
  'VirtualMachine.State.CreateSnapshot',
  'VirtualMachine.State.RemoveSnapshot',
  'VirtualMachine.Config.ChangeTracking',
  'Datastore.Browse',
  'Datastore.FileManagement',
];

/** Only vCenter can be asked; an ESXi host has no authorization manager that answers for a session (fact: vs 1.5). */
export async function checkPrivileges(session: VimSession, signal: AbortSignal): Promise<readonly Finding[]> {
  const { authorizationManager, rootFolder, about } = session.content;
  if (authorizationManager === undefined || about.apiType !== 'VirtualCenter') return [];
  const request = hasPrivilegeOnEntity(authorizationManager, rootFolder, session.key, neededPrivileges);
  let held: readonly (boolean | undefined)[];
  try {
    held = asList(await session.call(request, signal)).map((flag) => asFlag(flag));
  } catch (error) {
    // An account may be kept from asking, and a session that was renewed in between has another key: no reason to refuse the server.
    if (!isSourceError(error) || error.kind === 'transient' || error.kind === 'auth') throw error;
    return [warning('The privileges of the account could not be checked.', [error.message])];
  }
  const missing = neededPrivileges.filter((_privilege, index) => held[index] === false);
  if (missing.length === 0) return [];
  return [warning(`The account lacks privileges on the root folder: ${missing.join(', ')}.`, missing)];
}

function warning(message: string, items: readonly string[]): Finding {
  return {
    code: 'InsufficientPrivileges',
    severity: 'Warn',
    message,
    items,
    suggestion: 'Give them to its role in vCenter, on the root folder and with propagation to children.',
  };
}
