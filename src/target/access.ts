import type { ConfigMap, Secret } from '../api/external/core.ts';
import { shortHash } from '../model/short-hash.ts';
import type { ImporterAccess } from '../model/source-data.ts';
import { importLabels, importUid, type ImportSubject } from './labels.ts';

/** Names of the Secret and the ConfigMap that the importers of one import read. */
export interface AccessNames {
  readonly secret: string;
  /** Only where importers judge the source by a CA. VDDK goes by the thumbprint that stands in the DataVolume (review.md F77). */
  readonly configMap?: string;
}

/** Deterministic, and with a hash of the import's UID in them: no other run and no other product makes an object of these names. */
export function accessNames(subject: ImportSubject): AccessNames {
  const name = `gantry-${shortHash([importUid(subject)], 12)}`;
  const secret = `${name}-access`;
  return subject.spec.strategy.path === 'vddk' ? { secret } : { secret, configMap: `${name}-trust` };
}

/**
 * The objects of those names. The Secret may be rewritten when the source's credentials change, so it is not immutable (review.md F74).
 * The ConfigMap is there whenever it has a name, even without any certificate: a pod that names an absent one never starts (fact: cdi 6).
 */
export function buildAccess(
  subject: ImportSubject,
  access: ImporterAccess,
): { readonly secret: Secret; readonly configMap?: ConfigMap } {
  const names = accessNames(subject);
  const common = { namespace: subject.spec.target.namespace, labels: importLabels(subject) };
  const secret: Secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: names.secret, ...common },
    type: 'Opaque',
    data: Object.fromEntries(Object.entries(access.secret).map(([key, value]) => [key, base64(value)])),
  };
  if (names.configMap === undefined) return { secret };
  const configMap: ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: names.configMap, ...common },
    data: trustData(access.trust),
  };
  return { secret, configMap };
}

/** The whole bundle under the key that each reader looks for: the importers take any file, nbdkit's curl only tls.crt (fact: cdi 1.1). */
function trustData(trust: ImporterAccess['trust']): Readonly<Record<string, string>> {
  const certificates = new Set(Object.values(trust).map((pem) => pem.trim()));
  certificates.delete('');
  if (certificates.size === 0) return {};
  const bundle = `${[...certificates].join('\n')}\n`;
  return { 'ca.pem': bundle, 'tls.crt': bundle };
}

function base64(value: string): string {
  return Buffer.from(value, 'utf8').toString('base64');
}
