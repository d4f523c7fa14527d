import type { ResourceQuota } from '../api/external/core.ts';
import type { Stored } from '../api/meta.ts';
import { parseQuantity } from '../model/quantity.ts';

/** A claim that is to be made. */
export interface ClaimDemand {
  /** Storage class; '' is the cluster's default, which no quota of a class is charged for as far as we can tell. */
  readonly class: string;
  readonly bytes: number;
}

export interface QuotaShortage {
  readonly quota: string;
  /** Resource name in the quota, such as "requests.storage". */
  readonly resource: string;
  /** The limit as the quota writes it. */
  readonly hard: string;
  /** Bytes or pieces, as the resource counts. */
  readonly free: number;
  readonly needed: number;
}

/** Every limit that the claims together would break. What is used already is the quota's own count. Pure. */
export function quotaShortages(
  quotas: readonly Stored<ResourceQuota>[],
  claims: readonly ClaimDemand[],
): readonly QuotaShortage[] {
  return quotas.flatMap((quota) =>
    Object.entries(quota.status?.hard ?? quota.spec?.hard ?? {}).flatMap(([resource, hard]) => {
      const needed = demandOf(resource, claims);
      if (needed === 0) return [];
      const free = parseQuantity(hard) - parseQuantity(quota.status?.used?.[resource] ?? '0');
      return needed > free ? [{ quota: quota.metadata.name, resource, hard, free, needed }] : [];
    }),
  );
}

const ofClass = /^(.+)\.storageclass\.storage\.k8s\.io\/(requests\.storage|persistentvolumeclaims)$/;

/** 0 for a resource that claims do not use. */
function demandOf(resource: string, claims: readonly ClaimDemand[]): number {
  if (resource === 'requests.storage') return bytesOf(claims);
  if (resource === 'persistentvolumeclaims' || resource === 'count/persistentvolumeclaims')
    return claims.length;
  const [, name, what] = ofClass.exec(resource) ?? [];
  if (name === undefined) return 0;
  const charged = claims.filter((claim) => claim.class === name);
  return what === 'requests.storage' ? bytesOf(charged) : charged.length;
}

function bytesOf(claims: readonly ClaimDemand[]): number {
  return claims.reduce((total, claim) => total + claim.bytes, 0);
}
