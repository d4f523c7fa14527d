import type { Pod } from '../../api/external/core.ts';
import { ageColumn, column, fieldAt } from './columns.ts';
import type { Column } from './served-kind.ts';
import type { StoredObject } from './stored-object.ts';

/** Columns of `kubectl get pods` (fact: kubernetes pkg/printers, as far as pods here have containers that wait, run or end). */

function statusOf(object: StoredObject): NonNullable<Pod['status']> {
  return (object as unknown as Pod).status ?? {};
}

function reason(object: StoredObject): string {
  if (object.metadata.deletionTimestamp !== undefined) return 'Terminating';
  const status = statusOf(object);
  for (const { state } of status.containerStatuses ?? []) {
    const { waiting, terminated } = state ?? {};
    if (waiting?.reason !== undefined) return waiting.reason;
    if (terminated !== undefined) return terminated.reason ?? `ExitCode:${terminated.exitCode}`;
  }
  return status.reason ?? status.phase ?? '';
}

export const podColumns: readonly Column[] = [
  column('Ready', (object) => {
    const containers = statusOf(object).containerStatuses ?? [];
    const all = (object as unknown as Pod).spec.containers.length;
    return `${containers.filter(({ ready }) => ready).length}/${all}`;
  }),
  column('Status', reason),
  column('Restarts', (object) =>
    String((statusOf(object).containerStatuses ?? []).reduce((sum, one) => sum + one.restartCount, 0)),
  ),
  ageColumn,
  column('IP', (object) => statusOf(object).podIP ?? '<none>', { wide: true }),
  column('Node', (object) => fieldAt(object, 'spec.nodeName') ?? '<none>', { wide: true }),
  column('Nominated Node', (object) => fieldAt(object, 'status.nominatedNodeName') ?? '<none>', {
    wide: true,
  }),
  column('Readiness Gates', () => '<none>', { wide: true }),
];
