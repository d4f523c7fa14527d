import type { SecretView, Trust } from '../source.ts';

/** What a provider's Secret holds for vSphere (fact: forklift-api 2.2). */
export interface Credentials {
  readonly user: string;
  readonly password: string;
  /** PEM. `cacert` is the older name and the UI still writes it. */
  readonly ca?: string;
  readonly insecure: boolean;
  /** SHA-1, as the user gave it. */
  readonly thumbprint?: string;
}

export function credentialsOf(secret: SecretView): Credentials {
  const ca = given(secret, 'ca.crt') ?? given(secret, 'cacert');
  const thumbprint = given(secret, 'thumbprint')?.trim();
  return {
    user: secret.get('user') ?? '',
    password: secret.get('password') ?? '',
    ...(ca === undefined ? {} : { ca }),
    insecure: given(secret, 'insecureSkipVerify')?.trim().toLowerCase() === 'true',
    ...(thumbprint === undefined ? {} : { thumbprint }),
  };
}

/** As it stands there; one of nothing but space counts as absent. */
function given(secret: SecretView, key: string): string | undefined {
  const value = secret.get(key);
  return value === undefined || value.trim() === '' ? undefined : value;
}

/**
 * How our own connection is verified. An authority goes before a pin, so that a renewed certificate needs no edit; "insecure" is the
 * user's word that nothing be verified, and a pin that the UI once fetched must then not stand in the way.
 */
export function trustOf(credentials: Credentials): Trust {
  if (credentials.insecure) return { by: 'nothing' };
  if (credentials.ca !== undefined) return { by: 'ca', pem: credentials.ca };
  if (credentials.thumbprint !== undefined) return { by: 'thumbprint', sha1: credentials.thumbprint };
  return { by: 'system' };
}
