import { dirname } from 'node:path';
import { leases } from '../../../../src/api/kinds.ts';
import { programAddresses } from '../../addresses.ts';
import { inNetwork } from '../../cell/network.ts';
import type { Cluster } from '../cluster.ts';
import type { DaemonSpec } from '../daemon.ts';
import { withPrivateTmp } from '../private-tmp.ts';
import { isServing } from '../probe.ts';

export const namespace = 'kubevirt';
const port = 8443;
export const apiUrl = `https://${programAddresses['virt-api']}:${port}`;
const lease = { namespace, name: 'virt-controller' };

/** What launcher pods name as their image. */
export const launcherImageName = 'kubevirt/virt-launcher';

export function apiSpec(cluster: Cluster): DaemonSpec {
  const { keys } = cluster;
  const program = cluster.program('virt-api');
  // It makes a folder for certificates in /tmp at each start and leaves it there.
  const [command, args] = inNetwork(
    { name: 'virt-api' },
    ...withPrivateTmp([cluster.deps.folder, dirname(program)], program, [
      `--kubeconfig=${keys.kubeconfig('virt-api')}`,
      `--listen=${programAddresses['virt-api']}`,
      `--port=${port}`,
      `--tls-cert-file=${keys.serving}`,
      `--tls-key-file=${keys.servingKey}`,
      // For its calls to virt-handler, of which there is none.
      `--handler-cert-file=${keys.serving}`,
      `--handler-key-file=${keys.servingKey}`,
      '-v=1',
    ]),
  );
  return {
    name: 'virt-api',
    command,
    args,
    // A third of its start is to collect garbage, which it need not do before it has much.
    env: { GOGC: '800', GOMEMLIMIT: '256MiB' },
    isReady: (signal) => isServing(`${apiUrl}/healthz`, keys.caPem, signal),
    isRestarted: true,
    graceMs: 2000,
  };
}

export function controllerSpec(cluster: Cluster): DaemonSpec {
  const { keys } = cluster;
  const client = cluster.client('admin');
  const [command, args] = inNetwork({ name: 'virt-controller' }, cluster.program('virt-controller'), [
    `--kubeconfig=${keys.kubeconfig('virt-controller')}`,
    `--listen=${programAddresses['virt-controller']}`,
    `--port=${port}`,
    `--prom-cert-file=${keys.serving}`,
    `--prom-key-file=${keys.servingKey}`,
    `--launcher-image=${launcherImageName}:testbed`,
    '--exporter-image=kubevirt/virt-exportserver:testbed',
    '-v=1',
  ]);
  return {
    name: 'virt-controller',
    command,
    args,
    isReady: async (signal) => {
      const held = await client.get(leases, lease, signal);
      return (held?.spec?.holderIdentity ?? '') !== '';
    },
    // One that was killed leaves its lease behind, for which the next one would wait.
    beforeRestart: async (signal) => {
      await client.delete(leases, lease, {}, signal);
    },
    isRestarted: true,
    graceMs: 2000,
  };
}
