import { vim } from './vim-schema.ts';
import type { MoRef } from './vim-value.ts';
import { type VimObject, type VimValue } from './vim-value.ts';

/** A fault as the vCenter answers it: HTTP 500, or the error of a task (fact: vs 1.6). The message is the text people see. */
export class VimFault extends Error {
  readonly fault: VimObject;

  constructor(type: string, message: string, fields: Readonly<Record<string, VimValue>> = {}) {
    super(message);
    this.name = type;
    this.fault = vim(type, fields);
  }

  /** As it stands in TaskInfo.error and in missingSet. */
  get localized(): VimObject {
    return vim('LocalizedMethodFault', { fault: this.fault, localizedMessage: this.message });
  }
}

export function invalidLogin(): VimFault {
  return new VimFault('InvalidLogin', 'Cannot complete login due to an incorrect user name or password.');
}

export function notAuthenticated(object: MoRef, privilegeId: string): VimFault {
  return new VimFault('NotAuthenticated', 'The session is not authenticated.', { object, privilegeId });
}

export function noPermission(object: MoRef, privilegeId: string): VimFault {
  return new VimFault('NoPermission', 'Permission to perform this operation was denied.', {
    object,
    privilegeId,
  });
}

export function notFound(obj: MoRef): VimFault {
  const text = `The object 'vim.${obj.type}:${obj.id}' has already been deleted or has not been completely created`;
  return new VimFault('ManagedObjectNotFound', text, { obj });
}

const powerWords: Readonly<Record<string, string>> = {
  poweredOn: 'Powered on',
  poweredOff: 'Powered off',
  suspended: 'Suspended',
};

export function invalidPowerState(requestedState: string, existingState: string): VimFault {
  const text = `The attempted operation cannot be performed in the current state (${powerWords[existingState] ?? existingState}).`;
  return new VimFault('InvalidPowerState', text, { requestedState, existingState });
}

export function taskInProgress(task: MoRef): VimFault {
  return new VimFault('TaskInProgress', 'Another task is already in progress.', { task });
}

export function toolsUnavailable(): VimFault {
  const text = 'Cannot complete operation because VMware Tools is not running in this virtual machine.';
  return new VimFault('ToolsUnavailable', text);
}

export function invalidProperty(name: string): VimFault {
  return new VimFault('InvalidProperty', '', { name });
}

export function invalidCollectorVersion(): VimFault {
  return new VimFault('InvalidCollectorVersion', '');
}

export function invalidArgument(invalidProperty: string): VimFault {
  return new VimFault('InvalidArgument', 'A specified parameter was not correct: ' + invalidProperty, {
    invalidProperty,
  });
}

const trackingTexts = {
  noTrack: 'Change tracking is not enabled or not in effect for disk',
  noEpoch: 'Change tracking started anew, so what changed before is not known for disk',
  cannotGetChanges: 'Cannot compute changes for disk',
} as const;

/** fact: vs 1.6: a changeId that cannot be used is a FileFault with one of these keys; the texts are ours. */
export function changesUnknown(file: string, why: keyof typeof trackingTexts): VimFault {
  const message = `${trackingTexts[why]} ${file}.`;
  const faultMessage = [vim('LocalizableMessage', { key: `vim.hostd.vmsvc.cbt.${why}`, message })];
  return new VimFault('FileFault', `Error caused by file ${file}`, { faultMessage, file });
}

export function noDiskSpace(file: string, datastore: string): VimFault {
  return new VimFault('NoDiskSpace', `Insufficient disk space on datastore '${datastore}'.`, {
    file,
    datastore,
  });
}

/** fact: vs 1.5: a guest that cannot be quiesced may fail the task; which of the two faults for which guest is inferred. */
export function quiesceFault(family: string): VimFault {
  const text =
    'An error occurred while quiescing the virtual machine. See the virtual machine’s event log for details.';
  return new VimFault(family === 'windows' ? 'ApplicationQuiesceFault' : 'FilesystemQuiesceFault', text);
}

export function snapshotFault(text: string): VimFault {
  return new VimFault('SnapshotFault', text);
}

export function notSupported(what: string): VimFault {
  return new VimFault('NotSupported', `The operation is not supported on the object: ${what}`);
}

export function requestCanceled(): VimFault {
  return new VimFault('RequestCanceled', 'The task was canceled by a user.');
}

/** fact: vs 1.2: a missing element and one out of order are told apart by nobody. */
export function invalidRequest(what: string): VimFault {
  return new VimFault('InvalidRequest', what);
}
