import type { FieldError } from './field-error.ts';
import { forbiddenField, notSupported } from './field-error.ts';
import { badRequest } from './refusal.ts';
import { refuseErrors } from './server-state.ts';

type Query = Readonly<Record<string, string>>;

/** What a list or a watch may be asked for (fact: metainternalversion validation of ListOptions). Throws Refusal 400 or 422. */
export function checkListOptions(query: Query): void {
  for (const name of ['limit', 'timeoutSeconds']) {
    const value = query[name] ?? '';
    if (value !== '' && !/^[+-]?\d+$/.test(value))
      throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  }
  const isWatch = query['watch'] === 'true' || query['watch'] === '1';
  const errors = isWatch ? watchErrors(query) : listErrors(query);
  refuseErrors({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', errors);
}

const field = 'resourceVersionMatch';

function listErrors(query: Query): readonly FieldError[] {
  const match = query[field] ?? '';
  const version = query['resourceVersion'] ?? '';
  const initial: readonly FieldError[] =
    query['sendInitialEvents'] === undefined
      ? []
      : [forbiddenField('sendInitialEvents', 'sendInitialEvents is forbidden for list')];
  if (match === '') return initial;
  return [
    ...initial,
    ...(version === ''
      ? [forbiddenField(field, `${field} is forbidden unless resourceVersion is provided`)]
      : []),
    ...((query['continue'] ?? '') === ''
      ? []
      : [forbiddenField(field, `${field} is forbidden when continue is provided`)]),
    ...(match === 'Exact' || match === 'NotOlderThan'
      ? []
      : [notSupported(field, match, ['Exact', 'NotOlderThan', ''])]),
    ...(match === 'Exact' && version === '0'
      ? [forbiddenField(field, `${field} "exact" is forbidden for resourceVersion "0"`)]
      : []),
  ];
}

function watchErrors(query: Query): readonly FieldError[] {
  const match = query[field] ?? '';
  if (query['sendInitialEvents'] !== undefined) {
    return [
      ...(match === 'NotOlderThan'
        ? []
        : [forbiddenField(field, `sendInitialEvents requires setting ${field} to NotOlderThan`)]),
      ...(match === '' || match === 'NotOlderThan' ? [] : [notSupported(field, match, ['NotOlderThan'])]),
    ];
  }
  if (match === '') return [];
  return [
    forbiddenField(field, `${field} is forbidden for watch unless sendInitialEvents is provided`),
    ...(match === 'NotOlderThan' ? [] : [notSupported(field, match, ['NotOlderThan'])]),
  ];
}
