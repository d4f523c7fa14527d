import { first, storage, volumeModes, type Story } from '../story.ts';

/** Imports in one go. */
export const coldStories: readonly Story[] = volumeModes.flatMap((mode): readonly Story[] => [
  {
    name: `a blank ${mode} volume`,
    async run(stage) {
      await stage.create({ source: { blank: {} }, storage: storage(mode) });
      await stage.succeeded();
    },
  },
  {
    name: `a disk copied to a ${mode} volume`,
    copy: { secondsPerDisk: 1 },
    async run(stage) {
      stage.source.vm.powerOff();
      stage.source.snapshot('S1');
      await stage.giveAccess();
      await stage.create({ storage: storage(mode) });
      await stage.succeeded();
    },
  },
  {
    name: `one final checkpoint to a ${mode} volume`,
    copy: { secondsPerDisk: 1 },
    async run(stage) {
      const s1 = stage.source.snapshot('S1');
      await stage.giveAccess();
      await stage.create({ storage: storage(mode), checkpoints: [first(s1)], finalCheckpoint: true });
      await stage.succeeded();
    },
  },
]);
