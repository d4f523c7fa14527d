import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { apiServerPort, apiServerUrl, hub } from '../addresses.ts';
import { binaryPath } from '../build/locate.ts';
import type { Cluster, ClusterDeps } from './cluster.ts';
import type { DaemonSpec } from './daemon.ts';
import { serviceRange } from './keys.ts';
import { isServing } from './probe.ts';

export const etcdUrl = 'http://127.0.0.1:2379';
const etcdPeerUrl = 'http://127.0.0.1:2380';
const controllerManagerPort = 10257;

/** Those that the objects of a migration need (fact: testbed 7.1); each one more costs memory and start-up time. */
const controllers = [
  'serviceaccount-controller',
  'serviceaccount-token-controller',
  'namespace-controller',
  'garbage-collector-controller',
  'persistentvolumeclaim-protection-controller',
  'persistentvolume-protection-controller',
  'root-ca-certificate-publisher-controller',
  'job-controller',
  'resourcequota-controller',
];

/** Binds what a provisioner makes; without one, whoever stands for storage binds, and two would get in each other's way. */
const binder = 'persistentvolume-binder-controller';

/** Needs no keys, so that it starts while they are made. */
export async function etcdSpec({ folder, env }: ClusterDeps): Promise<DaemonSpec> {
  const data = join(folder, 'etcd');
  await mkdir(data, { recursive: true, mode: 0o700 });
  return {
    name: 'etcd',
    command: binaryPath('etcd', env),
    args: [
      `--data-dir=${data}`,
      '--name=testbed',
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=${etcdPeerUrl}`,
      `--initial-advertise-peer-urls=${etcdPeerUrl}`,
      `--initial-cluster=testbed=${etcdPeerUrl}`,
      // What it keeps need not outlive the machine.
      '--unsafe-no-fsync',
      '--log-level=warn',
    ],
    isReady: (signal) => isServing(`${etcdUrl}/health`, '', signal),
    isRestarted: false,
    graceMs: 5000,
  };
}

export function apiServerSpec(cluster: Cluster): DaemonSpec {
  const { keys } = cluster;
  return {
    name: 'kube-apiserver',
    command: cluster.program('kube-apiserver'),
    args: [
      `--etcd-servers=${etcdUrl}`,
      `--bind-address=${hub}`,
      `--advertise-address=${hub}`,
      `--secure-port=${apiServerPort}`,
      `--tls-cert-file=${keys.serving}`,
      `--tls-private-key-file=${keys.servingKey}`,
      `--client-ca-file=${keys.ca}`,
      `--token-auth-file=${keys.tokens}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${keys.serviceAccountPublicKey}`,
      `--service-account-signing-key-file=${keys.serviceAccountKey}`,
      `--service-cluster-ip-range=${serviceRange}`,
      '--authorization-mode=RBAC',
      '--allow-privileged=true',
      '--endpoint-reconciler-type=none',
      `--requestheader-client-ca-file=${keys.ca}`,
      '--requestheader-allowed-names=front-proxy',
      '--requestheader-username-headers=X-Remote-User',
      '--requestheader-group-headers=X-Remote-Group',
      '--requestheader-extra-headers-prefix=X-Remote-Extra-',
      `--proxy-client-cert-file=${keys.frontProxy}`,
      `--proxy-client-key-file=${keys.frontProxyKey}`,
      '--enable-aggregator-routing=true',
    ],
    // Half of its work in the first seconds is to collect garbage; twice the memory halves that.
    env: { GOGC: '200' },
    isReady: (signal) => isServing(`${apiServerUrl}/readyz`, keys.caPem, signal),
    isRestarted: false,
    // It would wait for its open watches (fact: testbed 7.1), and all that it knows is in etcd.
    graceMs: 0,
  };
}

/** `node`: whether there is a provisioner. */
export function controllerManagerSpec(cluster: Cluster, { node }: { readonly node: boolean }): DaemonSpec {
  const { keys } = cluster;
  const kubeconfig = keys.kubeconfig('kube-controller-manager');
  return {
    name: 'kube-controller-manager',
    command: cluster.program('kube-controller-manager'),
    args: [
      `--kubeconfig=${kubeconfig}`,
      `--authentication-kubeconfig=${kubeconfig}`,
      `--authorization-kubeconfig=${kubeconfig}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${controllerManagerPort}`,
      `--tls-cert-file=${keys.serving}`,
      `--tls-private-key-file=${keys.servingKey}`,
      '--leader-elect=false',
      '--use-service-account-credentials=true',
      `--service-account-private-key-file=${keys.serviceAccountKey}`,
      `--root-ca-file=${keys.ca}`,
      `--cluster-signing-cert-file=${keys.ca}`,
      `--cluster-signing-key-file=${keys.caKey}`,
      `--controllers=${[...controllers, ...(node ? [binder] : [])].join(',')}`,
    ],
    isReady: (signal) => isServing(`https://127.0.0.1:${controllerManagerPort}/healthz`, keys.caPem, signal),
    isRestarted: true,
    graceMs: 2000,
  };
}
