import { configMaps, persistentVolumeClaims, persistentVolumes, secrets } from '../../../src/api/kinds.ts';
import type { KubeObject, ResourceKind } from '../../../src/api/meta.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import type { NodePod } from './node-pod.ts';
import { subresource } from './node-pod.ts';
import type { VolumeReaders } from './pod-volumes.ts';

interface TokenRequest extends KubeObject {
  readonly spec: {
    readonly audiences?: readonly string[];
    readonly expirationSeconds?: number;
    readonly boundObjectRef: {
      readonly apiVersion: 'v1';
      readonly kind: 'Pod';
      readonly name: string;
      readonly uid: string;
    };
  };
  readonly status?: { readonly token: string };
}

const serviceAccounts: ResourceKind = {
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  namespaced: true,
  hasStatus: false,
};

/** Reads what a pod refers to from the API server. */
export function volumeReaders(
  client: KubeClient,
  pod: NodePod,
  signal: AbortSignal,
): Omit<VolumeReaders, 'field'> {
  const { namespace = '' } = pod.metadata;
  return {
    claim: (name) => client.get(persistentVolumeClaims, { namespace, name }, signal),
    secret: (name) => client.get(secrets, { namespace, name }, signal),
    configMap: (name) => client.get(configMaps, { namespace, name }, signal),
    volume: async (name) => (name === '' ? undefined : client.get(persistentVolumes, { name }, signal)),
    async token({ audience, expirationSeconds }) {
      const { name: podName, uid = '' } = pod.metadata;
      const account = pod.spec.serviceAccountName ?? 'default';
      const request: TokenRequest = {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        metadata: { name: account, namespace },
        spec: {
          ...(audience !== undefined && { audiences: [audience] }),
          ...(expirationSeconds !== undefined && { expirationSeconds }),
          boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: podName, uid },
        },
      };
      const kind = subresource<TokenRequest>(serviceAccounts, account, 'token', 'TokenRequest');
      const { status } = await client.create(kind, request, {}, signal);
      return status?.token ?? '';
    },
  };
}
