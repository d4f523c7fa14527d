import { first, storage, volumeModes, type Story } from '../story.ts';

/** Imports in stages. */
export const warmStories: readonly Story[] = [
  ...volumeModes.flatMap((mode): readonly Story[] => [
    {
      name: `two checkpoints to a ${mode} volume, by the snapshot before`,
      copy: { secondsPerDisk: 1 },
      async run(stage) {
        const { source } = stage;
        const s1 = source.snapshot('S1');
        await stage.giveAccess();
        await stage.create({ storage: storage(mode), checkpoints: [first(s1)] });
        await stage.copied('the first is copied', s1);
        source.change(20);
        const s2 = source.snapshot('S2');
        await stage.setCheckpoints([first(s1), { previous: s1, current: s2 }], true);
        await stage.succeeded();
      },
    },
    {
      name: `four checkpoints to a ${mode} volume, by changeIds, one of them without a change`,
      copy: { secondsPerDisk: 1 },
      async run(stage) {
        const { source } = stage;
        const s1 = source.snapshot('S1');
        const c1 = await source.changeId(s1);
        await stage.giveAccess();
        await stage.create({ storage: storage(mode), checkpoints: [first(s1)] });
        await stage.copied('the first is copied', s1);
        source.change(20);
        const s2 = source.snapshot('S2');
        const c2 = await source.changeId(s2);
        const two = [first(s1), { previous: c1, current: s2 }];
        await stage.setCheckpoints(two);
        await stage.copied('the second is copied', s2);
        const s3 = source.snapshot('S3');
        const c3 = await source.changeId(s3);
        const three = [...two, { previous: c2, current: s3 }];
        await stage.setCheckpoints(three);
        await stage.copied('the third is copied', s3);
        source.change(70);
        const s4 = source.snapshot('S4');
        await stage.setCheckpoints([...three, { previous: c3, current: s4 }], true);
        await stage.succeeded();
      },
    },
  ]),
  {
    name: 'two checkpoints that are there from the start',
    copy: { secondsPerDisk: 1 },
    async run(stage) {
      const s1 = stage.source.snapshot('S1');
      stage.source.change(20);
      const s2 = stage.source.snapshot('S2');
      await stage.giveAccess();
      const checkpoints = [first(s1), { previous: s1, current: s2 }];
      await stage.create({ checkpoints, finalCheckpoint: true });
      await stage.succeeded();
    },
  },
  {
    name: 'a final mark that comes too late, and a further checkpoint that mends it',
    copy: { secondsPerDisk: 1 },
    async run(stage) {
      const { source } = stage;
      const s1 = source.snapshot('S1');
      await stage.giveAccess();
      await stage.create({ checkpoints: [first(s1)] });
      await stage.copied('the first is copied', s1);
      await stage.setCheckpoints([first(s1)], true);
      await stage.world.letPass(10);
      await stage.tell('the final mark has come');
      source.change(20);
      const s2 = source.snapshot('S2');
      await stage.setCheckpoints([first(s1), { previous: s1, current: s2 }], true);
      await stage.succeeded();
    },
  },
  {
    name: 'a checkpoint that is given twice',
    copy: { secondsPerDisk: 1 },
    async run(stage) {
      const s1 = stage.source.snapshot('S1');
      await stage.giveAccess();
      await stage.create({ checkpoints: [first(s1)] });
      await stage.copied('the first is copied', s1);
      await stage.setCheckpoints([first(s1), { previous: s1, current: s1 }], true);
      await stage.world.letPass(10);
      await stage.tell('it was given again');
    },
  },
];
