import type { HttpMethod } from '../../../src/kube/transport.ts';

/**
 * Requests in an order, as data. Texts in paths, queries and bodies may hold `{name}`: `{ns}` is the story's own namespace, `{other}` a
 * second one, everything else a value that an earlier step kept.
 */
export interface Story {
  /** A sentence: what this server does. */
  readonly name: string;
  readonly steps: readonly Step[];
}
export type Step = RequestStep | WatchStep;

export interface RequestStep {
  readonly does: string;
  readonly method: HttpMethod;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly accept?: string;
  readonly contentType?: string;
  readonly body?: unknown;
  /** A body that is sent as it stands, JSON or not. */
  readonly text?: string;
  /** An import is written by the controller alone; default is an administrator. */
  readonly as?: 'gantry';
  /** Values for later steps: name, and the dotted path in the answer's body. */
  readonly keep?: Readonly<Record<string, string>>;
  /** Asked again and again until it is so: what controllers do takes its time. Only the last answer counts. */
  readonly until?: { readonly status: number } | { readonly at: string; readonly is: unknown };
  /** Must succeed, and its answer is of no interest. */
  readonly quiet?: boolean;
  /** Only these parts of the body are compared: where the rest is other people's. */
  readonly parts?: readonly string[];
}

/** A watch that stands while other requests are made, then is read to its end or to the line about `last`. */
export interface WatchStep {
  readonly does: string;
  readonly watch: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly accept?: string;
  readonly during?: readonly RequestStep[];
  /** Name of the object whose line is the last to be read; absent: until the server ends the watch. */
  readonly last?: string;
}

/** What came back for one step. */
export interface Answer {
  readonly does: string;
  readonly status: number;
  /** Only those that mean something to a client. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

type More = Omit<RequestStep, 'does' | 'method' | 'path' | 'body' | 'text'> & {
  readonly namespace?: string;
  readonly sub?: string;
};

/** "plans": where a kind's collection is, from its plural; only the kinds that stories speak of. */
const roots: Readonly<Record<string, readonly [root: string, namespaced: boolean]>> = {
  ...Object.fromEntries(
    ['providers', 'hosts', 'networkmaps', 'storagemaps', 'plans', 'migrations', 'hooks'].map((plural) => [
      plural,
      ['/apis/forklift.konveyor.io/v1beta1', true],
    ]),
  ),
  virtualmachineimports: ['/apis/gantry.dev/v1alpha1', true],
  datavolumes: ['/apis/cdi.kubevirt.io/v1beta1', true],
  virtualmachines: ['/apis/kubevirt.io/v1', true],
  ...Object.fromEntries(
    ['secrets', 'configmaps', 'pods', 'persistentvolumeclaims', 'events', 'resourcequotas'].map((plural) => [
      plural,
      ['/api/v1', true],
    ]),
  ),
  namespaces: ['/api/v1', false],
  persistentvolumes: ['/api/v1', false],
  storageclasses: ['/apis/storage.k8s.io/v1', false],
  leases: ['/apis/coordination.k8s.io/v1', true],
  jobs: ['/apis/batch/v1', true],
  customresourcedefinitions: ['/apis/apiextensions.k8s.io/v1', false],
};

/** Path of a collection, or with `name` of one object. */
export function at(plural: string, name?: string, namespace = '{ns}'): string {
  const [root, namespaced] = roots[plural] ?? ['', false];
  if (root === '') throw new TypeError(`${plural}: no story speaks of them yet`);
  const collection = namespaced ? `${root}/namespaces/${namespace}/${plural}` : `${root}/${plural}`;
  return name === undefined ? collection : `${collection}/${name}`;
}

/** The collection over all namespaces. */
export function everywhere(plural: string): string {
  return `${roots[plural]?.[0] ?? ''}/${plural}`;
}

const objectPath = (plural: string, name: string, { namespace, sub }: More): string =>
  `${at(plural, name, namespace)}${sub === undefined ? '' : `/${sub}`}`;

function step(does: string, method: HttpMethod, path: string, more: More, body?: unknown): RequestStep {
  const { namespace: _, sub: __, ...rest } = more;
  return { does, method, path, ...(body !== undefined && { body }), ...rest };
}

export const create = (does: string, plural: string, body: unknown, more: More = {}): RequestStep =>
  step(does, 'POST', at(plural, undefined, more.namespace), more, body);
export const read = (does: string, plural: string, name: string, more: More = {}): RequestStep =>
  step(does, 'GET', objectPath(plural, name, more), more);
export const list = (
  does: string,
  plural: string,
  query: Readonly<Record<string, string>> = {},
  more: More = {},
): RequestStep => step(does, 'GET', at(plural, undefined, more.namespace), { ...more, query });
export const put = (
  does: string,
  plural: string,
  name: string,
  body: unknown,
  more: More = {},
): RequestStep => step(does, 'PUT', objectPath(plural, name, more), more, body);
export const merge = (
  does: string,
  plural: string,
  name: string,
  body: unknown,
  more: More = {},
): RequestStep => patched('application/merge-patch+json', does, plural, name, body, more);
export const json = (
  does: string,
  plural: string,
  name: string,
  body: unknown,
  more: More = {},
): RequestStep => patched('application/json-patch+json', does, plural, name, body, more);
export const strategic = (
  does: string,
  plural: string,
  name: string,
  body: unknown,
  more: More = {},
): RequestStep => patched('application/strategic-merge-patch+json', does, plural, name, body, more);
export const remove = (
  does: string,
  plural: string,
  name: string,
  options?: Readonly<Record<string, unknown>>,
  more: More = {},
): RequestStep => step(does, 'DELETE', objectPath(plural, name, more), more, options);
export const send = (
  does: string,
  method: HttpMethod,
  path: string,
  more: Omit<RequestStep, 'does' | 'method' | 'path'> = {},
): RequestStep => ({ does, method, path, ...more });
export const watch = (
  does: string,
  plural: string,
  query: Readonly<Record<string, string>>,
  more: Pick<WatchStep, 'accept' | 'during' | 'last'> = {},
): WatchStep => ({ does, watch: at(plural), query, ...more });

function patched(
  contentType: string,
  does: string,
  plural: string,
  name: string,
  body: unknown,
  more: More,
): RequestStep {
  return step(does, 'PATCH', objectPath(plural, name, more), { contentType, ...more }, body);
}
