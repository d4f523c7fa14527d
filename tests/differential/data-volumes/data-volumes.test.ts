import process from 'node:process';
import { afterAll, describe, expect, test } from '@jest/globals';
import { isOnTestbed } from '../../support/needs.ts';
import { startWorld } from '../../support/start-world.ts';
import { recordVariable } from '../api/goldens.ts';
import { differencesBetween, judge, lastingDifferences, type Difference } from '../differences.ts';
import { knownDifferences } from '../known-differences.ts';
import { goldenName, goldenNames, readGolden, writeGolden } from './goldens.ts';
import { wholeAccount } from './normalise.ts';
import { Stage } from './stage.ts';
import { stories } from './stories/all.ts';
import type { Story } from './story.ts';

const suite = 'data-volumes';
const isRecording = isOnTestbed && process.env[recordVariable] === '1';

async function accountOf(story: Story): Promise<unknown> {
  const { copy } = story;
  await using world = await startWorld(copy === undefined ? {} : { copy });
  await using stage = await Stage.open(world);
  await story.run(stage);
  return wholeAccount(stage);
}

describe('a DataVolume goes the same way in the sandbox as with the real CDI', () => {
  const differences = new Map<string, readonly Difference[]>();

  test.each(stories.map((story) => [story.name, story] as const))('%s', async (name, story) => {
    if (isRecording) {
      await writeGolden(name, await accountOf(story));
      return;
    }
    const golden = await readGolden(name);
    const compare = async () => differencesBetween(golden, await accountOf(story), `${suite} > ${name}`);
    const found = await (isOnTestbed ? lastingDifferences(compare) : compare());
    differences.set(name, found);
    expect(isOnTestbed ? found : judge(found, knownDifferences, suite).unexplained).toEqual([]);
  });

  afterAll(() => {
    // With only some of the stories nothing can be said of the others.
    if (isOnTestbed || differences.size < stories.length) return;
    expect(judge([...differences.values()].flat(), knownDifferences, suite).healed).toEqual([]);
  });
});

test('nothing is recorded of stories that nobody tells any more', async () => {
  const told = stories.map(({ name }) => goldenName(name));
  expect((await goldenNames()).filter((name) => !told.includes(name))).toEqual([]);
});
