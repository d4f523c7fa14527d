import { dataVolumes } from '../../../../src/api/kinds.ts';
import type { DataVolume } from '../../../../src/api/external/cdi.ts';
import type { Stage } from '../stage.ts';
import { dataVolume, disk, first, storage, type Story } from '../story.ts';

type Spec = Partial<DataVolume['spec']>;

async function tryCreate(stage: Stage, what: string, spec: object): Promise<void> {
  const object = dataVolume({});
  const metadata = { ...object.metadata, name: 'refused', namespace: stage.namespace };
  const wanted = { ...object, metadata, spec } as DataVolume;
  stage.say(what, await stage.refused(() => stage.client.create(dataVolumes, wanted, { dryRun: true })));
}

/** What the webhook says to bad DataVolumes, and to changes of good ones. */
export const refusalStories: readonly Story[] = [
  {
    name: 'DataVolumes that are refused',
    async run(stage) {
      const { vddk } = stage.source;
      const good: Spec = { source: { vddk }, storage: storage('Filesystem') };
      const { storage: _storage, ...withoutStorage } = good;
      const { source: _source, ...withoutSource } = good;
      await tryCreate(stage, 'a good one', good);
      await tryCreate(stage, 'no storage', withoutStorage);
      await tryCreate(stage, 'no source', withoutSource);
      await tryCreate(stage, 'no size', { ...good, storage: { accessModes: ['ReadWriteOnce'] } });
      await tryCreate(stage, 'size 0', { ...good, storage: storage('Filesystem', '0') });
      await tryCreate(stage, 'less than a MiB', { ...good, storage: storage('Filesystem', '1Ki') });
      await tryCreate(stage, 'an access mode nobody knows', {
        ...good,
        storage: { ...storage('Filesystem'), accessModes: ['ReadOnce'] },
      });
      await tryCreate(stage, 'two sources', { ...good, source: { vddk, blank: {} } });
      await tryCreate(stage, 'no thumbprint', { ...good, source: { vddk: { ...vddk, thumbprint: '' } } });
      await tryCreate(stage, 'no URL', { ...good, source: { vddk: { ...vddk, url: '' } } });
      await tryCreate(stage, 'a scheme nobody knows', {
        ...good,
        source: { vddk: { ...vddk, url: 'ftp://vcenter/sdk' } },
      });
      await tryCreate(stage, 'a blank archive', { ...good, source: { blank: {} }, contentType: 'archive' });
      await tryCreate(stage, 'a checkpoint without previous', { ...good, checkpoints: [{ current: 'S1' }] });
      await tryCreate(stage, 'the same checkpoint twice', {
        ...good,
        checkpoints: [first('S1'), first('S1')],
      });
      await tryCreate(stage, 'checkpoints of a blank disk', {
        ...good,
        source: { blank: {} },
        checkpoints: [first('S1')],
      });
    },
  },
  {
    name: 'changes of a DataVolume that are refused',
    async run(stage) {
      const at = { namespace: stage.namespace, name: disk };
      const change = async (what: string, spec: object): Promise<void> => {
        const patch = () => stage.client.mergePatch(dataVolumes, at, { spec });
        stage.say(what, await stage.refused(patch));
      };
      await stage.create({ checkpoints: [first('snapshot-a')] });
      await stage.reach('it waits for its Secret', ({ status }) =>
        (status?.conditions ?? []).some(({ reason }) => reason === 'CreateContainerConfigError'),
      );
      const checkpoints = [first('snapshot-a'), { previous: 'snapshot-a', current: 'snapshot-b' }];
      await change('one more checkpoint', { checkpoints });
      await change('one more, and final', { checkpoints, finalCheckpoint: true });
      await change('only final', { finalCheckpoint: true });
      await change('another order', { checkpoints: checkpoints.toReversed() });
      await change('a repeated checkpoint', { checkpoints: [first('snapshot-a'), first('snapshot-a')] });
      await change('no checkpoints any more', { checkpoints: [] });
      await change('no list any more', { checkpoints: null });
      await change('another size', { storage: { resources: { requests: { storage: '9Mi' } } } });
      await change('a checkpoint and another size', {
        checkpoints,
        storage: { resources: { requests: { storage: '9Mi' } } },
      });
      await change('another source', { source: { vddk: { uuid: 'other' } } });
      await change('a checkpoint and another source', { checkpoints, source: { vddk: { uuid: 'other' } } });
    },
  },
];
