import type { ObjectMeta, OwnerReference } from '../../api/meta.ts';
import type { FieldError } from './field-error.ts';
import { forbiddenField, invalidValue, required } from './field-error.ts';
import type { Json, JsonObject } from './json.ts';
import { isObject } from './json.ts';

/** What every kind's metadata must look like (fact: apimachinery pkg/api/validation, texts of v0.36). */

export type NameRule = 'subdomain' | 'label';

const labelFormat = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomainFormat = `${labelFormat}(\\.${labelFormat})*`;
const qualifiedFormat = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const valueFormat = `(${qualifiedFormat})?`;
const isLabel = new RegExp(`^${labelFormat}$`);
const isSubdomain = new RegExp(`^${subdomainFormat}$`);
const isQualified = new RegExp(`^${qualifiedFormat}$`);
const isLabelValue = new RegExp(`^${valueFormat}$`);

const subdomainText =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with " +
  `an alphanumeric character (e.g. 'example.com', regex used for validation is '${subdomainFormat}')`;
const labelText =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an " +
  `alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${labelFormat}')`;
const qualifiedText =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character " +
  `(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${qualifiedFormat}')`;
const valueText =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an " +
  `alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '${valueFormat}')`;

const knownFields = new Set([
  'name',
  'generateName',
  'namespace',
  'selfLink',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'ownerReferences',
  'finalizers',
  'managedFields',
]);

const unshown = new Set(['managedFields', 'selfLink']);

/** An empty map or list of metadata is as good as none, and none is kept. */
function isEmpty(value: Json | undefined): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/** Metadata without nulls and without what no metadata has; the names of the latter are added to `unknown`. */
export function pruneMeta(metadata: Json | undefined, unknown: string[]): JsonObject {
  if (!isObject(metadata)) return {};
  const entries = Object.entries(metadata);
  const kept = entries.filter(([name, value]) => {
    if (!knownFields.has(name)) unknown.push(`metadata.${name}`);
    // Nobody but the server may write these, and it never shows them here.
    return knownFields.has(name) && !unshown.has(name) && value !== null && !isEmpty(value);
  });
  return kept.length === entries.length ? metadata : Object.fromEntries(kept);
}

/** Of built-in kinds more is asked of finalizers: a domain, but for those that Kubernetes itself has (fact: core validation). */
const standardFinalizers = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);

export function validateMeta(
  metadata: ObjectMeta,
  { nameRule: rule, custom }: { readonly nameRule: NameRule; readonly custom: boolean },
): FieldError[] {
  const errors: FieldError[] = [];
  const { generateName = '' } = metadata;
  if (generateName !== '') {
    const masked = generateName.endsWith('-') ? `${generateName.slice(0, -1)}a` : generateName;
    for (const why of nameErrors(masked, rule)) {
      errors.push(invalidValue('metadata.generateName', generateName, why));
    }
  }
  if (metadata.name === '') errors.push(required('metadata.name', 'name or generateName is required'));
  else {
    for (const why of nameErrors(metadata.name, rule)) {
      errors.push(invalidValue('metadata.name', metadata.name, why));
    }
  }
  errors.push(...labelErrors(metadata.labels ?? {}));
  errors.push(...annotationErrors(metadata.annotations ?? {}));
  errors.push(...ownerErrors(metadata.ownerReferences ?? []));
  for (const finalizer of metadata.finalizers ?? []) {
    for (const why of qualifiedNameErrors(finalizer)) {
      errors.push(invalidValue('metadata.finalizers', finalizer, why));
    }
  }
  for (const [index, finalizer] of (custom ? [] : (metadata.finalizers ?? [])).entries()) {
    if (finalizer.includes('/') || standardFinalizers.has(finalizer)) continue;
    const why = 'name is neither a standard finalizer name nor is it fully qualified';
    errors.push(invalidValue(`metadata.finalizers[${index}]`, finalizer, why));
  }
  return errors;
}

/** An object that is being deleted gets no further finalizers: they could keep it for ever. */
export function validateMetaChange(metadata: ObjectMeta, old: ObjectMeta): FieldError[] {
  if (old.deletionTimestamp === undefined) return [];
  const before = new Set(old.finalizers);
  const added = (metadata.finalizers ?? []).filter((finalizer) => !before.has(finalizer)).sort();
  if (added.length === 0) return [];
  const shown = added.map((finalizer) => JSON.stringify(finalizer)).join(', ');
  const why = 'no new finalizers can be added if the object is being deleted, found new finalizers';
  return [forbiddenField('metadata.finalizers', `${why} []string{${shown}}`)];
}

function nameErrors(name: string, rule: NameRule): string[] {
  const [max, format, text] =
    rule === 'label' ? [63, isLabel, labelText] : ([253, isSubdomain, subdomainText] as const);
  const shape = rule === 'label' && name.includes('.') ? 'must not contain dots' : text;
  return [
    ...(name.length > max ? [`must be no more than ${max} characters`] : []),
    ...(format.test(name) ? [] : [shape]),
  ];
}

function labelErrors(labels: Readonly<Record<string, string>>): FieldError[] {
  return Object.entries(labels).flatMap(([key, value]) => [
    ...labelKeyErrors(key).map((why) => invalidValue('metadata.labels', key, why)),
    ...labelValueErrors(value).map((why) => invalidValue('metadata.labels', value, why)),
  ]);
}

export function labelKeyErrors(key: string): readonly string[] {
  return qualifiedNameErrors(key, 'label key');
}

export function labelValueErrors(value: string): readonly string[] {
  return [
    ...(value.length > 63 ? ['must be no more than 63 bytes'] : []),
    ...(isLabelValue.test(value) ? [] : [valueText]),
  ];
}

const annotationLimitBytes = 256 * 1024;

function annotationErrors(annotations: Readonly<Record<string, string>>): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(annotations)) {
    for (const why of qualifiedNameErrors(key.toLowerCase())) {
      errors.push(invalidValue('metadata.annotations', key, why));
    }
    size += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (size > annotationLimitBytes) {
    const detail = `may not be more than ${annotationLimitBytes} bytes`;
    errors.push({ type: 'FieldValueTooLong', field: 'metadata.annotations', detail });
  }
  return errors;
}

function ownerErrors(owners: NonNullable<ObjectMeta['ownerReferences']>): FieldError[] {
  const field = 'metadata.ownerReferences';
  const errors = owners
    .map(whole)
    .flatMap((owner) => [
      ...(owner.apiVersion === ''
        ? [invalidValue(`${field}.apiVersion`, owner.apiVersion, 'version must not be empty')]
        : []),
      ...(owner.kind === '' ? [invalidValue(`${field}.kind`, owner.kind, 'must not be empty')] : []),
      ...(owner.name === '' ? [invalidValue(`${field}.name`, owner.name, 'must not be empty')] : []),
      ...(owner.uid === '' ? [invalidValue(`${field}.uid`, owner.uid, 'must not be empty')] : []),
      ...(owner.kind === 'Event' && owner.apiVersion === 'v1'
        ? [invalidValue(field, owner, '/v1, Kind=Event is disallowed from being an owner')]
        : []),
    ]);
  const [first, second] = owners.filter((owner) => owner.controller === true);
  if (first !== undefined && second !== undefined) {
    const why = `Only one reference can have Controller set to true. Found "true" in references for ${first.kind}/${first.name} and ${second.kind}/${second.name}`;
    errors.push(invalidValue(field, owners, why));
  }
  return errors;
}

/** A reference with nothing left out: what it lacks is as if it were empty. */
function whole(owner: Partial<OwnerReference>): OwnerReference {
  return { apiVersion: '', kind: '', name: '', uid: '', ...owner };
}

function qualifiedNameErrors(key: string, what: 'qualified name' | 'label key' = 'qualified name'): string[] {
  const parts = key.split('/');
  const [prefix, name] = parts.length === 2 ? parts : [undefined, parts[0]];
  if (parts.length > 2 || name === undefined) {
    return [
      `a ${what === 'label key' ? 'valid label key' : what} ${qualifiedText.replace('name part ', '')} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  return [
    ...(prefix === '' ? ['prefix part must be non-empty'] : []),
    ...(prefix !== undefined && prefix !== '' && !isSubdomain.test(prefix)
      ? [`prefix part ${subdomainText}`]
      : []),
    ...(name === '' ? ['name part must be non-empty'] : []),
    ...(name.length > 63 ? ['name part must be no more than 63 bytes'] : []),
    ...(name === '' || isQualified.test(name) ? [] : [qualifiedText]),
  ];
}
