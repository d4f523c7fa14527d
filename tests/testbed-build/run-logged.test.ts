import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { runLogged, type Ended } from '../../hack/testbed/build/run-logged.ts';
import { SystemClock } from '../../src/runtime/clock.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'run-logged-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const clock = new SystemClock();
const { signal: never } = new AbortController();

function shell(script: string, onLine: (line: string) => void, signal = never): Promise<Ended> {
  const logFile = join(folder, 'log');
  return runLogged(
    { command: 'sh', args: ['-c', script], folder, env: { WORD: 'given' }, logFile, onLine },
    clock,
    signal,
  );
}

describe('a command with a log', () => {
  test('has everything that it printed in the log, and gives its exit code', async () => {
    const lines: string[] = [];
    const ended = await shell('echo "$WORD"; echo wrong >&2; pwd; exit 3', (line) => lines.push(line));
    expect(ended.code).toBe(3);
    expect(ended.tail.toSorted()).toEqual(['given', 'wrong', folder].toSorted());
    expect(lines.toSorted()).toEqual(ended.tail.toSorted());
    expect(readFileSync(join(folder, 'log'), 'utf8').trim().split('\n')).toHaveLength(4);
  });

  test('is told to have been ended by a signal', async () => {
    expect((await shell('kill -KILL $$', () => undefined)).code).toBeNull();
  });

  test('keeps the end of a long output', async () => {
    const { tail } = await shell('seq 1000', () => undefined);
    expect(tail.at(-1)).toBe('1000');
    expect(tail.length).toBeLessThan(100);
  });

  test('ends with all of its children when it is called off', async () => {
    const end = new AbortController();
    const onLine = (): void => end.abort(new Error('called off'));
    // Both hold its output open; the promise is done when nobody does any more.
    await expect(shell('sleep 600 & echo began; sleep 600', onLine, end.signal)).rejects.toThrow(
      'called off',
    );
  });

  test('is not started when it was called off before', async () => {
    await expect(shell('echo', () => undefined, AbortSignal.abort(new Error('too late')))).rejects.toThrow(
      'too late',
    );
  });

  test('says so when there is no such program', async () => {
    const missing = runLogged(
      {
        command: 'no-such-compiler',
        args: [],
        folder,
        env: {},
        logFile: join(folder, 'log'),
        onLine: () => undefined,
      },
      clock,
      never,
    );
    await expect(missing).rejects.toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });
});
