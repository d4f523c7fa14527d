import { describe, expect, test } from '@jest/globals';
import { productOf } from '../../hack/testbed/build/products.ts';
import { approximately, doneLine, openingLine, runningLine } from '../../hack/testbed/build/progress.ts';
import { Reporter } from '../../hack/testbed/build/reporter.ts';
import { SimulatedClock } from '../../src/sandbox/simulated-clock.ts';

const build = [productOf('kube-apiserver'), productOf('kubectl')];

describe('a line of progress', () => {
  test('at the beginning: how many, and how long with and without what Go has kept', () => {
    expect(openingLine(build)).toBe(
      '2 to build: about 4 min where nothing is compiled yet, a few seconds where all is',
    );
    expect(openingLine([productOf('libvddk-test-plugin.so')])).toBe('1 to build: a few seconds');
  });

  test('at work: which, for how long, how much, how long still', () => {
    expect(runningLine({ build, done: [], elapsed: 64, compiled: 212 })).toBe(
      '[1/2] kube-apiserver  1 min 04 s, 212 compiled; about 3 min left',
    );
    expect(runningLine({ build, done: [217], elapsed: 0, compiled: 0 })).toBe(
      '[2/2] kubectl  0 s; about 20 s left',
    );
  });

  test('when one is built, and when all are', () => {
    expect(doneLine({ build, done: [217], elapsed: 0, compiled: 0 }, '101 MiB')).toBe(
      '[1/2] kube-apiserver  built in 3 min 37 s, 101 MiB; about 20 s left',
    );
    expect(doneLine({ build, done: [217, 18], elapsed: 0, compiled: 0 }, '57 MiB')).toBe(
      '[2/2] kubectl  built in 18 s, 57 MiB',
    );
  });

  test.each([
    [0, 'a few seconds'],
    [7.9, 'a few seconds'],
    [8, 'about 10 s'],
    [61, 'about 70 s'],
    [115, 'about 2 min'],
    [3600, 'about 60 min'],
  ])('%d seconds are told as %s', (seconds, text) => {
    expect(approximately(seconds)).toBe(text);
  });
});

class Screen {
  text = '';
  readonly isTTY: boolean;
  readonly columns = 60;

  constructor(isTTY: boolean) {
    this.isTTY = isTTY;
  }

  write(text: string): void {
    this.text += text;
  }
}

async function buildFor(seconds: number, isTTY: boolean): Promise<string> {
  const screen = new Screen(isTTY);
  await report(seconds, screen);
  return screen.text;
}

async function report(seconds: number, screen: Screen): Promise<void> {
  const clock = new SimulatedClock({ start: 0 });
  using reporter = new Reporter(screen, clock);
  reporter.begin([productOf('kubectl')]);
  reporter.started();
  reporter.compiling('k8s.io/api/core/v1');
  using _running = clock.run();
  await clock.sleep(seconds * 1000);
  reporter.finished('57 MiB');
}

describe('the reporter', () => {
  test('writes to a file now and then, and a line for what is built', async () => {
    expect(await buildFor(65, false)).toBe(
      [
        '[1/1] kubectl  0 s; about 20 s left',
        '[1/1] kubectl  30 s, 1 compiled; a few seconds left',
        '[1/1] kubectl  1 min 00 s, 1 compiled; a few seconds left',
        '[1/1] kubectl  built in 1 min 05 s, 57 MiB',
        '',
      ].join('\n'),
    );
  });

  test('draws one line each second on a terminal, no wider than it, and gives the cursor back', async () => {
    const text = await buildFor(3.5, true);
    const escapes = new RegExp(`${String.fromCharCode(27)}\\[[?0-9]*[a-zA-Z]|\r`, 'g');
    const lines = text.replaceAll(escapes, '').trim().split('\n');
    expect(lines).toHaveLength(5);
    expect(lines[2]).toContain('2 s, 1 compiled');
    expect(lines[2]).toContain('k8s.io/ap…');
    expect(lines.every((line) => line.length < 60)).toBe(true);
    expect(lines.at(-1)).toBe('[1/1] kubectl  built in 3.5 s, 57 MiB');
    expect(text.endsWith(`${String.fromCharCode(27)}[?25h`)).toBe(true);
  });
});
