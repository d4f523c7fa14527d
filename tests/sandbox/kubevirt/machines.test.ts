import { describe, expect, test } from '@jest/globals';
import type { VirtualMachine } from '../../../src/api/external/kubevirt.ts';
import {
  dataVolumes,
  persistentVolumeClaims,
  virtualMachineInstances,
  virtualMachines,
} from '../../../src/api/kinds.ts';
import type { Cluster } from '../cdi/cluster.ts';
import { dataVolume, makeSecret, mebibyte, ns, startCluster, vddk } from '../cdi/cluster.ts';
import { machine } from './machine.ts';

const condition = ({ status }: VirtualMachine, type: string) =>
  status?.conditions?.find((one) => one.type === type);
const shows = (text: string) => (vm: VirtualMachine) => vm.status?.printableStatus === text;
const always = { spec: { runStrategy: 'Always' } } as const;
const at = (name: string) => ({ namespace: ns, name });

async function makeClaim(cluster: Cluster, storageClassName = 'standard'): Promise<void> {
  await cluster.client.create(persistentVolumeClaims, {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'disk-0', namespace: ns },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName,
      resources: { requests: { storage: '10Mi' } },
    },
  });
}

describe('a machine', () => {
  test('that is Halted never starts, and says Stopped', async () => {
    await using cluster = await startCluster();
    await makeClaim(cluster);
    await cluster.client.create(virtualMachines, machine('vm'));
    await cluster.clock.sleep(3_600_000);
    const vm = await cluster.when(virtualMachines, 'vm', shows('Stopped'));
    // As KubeVirt has it: what is not so is not said.
    expect(vm.status).not.toHaveProperty('created');
    expect(vm.status).not.toHaveProperty('ready');
    expect(condition(vm, 'Ready')).toMatchObject({ status: 'False', reason: 'VMINotExists' });
    expect(await cluster.client.get(virtualMachineInstances, at('vm'))).toBe(undefined);
  });

  test('that is switched from Halted to Always runs, by way of all phases', async () => {
    await using cluster = await startCluster();
    await makeClaim(cluster);
    const created = await cluster.client.create(virtualMachines, machine('vm'));
    await cluster.when(virtualMachines, 'vm', shows('Stopped'));
    await cluster.client.jsonPatch(virtualMachines, at('vm'), [
      { op: 'test', path: '/spec/runStrategy', value: 'Halted' },
      { op: 'replace', path: '/spec/runStrategy', value: 'Always' },
    ]);
    const vm = await cluster.when(virtualMachines, 'vm', shows('Running'));
    expect(vm.status).toMatchObject({ created: true, ready: true });
    const instance = await cluster.when(virtualMachineInstances, 'vm', () => true);
    expect(instance.metadata.ownerReferences).toMatchObject([
      { kind: 'VirtualMachine', uid: created.metadata.uid },
    ]);
    expect(instance.metadata.labels).toEqual({ app: 'vm', 'kubevirt.io/nodeName': 'sandbox' });
    expect(instance.status?.phaseTransitionTimestamps?.map(({ phase }) => phase)).toEqual([
      'Pending',
      'Scheduling',
      'Scheduled',
      'Running',
    ]);
    expect(instance.spec.domain.firmware?.uuid).toBe(created.spec.template.spec.domain.firmware?.uuid);
  });

  test('that is deleted while it runs stays until its instance is gone', async () => {
    await using cluster = await startCluster();
    await makeClaim(cluster);
    await cluster.client.create(virtualMachines, machine('vm', always));
    await cluster.when(virtualMachines, 'vm', shows('Running'));
    await cluster.client.delete(virtualMachines, at('vm'));
    await cluster.when(virtualMachines, 'vm', shows('Terminating'));
    await cluster.gone(virtualMachines, 'vm');
    expect(await cluster.client.get(virtualMachineInstances, at('vm'))).toBe(undefined);
  });

  test('that is halted stops, and its instance goes', async () => {
    await using cluster = await startCluster();
    await makeClaim(cluster);
    await cluster.client.create(virtualMachines, machine('vm', always));
    await cluster.when(virtualMachines, 'vm', shows('Running'));
    await cluster.client.mergePatch(virtualMachines, at('vm'), { spec: { runStrategy: 'Halted' } });
    await cluster.when(virtualMachines, 'vm', shows('Stopping'));
    await cluster.when(virtualMachines, 'vm', shows('Stopped'));
    await cluster.gone(virtualMachineInstances, 'vm');
  });

  test('that is deleted takes its instance along', async () => {
    await using cluster = await startCluster();
    await makeClaim(cluster);
    await cluster.client.create(virtualMachines, machine('vm', always));
    await cluster.when(virtualMachines, 'vm', shows('Running'));
    await cluster.client.delete(virtualMachines, at('vm'));
    await cluster.gone(virtualMachineInstances, 'vm');
    await cluster.gone(virtualMachines, 'vm');
  });

  test('whose instance is deleted gets another', async () => {
    await using cluster = await startCluster();
    await makeClaim(cluster);
    await cluster.client.create(virtualMachines, machine('vm', always));
    await cluster.when(virtualMachines, 'vm', shows('Running'));
    const first = await cluster.when(virtualMachineInstances, 'vm', () => true);
    await cluster.client.delete(virtualMachineInstances, at('vm'));
    await cluster.when(
      virtualMachineInstances,
      'vm',
      ({ metadata, status }) => metadata.uid !== first.metadata.uid && status?.phase === 'Running',
    );
  });

  test('without memory is accepted and fails at its start, until it has some', async () => {
    await using cluster = await startCluster();
    await makeClaim(cluster);
    await cluster.when(persistentVolumeClaims, 'disk-0', ({ status }) => status?.phase === 'Bound');
    const { memory: _left, ...domain } = machine('vm').spec.template.spec.domain;
    const bare = machine('vm', { ...always, template: { domain } });
    await cluster.client.create(virtualMachines, bare);
    const failed = await cluster.when(
      virtualMachines,
      'vm',
      (vm) => condition(vm, 'Failure')?.status === 'True',
    );
    expect(condition(failed, 'Failure')).toMatchObject({
      reason: 'FailedCreate',
      message: expect.stringContaining("no memory requested, at least one of 'spec.domain.memory.guest'"),
    });
    expect(failed.status?.printableStatus).toBe('Starting');
    const spec = { template: { spec: { domain: { memory: { guest: '1Gi' } } } } };
    await cluster.client.mergePatch(virtualMachines, at('vm'), { spec });
    const vm = await cluster.when(virtualMachines, 'vm', shows('Running'));
    expect(condition(vm, 'Failure')).toBe(undefined);
  });
});

describe('a machine’s disks', () => {
  test('a claim that is missing is waited for', async () => {
    await using cluster = await startCluster();
    await cluster.client.create(virtualMachines, machine('vm', always));
    await cluster.when(virtualMachines, 'vm', shows('ErrorPvcNotFound'));
    const instance = await cluster.when(virtualMachineInstances, 'vm', () => true);
    expect(instance.status?.phase).toBe('Pending');
    await makeClaim(cluster);
    await cluster.when(virtualMachines, 'vm', shows('Running'));
  });

  test('a claim that binds for its first consumer is bound by the start alone', async () => {
    await using cluster = await startCluster();
    await makeClaim(cluster, 'local-wffc');
    await cluster.client.create(virtualMachines, machine('vm'));
    await cluster.clock.sleep(600_000);
    const waiting = await cluster.when(persistentVolumeClaims, 'disk-0', () => true);
    expect(waiting.status?.phase).toBe('Pending');
    await cluster.client.mergePatch(virtualMachines, at('vm'), { spec: { runStrategy: 'Always' } });
    await cluster.when(virtualMachines, 'vm', shows('Running'));
  });

  test('a claim whose DataVolume is not done is waited for, one that no DataVolume owns is not', async () => {
    await using cluster = await startCluster({ cdi: { secondsPerDisk: 600 } });
    await makeSecret(cluster.client);
    cluster.source.add(vddk.backingFile!, 2 * mebibyte);
    await cluster.client.create(dataVolumes, dataVolume('disk-0'));
    await cluster.when(dataVolumes, 'disk-0', ({ status }) => status?.phase === 'ImportInProgress');
    await cluster.client.create(virtualMachines, machine('vm', always));
    await cluster.when(virtualMachines, 'vm', shows('Provisioning'));
    await cluster.clock.sleep(60_000);
    const instance = await cluster.when(virtualMachineInstances, 'vm', () => true);
    expect(instance.status?.phase).toBe('Pending');
    const before = await cluster.when(dataVolumes, 'disk-0', () => true);
    expect(before.status?.phase).toBe('ImportInProgress');
    await cluster.when(virtualMachines, 'vm', shows('Running'));
    const after = await cluster.when(dataVolumes, 'disk-0', () => true);
    expect(after.status?.phase).toBe('Succeeded');
  });
});
