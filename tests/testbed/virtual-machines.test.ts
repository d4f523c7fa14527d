import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { KubeObject, ResourceKind } from '../../src/api/meta.ts';
import type { VirtualMachine } from '../../src/api/external/kubevirt.ts';
import {
  namespaces,
  persistentVolumeClaims,
  pods,
  virtualMachineInstances,
  virtualMachines,
} from '../../src/api/kinds.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import { buildImport } from '../../src/migration/freeze/build-import.ts';
import { freezeImport } from '../../src/migration/freeze/freeze.ts';
import type { FreezeInput } from '../../src/migration/freeze/input.ts';
import { targetNames } from '../../src/migration/names.ts';
import { buildVirtualMachine } from '../../src/target/virtual-machine/virtual-machine.ts';
import { recordVariable } from '../differential/api/goldens.ts';
import {
  answersTo,
  machineNamespace,
  readAnswers,
  recordAnswers,
} from '../differential/virtual-machines/answers.ts';
import { badMachines, existingType } from '../differential/virtual-machines/bad-machines.ts';
import { freezeInputs } from '../property/freeze-inputs.ts';
import { isOnTestbed } from '../support/needs.ts';
import { sampleSubject } from '../target/freeze-sample.ts';
import { openRealCluster, whenObject, type RealCluster } from './real-cluster.ts';

const clusterInstancetypes: ResourceKind = {
  group: 'instancetype.kubevirt.io',
  version: 'v1beta1',
  kind: 'VirtualMachineClusterInstancetype',
  plural: 'virtualmachineclusterinstancetypes',
  namespaced: false,
  hasStatus: false,
};
/** The one that generated plans name: with it KubeVirt looks for conflicts between type and template. */
const smallType: KubeObject & { readonly spec: object } = {
  apiVersion: 'instancetype.kubevirt.io/v1beta1',
  kind: 'VirtualMachineClusterInstancetype',
  metadata: { name: existingType },
  spec: { cpu: { guest: 1 }, memory: { guest: '2Gi' } },
};

const generated = { runs: 700, atLeast: 300 };

/** What Gantry makes of the input, under each name that the target may get; none where it refuses to migrate. */
function targetsOf(input: FreezeInput): readonly VirtualMachine[] {
  const { spec } = freezeImport(input);
  if (spec === undefined) return [];
  const built = buildImport(spec, 'plans');
  const subject = { ...built, metadata: { ...built.metadata, uid: 'import-uid' } };
  const claims = new Map(spec.disks.map((disk) => [disk.key, disk.claimName]));
  return targetNames(spec).map((name) => buildVirtualMachine(subject, { name, claims }));
}

(isOnTestbed ? describe : describe.skip)('VirtualMachines and the real KubeVirt', () => {
  let cluster: RealCluster;
  beforeAll(async () => {
    cluster = await openRealCluster();
    const { client } = cluster;
    await createIfAbsent(namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: machineNamespace },
    });
    await createIfAbsent(clusterInstancetypes, smallType);
    async function createIfAbsent(kind: ResourceKind, object: KubeObject): Promise<void> {
      try {
        await client.create(kind, object);
      } catch (error) {
        if (!isKubeError(error, 'AlreadyExists')) throw error;
      }
    }
  });
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
  });

  test('whatever Gantry agrees to migrate, KubeVirt takes the VM, and takes its instance when it is started', async () => {
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(freezeInputs, async (input) => {
        const [first, ...others] = targetsOf(input);
        if (first === undefined) return;
        for (const vm of [first, ...others])
          await cluster.client.create(virtualMachines, vm, { dryRun: true });
        taken += 1;
        // With an instance type it is KubeVirt that puts CPU and memory into the instance.
        if (first.spec.instancetype !== undefined) return;
        const { metadata, spec } = first.spec.template;
        const { name } = first.metadata;
        const instance = {
          apiVersion: 'kubevirt.io/v1',
          kind: virtualMachineInstances.kind,
          metadata: { ...metadata, name, namespace: machineNamespace },
          spec,
        };
        await cluster.client.create(virtualMachineInstances, instance, { dryRun: true });
      }),
      { numRuns: generated.runs },
    );
    expect(taken).toBeGreaterThanOrEqual(generated.atLeast);
  }, 300_000);

  test('odd VirtualMachines are judged as they were when the answers were recorded', async () => {
    const answers = await answersTo(cluster.transport, badMachines);
    if (process.env[recordVariable] === '1') await recordAnswers(answers);
    expect(answers).toEqual(await readAnswers());
  });

  test('a VM that is to run does, one that is halted does not, and a running one can be stopped', async () => {
    const { client } = cluster;
    const subject = sampleSubject();
    const claims = new Map(subject.spec.disks.map((disk) => [disk.key, disk.claimName]));
    for (const name of claims.values()) {
      await client.create(persistentVolumeClaims, {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name, namespace: machineNamespace },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } },
      });
    }
    const at = { namespace: machineNamespace, name: 'runs' };
    await client.create(virtualMachines, buildVirtualMachine(subject, { name: at.name, claims }));
    const shows = (status: string) =>
      whenObject(client, virtualMachines, at, (vm) => vm?.status?.printableStatus === status);
    await shows('Stopped');
    expect(await client.get(virtualMachineInstances, at)).toBeUndefined();

    await client.mergePatch(virtualMachines, at, { spec: { runStrategy: 'Always' } });
    const running = await whenObject(client, virtualMachines, at, (vm) => vm?.status?.ready === true && vm);
    expect(running.status).toMatchObject({ printableStatus: 'Running', created: true });
    const { items: launchers } = await client.list(pods, {
      namespace: machineNamespace,
      labelSelector: 'kubevirt.io=virt-launcher',
    });
    const mounted = launchers.flatMap(({ spec }) =>
      (spec.volumes ?? []).flatMap((volume) => volume.persistentVolumeClaim?.claimName ?? []),
    );
    expect(mounted.toSorted()).toEqual([...claims.values()].toSorted());

    await client.mergePatch(virtualMachines, at, { spec: { runStrategy: 'Halted' } });
    await shows('Stopped');
    await whenObject(client, virtualMachineInstances, at, (instance) => instance === undefined);
    await client.delete(virtualMachines, at);
    await whenObject(client, virtualMachines, at, (vm) => vm === undefined);
  });
});
