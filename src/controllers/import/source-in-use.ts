import { providers as providerKind, secrets } from '../../api/kinds.ts';
import { sourceInUseFinalizer } from '../../api/labels.ts';
import type { ObjectReference, Stored } from '../../api/meta.ts';
import type { Provider } from '../../api/provider.ts';
import type { ObjectCache } from '../../kube/cache.ts';
import type { KubeClient, ObjectKey } from '../../kube/client.ts';
import { keyOf } from '../../kube/object-key.ts';
import type { Controller, ReconcileResult } from '../../runtime/controller.ts';
import { addFinalizer, removeFinalizer } from '../../runtime/finalizer.ts';
import type { ProviderRef } from '../source-hub.ts';
import type { ImportCache } from './import-cache.ts';
import { isOver } from './reconciler.ts';

export interface SourceInUseDeps {
  readonly client: KubeClient;
  readonly providers: ObjectCache<Provider>;
  readonly imports: ImportCache;
}

/**
 * Keeps a Provider and its Secret there while an import may owe something at the source: without them nobody could power it on again, and
 * an import that can never finish makes its namespace immortal (review.md F15). Held from before the first power-off until no import of
 * the Provider is left that has not ended with nothing owed.
 */
export class SourceInUse {
  readonly #deps: SourceInUseDeps;
  /** Secrets that a Provider named before it was edited, by the Provider's key. */
  readonly #former = new Map<string, ObjectKey[]>();

  constructor(deps: SourceInUseDeps) {
    this.#deps = deps;
  }

  /**
   * A barrier: returns when both carry our finalizer. Costs nothing when they do. Throws KubeError NotFound when one of them is being
   * deleted: the source is then not to be powered off.
   */
  async hold(ref: ProviderRef, signal: AbortSignal): Promise<void> {
    const { client, providers } = this.#deps;
    const provider = providers.get(ref);
    if (provider?.metadata.uid !== ref.uid || isHeld(provider)) return;
    const at = secretOf(provider);
    const secret = at === undefined ? undefined : await client.get(secrets, at, signal);
    if (secret !== undefined) await addFinalizer(client, secrets, secret, sourceInUseFinalizer, signal);
    // Last: that it is on the Provider says that it is on the Secret.
    providers.put(await addFinalizer(client, providerKind, provider, sourceInUseFinalizer, signal));
  }

  /** Lets go of the Provider of this key, if nobody needs it any more. */
  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    const { client, providers } = this.#deps;
    const provider = providers.getByKey(key);
    const isNeeded = provider !== undefined && this.#isNeeded(provider);
    for (const at of this.#former.get(key) ?? []) await this.#letGoOfSecret(at, key, signal);
    this.#former.delete(key);
    if (provider === undefined || !isHeld(provider)) return {};
    const at = secretOf(provider);
    if (isNeeded) {
      const secret = at === undefined ? undefined : await client.get(secrets, at, signal);
      if (secret !== undefined && secret.metadata.deletionTimestamp === undefined)
        await addFinalizer(client, secrets, secret, sourceInUseFinalizer, signal);
      return {};
    }
    if (at !== undefined) await this.#letGoOfSecret(at, key, signal);
    const stored = await removeFinalizer(client, providerKind, provider, sourceInUseFinalizer, signal);
    if (stored !== undefined) providers.put(stored);
    return {};
  }

  /** Looks again when an import is over or gone, and when a Provider that is held is changed. */
  wake(controller: Controller): void {
    const { imports, providers } = this.#deps;
    imports.onChange((before, after) => {
      if (before === undefined || (after !== undefined && !isOver(after))) return;
      const { namespace, name } = before.spec.source.provider;
      controller.enqueue(`${namespace}/${name}`);
    });
    providers.onChange((before, after) => {
      const provider = after ?? before;
      if (provider === undefined || !isHeld(provider)) return;
      const key = keyOf(provider);
      const old = before === undefined ? undefined : secretOf(before);
      const isAnother = old !== undefined && (after === undefined || !isSame(secretOf(after), old));
      if (isAnother) this.#former.set(key, [...(this.#former.get(key) ?? []), old]);
      // Its status is written often, and says nothing of this.
      const isEdited = before?.metadata.generation !== after?.metadata.generation;
      if (isAnother || isEdited || before === undefined) controller.enqueue(key);
    });
  }

  #isNeeded({ metadata }: Stored<Provider>): boolean {
    return this.#deps.imports.byIndex('provider', metadata.uid).some((object) => !isOver(object));
  }

  /** A Secret may serve several Providers. */
  async #letGoOfSecret(at: ObjectKey, key: string, signal: AbortSignal): Promise<void> {
    const { client, providers } = this.#deps;
    const isShared = providers
      .list()
      .some(
        (other) =>
          isSame(secretOf(other), at) && isHeld(other) && (keyOf(other) !== key || this.#isNeeded(other)),
      );
    if (isShared) return;
    const secret = await client.get(secrets, at, signal);
    if (secret !== undefined) await removeFinalizer(client, secrets, secret, sourceInUseFinalizer, signal);
  }
}

function isHeld({ metadata }: Provider): boolean {
  return metadata.finalizers?.includes(sourceInUseFinalizer) === true;
}

function secretOf({ metadata, spec }: Provider): ObjectKey | undefined {
  const { name = '', namespace = metadata.namespace }: Partial<ObjectReference> = spec.secret;
  return name === '' || namespace === undefined ? undefined : { namespace, name };
}

function isSame(one: ObjectKey | undefined, other: ObjectKey): boolean {
  return one?.name === other.name && one.namespace === other.namespace;
}
