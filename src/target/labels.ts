import { labelValue } from '../api/label-value.ts';
import {
  diskLabel,
  importLabel,
  migrationLabel,
  planLabel,
  planNameLabel,
  planNamespaceLabel,
  resourceLabel,
  vmIdLabel,
} from '../api/labels.ts';
import type { VirtualMachineImportSpec } from '../api/virtual-machine-import.ts';

/** As much of a stored import as the builders read: its names and its frozen spec. */
export interface ImportSubject {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly uid?: string };
  readonly spec: VirtualMachineImportSpec;
}

/** The UID of an import that a server has stored. Throws RangeError for one that was only built: nothing could be found again by it. */
export function importUid(subject: ImportSubject): string {
  const { uid, name } = subject.metadata;
  if (uid === undefined || uid === '')
    throw new RangeError(`the import ${name} has not been stored yet: it has no uid`);
  return uid;
}

/** Forklift's value of `resource` on all that belongs to one VM. */
const vmResource = 'vm-config';

/**
 * On every object that an import makes in a cluster: ours, by which it is found and cleaned up, and Forklift's, which stay and which its
 * clients select by (forklift-api.md 1.14). There is never an ownerReference to the import: it would cross namespaces (review.md F16).
 */
export function importLabels(subject: ImportSubject): Readonly<Record<string, string>> {
  const { run, vm } = subject.spec;
  return {
    [importLabel]: importUid(subject),
    [planLabel]: labelValue(run.plan.uid),
    [migrationLabel]: labelValue(run.migration.uid),
    [vmIdLabel]: labelValue(vm.id),
    [planNameLabel]: labelValue(run.plan.name),
    [planNamespaceLabel]: labelValue(subject.metadata.namespace ?? ''),
    [resourceLabel]: vmResource,
  };
}

/** On what serves one disk. CDI copies a DataVolume's labels to its claim and its importer pod (fact: cdi 1.4). */
export function diskLabels(subject: ImportSubject, diskKey: string): Readonly<Record<string, string>> {
  return { ...importLabels(subject), [diskLabel]: labelValue(diskKey) };
}
