import type { NodePod } from './node-pod.ts';

/** What `fieldRef` may name of a pod as its node knows it. Undefined: no such field. Fact: Kubernetes API, ObjectFieldSelector. */
export function podField(
  pod: NodePod,
  path: string,
  node: { readonly name: string; readonly address: string; readonly podAddress: string },
): string | undefined {
  const { metadata, spec } = pod;
  const quoted = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (quoted !== null) return metadata[quoted[1] as 'labels' | 'annotations']?.[quoted[2] ?? ''] ?? '';
  switch (path) {
    case 'metadata.name':
      return metadata.name;
    case 'metadata.namespace':
      return metadata.namespace ?? '';
    case 'metadata.uid':
      return metadata.uid ?? '';
    case 'metadata.labels':
      return asLines(metadata.labels);
    case 'metadata.annotations':
      return asLines(metadata.annotations);
    case 'spec.nodeName':
      return node.name;
    case 'spec.serviceAccountName':
      return spec.serviceAccountName ?? '';
    case 'status.hostIP':
    case 'status.hostIPs':
      return node.address;
    case 'status.podIP':
    case 'status.podIPs':
      return node.podAddress;
    default:
      return undefined;
  }
}

/** One `key="value"` a line, sorted, as a downward API file shows a map. */
function asLines(map: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(map ?? {})
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .sort()
    .join('\n');
}
