/** A kubeconfig (as JSON, which is YAML too) for kubectl and for anything else that reads one. */
export function kubeconfig(server: {
  readonly url: string;
  readonly caPem: string;
  readonly token: string;
}): string {
  const name = 'sandbox';
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
