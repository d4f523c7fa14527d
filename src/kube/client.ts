import type { JsonPatch, KubeObject, ResourceKind, Stored } from '../api/meta.ts';

/**
 * What the rest of Gantry may ask of an API server. Objects are raw JSON: no field is ever lost, times are strings. There is no PUT and
 * no server-side apply; what we change we change by a patch that tests (design: DESIGN.md 5). Every call throws KubeError (errors.ts).
 */
export interface KubeClient {
  /** The object as it is now, read from the server; undefined when there is none. */
  get<T extends KubeObject>(
    kind: ResourceKind<T>,
    at: ObjectKey,
    signal?: AbortSignal,
  ): Promise<Stored<T> | undefined>;
  /** All objects, page by page, most recent state (resourceVersion unset). */
  list<T extends KubeObject>(
    kind: ResourceKind<T>,
    options?: ListOptions,
    signal?: AbortSignal,
  ): Promise<ObjectList<T>>;
  /** Events after `resourceVersion` until the server ends the watch; a reflector is the usual caller. */
  watch<T extends KubeObject>(
    kind: ResourceKind<T>,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<T>>;
  create<T extends KubeObject>(
    kind: ResourceKind<T>,
    object: T,
    options?: CreateOptions,
    signal?: AbortSignal,
  ): Promise<Stored<T>>;
  /** RFC 7386. Lists are replaced whole; put metadata.resourceVersion into the patch to be refused (conflict) when it is stale. */
  mergePatch<T extends KubeObject>(
    kind: ResourceKind<T>,
    at: ObjectKey,
    patch: object,
    options?: PatchOptions,
    signal?: AbortSignal,
  ): Promise<Stored<T>>;
  /** RFC 6902. A failed `test` is KubeError `Invalid` (422). */
  jsonPatch<T extends KubeObject>(
    kind: ResourceKind<T>,
    at: ObjectKey,
    patch: JsonPatch,
    options?: PatchOptions,
    signal?: AbortSignal,
  ): Promise<Stored<T>>;
  /** Resolves to false when there was nothing. With `uid`, only that very object is deleted: another one is KubeError `Conflict`. */
  delete(kind: ResourceKind, at: ObjectKey, options?: DeleteOptions, signal?: AbortSignal): Promise<boolean>;
  /** GET through the API server's proxy to a port of a pod; text of the answer. */
  podProxy(
    at: ObjectKey,
    port: number,
    path: string,
    method: 'GET' | 'POST',
    signal?: AbortSignal,
  ): Promise<{ readonly status: number; readonly body: string }>;
  /** Server version, as a test of address, trust and credentials. */
  version(signal?: AbortSignal): Promise<{ readonly gitVersion: string }>;
}

export interface ObjectKey {
  /** Left out for cluster-scoped kinds. */
  readonly namespace?: string;
  readonly name: string;
}

export interface ListOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}
export interface ObjectList<T extends KubeObject> {
  readonly items: readonly Stored<T>[];
  readonly resourceVersion: string;
}
export interface WatchOptions extends ListOptions {
  readonly resourceVersion: string;
  /** Seconds after which the server is to end the watch. */
  readonly timeoutSeconds?: number;
}
export type WatchEvent<T extends KubeObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: Stored<T> }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

export interface CreateOptions {
  /** Everything is checked (schema, admission, quota) and nothing is stored. */
  readonly dryRun?: boolean;
}
export interface PatchOptions {
  readonly subresource?: 'status';
}
export interface DeleteOptions {
  readonly uid?: string;
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
  readonly gracePeriodSeconds?: number;
}
