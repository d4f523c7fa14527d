import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SystemClock } from '../../../src/runtime/clock.ts';
import { isOnTestbed } from '../../support/needs.ts';
import { differencesBetween, judge, lastingDifferences, type Difference } from '../differences.ts';
import { knownDifferences } from '../known-differences.ts';
import { readGoldens, recordVariable, writeGoldens, type Goldens } from './goldens.ts';
import { normalised } from './normalise.ts';
import { openReal } from './real-doors.ts';
import { openSandbox } from './sandbox-door.ts';
import { storyFiles } from './stories/all.ts';
import type { Answer, Story } from './story.ts';
import { tell, type Doors } from './tell.ts';

const suite = 'api';
const isRecording = isOnTestbed && process.env[recordVariable] === '1';
/** The garbage collector and the namespace controller of a real cluster on a busy machine have been seen to take more than a minute. */
const patienceMs = isOnTestbed ? 180_000 : 10_000;

const clock = new SystemClock();
let opened: AsyncDisposable & { readonly doors: Doors };

beforeAll(async () => {
  opened = isOnTestbed ? await openReal() : await openSandbox();
});
afterAll(async () => {
  await opened[Symbol.asyncDispose]();
});

async function answersTo(story: Story): Promise<readonly Answer[]> {
  const id = randomBytes(4).toString('hex');
  return normalised(await tell(opened.doors, story, { id, clock, patienceMs }));
}

/** By the names of the steps, so that a step more or less is one difference and does not move all that follow. */
function compared(
  name: string,
  real: readonly Answer[] = [],
  here: readonly Answer[],
): readonly Difference[] {
  const places = [...new Set([...real, ...here].map(({ does }) => does))];
  return places.flatMap((does) => {
    const [golden, answer] = [real, here].map((answers) => {
      const { does: _, ...rest } = answers.find((one) => one.does === does) ?? { does };
      return rest;
    });
    return differencesBetween(golden, answer, `${suite} > ${name} > ${does} > `).map((difference) => ({
      ...difference,
      where: difference.where.replace(' > .', ' > '),
    }));
  });
}

describe.each(Object.entries(storyFiles))(
  'a server asked for %s answers as kube-apiserver does',
  (file, stories) => {
    const differences = new Map<string, readonly Difference[]>();
    const recorded: Record<string, readonly Answer[]> = {};
    let goldens: Goldens = {};

    beforeAll(async () => {
      goldens = await readGoldens(file);
    });

    test.each(stories.map((story) => [story.name, story] as const))(
      '%s',
      async (name, story) => {
        if (isRecording) {
          recorded[name] = await answersTo(story);
          return;
        }
        const compare = async () => compared(name, goldens[name], await answersTo(story));
        const found = await (isOnTestbed ? lastingDifferences(compare) : compare());
        differences.set(name, found);
        expect(isOnTestbed ? found : judge(found, knownDifferences, suite).unexplained).toEqual([]);
      },
      // Each of two tellings may wait in vain once.
      2 * 2 * patienceMs,
    );

    afterAll(async () => {
      if (isRecording && Object.keys(recorded).length === stories.length) await writeGoldens(file, recorded);
      if (isOnTestbed || differences.size < stories.length) return;
      const found = [...differences.values()].flat();
      // With only these stories nothing can be said of the entries that are about others.
      const ours = knownDifferences.filter(({ where }) =>
        stories.some(({ name }) => where.includes(` > ${name} > `)),
      );
      expect(judge(found, ours, suite).healed).toEqual([]);
    });
  },
);

test('every step of a story has a name of its own, and every known difference a story', () => {
  const all = Object.values(storyFiles).flat();
  for (const { name, steps } of all) {
    const names = steps
      .flatMap((step) =>
        'watch' in step
          ? [step, ...(step.during ?? []).filter(({ quiet }) => quiet !== true)]
          : step.quiet === true
            ? []
            : [step],
      )
      .map(({ does }) => does);
    expect({ name, twice: names.filter((does, index) => names.indexOf(does) !== index) }).toEqual({
      name,
      twice: [],
    });
  }
  const stories = new Set(all.map(({ name }) => name));
  expect(stories.size).toBe(all.length);
  const strangers = knownDifferences
    .map(({ where }) => where.split(' > '))
    .filter(([first, story = '']) => first === suite && !stories.has(story));
  expect(strangers).toEqual([]);
});
