import { cutoverUntilAnnotation, pausedAnnotation } from '../../api/labels.ts';
import type { ConditionDraft } from '../../api/conditions.ts';
import type { Stored } from '../../api/meta.ts';
import type { Migration } from '../../api/migration.ts';
import type { Plan } from '../../api/plan.ts';
import type { Provider } from '../../api/provider.ts';
import type { ImportControl, VirtualMachineImport } from '../../api/virtual-machine-import.ts';

/** What users have said of a run: the objects that carry their words. undefined: the object is gone. */
export interface Wishes {
  /** Names that several VMs of the run bear: a cancel by such a name cancels none of them. */
  readonly ambiguousNames: ReadonlySet<string>;
  readonly plan: Stored<Plan> | undefined;
  readonly migration: Stored<Migration> | undefined;
  readonly sourceProvider: Stored<Provider> | undefined;
}

/**
 * What one import is to be told, from what users have said of the run. Pure. A cancel is never taken back, by whom ever the list in the
 * Migration is edited (review.md F21).
 */
export function wantedControl(object: VirtualMachineImport, wishes: Wishes): ImportControl {
  const before = object.spec.control ?? {};
  const cancelReason = before.cancelReason ?? reasonToCancel(object, wishes);
  const cutoverAt = cutoverOf(object.spec.vm.id, wishes.migration);
  const cutoverUntil =
    annotation(wishes.migration, cutoverUntilAnnotation) ?? annotation(wishes.plan, cutoverUntilAnnotation);
  const paused =
    annotation(wishes.plan, pausedAnnotation) === 'true' ||
    annotation(wishes.sourceProvider, pausedAnnotation) === 'true';
  return {
    ...(cutoverAt !== undefined && { cutoverAt }),
    ...(cutoverUntil !== undefined && isTime(cutoverUntil) && { cutoverUntil }),
    ...((before.cancel === true || cancelReason !== undefined) && { cancel: true }),
    ...(cancelReason !== undefined && { cancelReason }),
    ...(paused && { paused }),
    ...(wishes.plan?.spec.archived === true && { disposal: 'Discard' as const }),
  };
}

function reasonToCancel(
  { spec }: VirtualMachineImport,
  { plan, migration, ambiguousNames }: Wishes,
): string | undefined {
  if (
    migration?.metadata.uid !== spec.run.migration.uid ||
    migration.metadata.deletionTimestamp !== undefined
  ) {
    return 'Deleted';
  }
  if (plan?.spec.archived === true) return 'Archived';
  const isNamed = (migration.spec.cancel ?? []).some((reference) =>
    isSet(reference.id)
      ? reference.id === spec.vm.id
      : isSet(reference.name) && reference.name === spec.vm.name && !ambiguousNames.has(reference.name),
  );
  return isNamed ? 'UserRequested' : undefined;
}

function cutoverOf(vmId: string, migration: Migration | undefined): string | undefined {
  return migration?.spec.vmCutover?.find((entry) => entry.id === vmId)?.cutover ?? migration?.spec.cutover;
}

function annotation(
  object: { readonly metadata: { readonly annotations?: Readonly<Record<string, string>> } } | undefined,
  name: string,
): string | undefined {
  return object?.metadata.annotations?.[name];
}

function isTime(text: string): boolean {
  return !Number.isNaN(Date.parse(text));
}

function isSet(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}

/** References in the list of cancels that name no VM of the run, or more than one (then none of them is cancelled). */
export function cancelFindings(
  migration: Migration,
  vms: readonly { readonly id: string; readonly name: string }[],
): readonly ConditionDraft[] {
  const unknown: string[] = [];
  const ambiguous: string[] = [];
  for (const reference of migration.spec.cancel ?? []) {
    const matches = vms.filter((vm) =>
      isSet(reference.id) ? vm.id === reference.id : vm.name === reference.name,
    );
    const shown = reference.id ?? reference.name ?? '(empty)';
    if (matches.length === 0) unknown.push(shown);
    if (matches.length > 1) ambiguous.push(shown);
  }
  return [
    ...(unknown.length > 0
      ? [
          {
            type: 'VMNotFound',
            category: 'Warn' as const,
            reason: 'NotFound',
            message: 'VMs to cancel that are not in this run.',
            items: unknown,
          },
        ]
      : []),
    ...(ambiguous.length > 0
      ? [
          {
            type: 'VMNotUnique',
            category: 'Warn' as const,
            reason: 'Ambiguous',
            message:
              'Names to cancel that several VMs of this run bear; none of them is cancelled. Give the id.',
            items: ambiguous,
          },
        ]
      : []),
  ];
}
