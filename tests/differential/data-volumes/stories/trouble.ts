import { dataVolumes, persistentVolumeClaims, pods, resourceQuotas } from '../../../../src/api/kinds.ts';
import type { ResourceKind } from '../../../../src/api/meta.ts';
import { cdiBindImmediateAnnotation } from '../../../../src/api/labels.ts';
import { phaseOf } from '../account.ts';
import { makeQuota, untilOverQuota } from '../../../support/quota.ts';
import type { Stage } from '../stage.ts';
import { mebibyte } from '../source-vm.ts';
import { disk, first, storage, type Story } from '../story.ts';

function conditionOf({ status }: Parameters<Parameters<Stage['until']>[1]>[0], type: string) {
  return status?.conditions?.find((one) => one.type === type);
}

async function untilCopying(stage: Stage): Promise<void> {
  await stage.until('it copies', (volume) => phaseOf(volume) === 'ImportInProgress');
  await stage.world.until('the importer reads', () =>
    Promise.resolve(stage.world.trace.entries.some(({ what }) => what === 'open disk') ? true : undefined),
  );
}

async function runningPod(stage: Stage): Promise<string> {
  return stage.world.until('an importer runs', async () => {
    const { items } = await stage.client.list(pods, { namespace: stage.namespace });
    return items.find(({ status }) => status?.phase === 'Running')?.metadata.name;
  });
}

/** Imports that meet something in their way. */
export const troubleStories: readonly Story[] = [
  {
    name: 'an importer that cannot log in, until its Secret is mended',
    copy: { secondsPerDisk: 1 },
    async run(stage) {
      const s1 = stage.source.snapshot('S1');
      await stage.giveAccess('wrong');
      await stage.create({ storage: storage('Block'), checkpoints: [first(s1)], finalCheckpoint: true });
      await stage.until('it was restarted twice', ({ status }) => (status?.restartCount ?? 0) >= 2);
      await stage.until('its end is told', (volume) => conditionOf(volume, 'Running')?.reason === 'Error');
      await stage.tell('it crashes again and again');
      await stage.giveAccess();
      await stage.until('it has succeeded', (volume) => phaseOf(volume) === 'Succeeded');
      const volume = await stage.volume();
      stage.say('restarts are counted', (volume?.status?.restartCount ?? 0) >= 2);
    },
  },
  {
    name: 'a class that waits for a consumer',
    copy: { secondsPerDisk: 1 },
    async run(stage) {
      stage.source.vm.powerOff();
      stage.source.snapshot('S1');
      const storageClassName = await stage.classThatWaits();
      await stage.giveAccess();
      await stage.create({ storage: storage('Filesystem', '8Mi', storageClassName) });
      await stage.until('it waits', (volume) => phaseOf(volume) === 'WaitForFirstConsumer');
      await stage.world.letPass(5);
      await stage.tell('it waits still');
    },
  },
  {
    name: 'a class that waits for a consumer, and a DataVolume that does not',
    copy: { secondsPerDisk: 1 },
    async run(stage) {
      stage.source.vm.powerOff();
      stage.source.snapshot('S1');
      const storageClassName = await stage.classThatWaits();
      await stage.giveAccess();
      await stage.create(
        { storage: storage('Filesystem', '8Mi', storageClassName) },
        { [cdiBindImmediateAnnotation]: '' },
      );
      await stage.succeeded();
    },
  },
  {
    name: 'a claim over the quota, until that is raised',
    copy: { secondsPerDisk: 1 },
    async run(stage) {
      stage.source.vm.powerOff();
      stage.source.snapshot('S1');
      const { namespace } = stage;
      await makeQuota(stage, namespace, { 'requests.storage': '1Mi' });
      await untilOverQuota(stage.world, persistentVolumeClaims, {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'wanted', namespace },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '2Mi' } } },
      });
      await stage.giveAccess();
      await stage.create({});
      await stage.reach(
        'it is refused',
        (volume) => conditionOf(volume, 'Bound')?.reason === 'ErrExceededQuota',
      );
      await stage.client.mergePatch(
        resourceQuotas,
        { namespace, name: 'small' },
        { spec: { hard: { 'requests.storage': '1Gi' } } },
      );
      await stage.succeeded();
    },
  },
  {
    name: 'a Secret that comes late',
    copy: { secondsPerDisk: 1 },
    async run(stage) {
      stage.source.vm.powerOff();
      stage.source.snapshot('S1');
      await stage.create({});
      await stage.reach(
        'it waits',
        (volume) => conditionOf(volume, 'Running')?.reason === 'CreateContainerConfigError',
      );
      await stage.giveAccess();
      await stage.succeeded();
    },
  },
  {
    name: 'a DataVolume that is deleted in the middle of the copy',
    copy: { secondsPerDisk: 60 },
    async run(stage) {
      stage.source.vm.powerOff();
      await stage.giveAccess();
      await stage.create({});
      await untilCopying(stage);
      await stage.client.delete(dataVolumes, { namespace: stage.namespace, name: disk });
      await stage.world.until('all of it is gone', async () => {
        const lists = await Promise.all(
          ([dataVolumes, persistentVolumeClaims, pods] as readonly ResourceKind[]).map((kind) =>
            stage.client.list(kind, { namespace: stage.namespace }),
          ),
        );
        return lists.every(({ items }) => items.length === 0) ? true : undefined;
      });
    },
  },
  {
    name: 'a pod that is deleted in the middle of a stage',
    copy: { secondsPerDisk: 8 },
    async run(stage) {
      const s1 = stage.source.snapshot('S1');
      await stage.giveAccess();
      await stage.create({ storage: storage('Block'), checkpoints: [first(s1)] });
      await untilCopying(stage);
      const name = await runningPod(stage);
      await stage.client.delete(pods, { namespace: stage.namespace, name });
      await stage.copied('the first is copied', s1);
    },
  },
  {
    name: 'a pod that is deleted in the middle of the copy to a file system, which then is too small for ever',
    copy: { bytesPerSecond: mebibyte },
    async run(stage) {
      stage.source.vm.powerOff();
      stage.source.fill();
      await stage.giveAccess();
      await stage.create({});
      await stage.until(
        'a quarter is copied',
        ({ status }) => Number.parseFloat(status?.progress ?? '') >= 25,
      );
      await stage.client.delete(pods, { namespace: stage.namespace, name: await runningPod(stage) });
      await stage.until('there is no room', (volume) =>
        (conditionOf(volume, 'Running')?.message ?? '').includes('too small'),
      );
      await stage.until('it tries again', ({ status }) => (status?.restartCount ?? 0) >= 2);
      await stage.until('it fails again', (volume) => conditionOf(volume, 'Running')?.reason === 'Error');
      const { message } = conditionOf((await stage.volume())!, 'Running') ?? {};
      stage.say('in the end', message);
    },
  },
];
