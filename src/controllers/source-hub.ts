import type { SourceAccess } from '../migration/facts.ts';
import type { SourcePlatform, Source } from '../sources/source.ts';
import type { InventoryStore } from '../inventory/store.ts';
import type { Scrub } from '../model/scrub.ts';

/** A Provider, named so that another one of the same name is never taken for it. */
export interface ProviderRef {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** The live sessions and inventories of all Providers, kept by the provider reconciler and used by everyone else. */
export interface SourceHub {
  /**
   * The session of a Provider. Throws SourceError: kind transient while it is not connected, auth while its credentials are rejected
   * (the message says since when and what to do), gone when there is no such Provider.
   */
  source(provider: ProviderRef): Source;
  access(provider: ProviderRef): SourceAccess;
  /**
   * Logs in once more with these credentials, if they are the present ones and this was not done a moment ago. A refusal ends the session
   * as one of its own logins would. Never throws; `access` tells what came of it.
   */
  verifyLogin(provider: ProviderRef, credentials: string): Promise<void>;
  /** undefined: unknown, or never loaded. */
  inventory(providerUid: string): InventoryStore | undefined;
  /** undefined: unknown Provider or a type that no platform serves. */
  platform(providerUid: string): SourcePlatform | undefined;
  /** Takes the secrets of this Provider out of foreign text. */
  scrub(providerUid: string): Scrub;
  /** Calls back when a Provider connects, is lost, or its credentials change. */
  onChange(handler: (providerUid: string) => void): Disposable;
}
