import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { lastLines, readTermination, terminationPath } from '../../hack/testbed/node/termination.ts';
import { container } from './pods.ts';

const withLog = container({ terminationMessagePolicy: 'FallbackToLogsOnError' });
let folder: string;
let files: { readonly message: string; readonly log: string };
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'termination-'));
  files = { message: join(folder, 'message'), log: join(folder, 'log') };
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the last words of a container', () => {
  test('are those in its file, of a long one the end', async () => {
    writeFileSync(files.message, `${'a'.repeat(100)}${'b'.repeat(4096)}`);
    writeFileSync(files.log, 'log');
    expect(await readTermination(withLog, 1, files)).toBe('b'.repeat(4096));
  });

  test('are the end of its log where it failed without a word and the pod asks for it', async () => {
    writeFileSync(files.message, '');
    writeFileSync(files.log, `${'x'.repeat(3000)}\nthe end\n`);
    const said = await readTermination(withLog, 1, files);
    expect(said).toHaveLength(2048);
    expect(said.endsWith('\nthe end\n')).toBe(true);
    expect(await readTermination(container(), 1, files)).toBe('');
    expect(await readTermination(withLog, 0, files)).toBe('');
  });

  test('are none where there are no files', async () => {
    expect(await readTermination(withLog, 1, files)).toBe('');
  });

  test('are looked for where the pod says', () => {
    expect(terminationPath(container())).toBe('/dev/termination-log');
    expect(terminationPath(container({ terminationMessagePath: '/tmp/x' }))).toBe('/tmp/x');
  });
});

test('of many lines the last eighty are kept', () => {
  const text = Array.from({ length: 100 }, (_, index) => `${index}\n`).join('');
  expect(lastLines(text).split('\n')[0]).toBe('20');
  expect(lastLines('a\nb')).toBe('a\nb');
});
