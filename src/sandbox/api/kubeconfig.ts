/**
 * A kubeconfig (as JSON, which is YAML too) for kubectl and for anything else that reads one. `name`: of its cluster, context and user.
 */
export function kubeconfig(
  server: {
    readonly url: string;
    readonly caPem: string;
    readonly token: string;
  },
  name = 'sandbox',
): string {
  return JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': name,
      clusters: [
        {
          name,
          cluster: {
            server: server.url,
            'certificate-authority-data': Buffer.from(server.caPem).toString('base64'),
          },
        },
      ],
      users: [{ name, user: { token: server.token } }],
      contexts: [{ name, context: { cluster: name, user: name, namespace: 'default' } }],
    },
    undefined,
    2,
  );
}
