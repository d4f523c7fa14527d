import { expect, test } from '@jest/globals';
import { Writable } from 'node:stream';
import { scrubber } from '../../src/model/scrub.ts';
import type { LoggerOptions } from '../../src/runtime/winston.ts';
import { createLogger } from '../../src/runtime/winston.ts';
import { KubeError } from '../../src/kube/errors.ts';
import { SimulatedClock } from '../../src/sandbox/simulated-clock.ts';

function setUp(options: Partial<LoggerOptions> = {}) {
  const text: string[] = [];
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      text.push(chunk.toString());
      done();
    },
  });
  const clock = new SimulatedClock({ start: Date.UTC(2026, 0, 1, 12) });
  const logger = createLogger({ level: 'info', format: 'json', clock, output, ...options });
  return {
    logger,
    lines: () =>
      text
        .join('')
        .split('\n')
        .filter((line) => line !== ''),
  };
}

test('a line of JSON carries time, level, message and the fields of all ancestors', () => {
  const { logger, lines } = setUp();
  logger.child({ plan: 'p' }).child({ vm: 'v' }).info('copying', { phase: 'CopyDisks', percent: 7 });
  expect(lines().map((line) => JSON.parse(line) as unknown)).toEqual([
    {
      time: '2026-01-01T12:00:00.000Z',
      level: 'info',
      message: 'copying',
      plan: 'p',
      vm: 'v',
      phase: 'CopyDisks',
      percent: 7,
    },
  ]);
});

test('an error is written with name, message, code, stack and causes, and keeps the message of the line', () => {
  const { logger, lines } = setUp();
  const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  const fields = { code: 'Unreachable', status: 0, detail: 'no answer', attempted: 'get plans a/b' } as const;
  logger.error('failed', { error: new KubeError(fields, { cause }), message: 'a field of that name' });
  const line = JSON.parse(lines()[0] ?? '') as { error: { stack: string } };
  expect(line).toMatchObject({
    level: 'error',
    error: {
      name: 'KubeError',
      code: 'Unreachable',
      message: 'get plans a/b: no answer',
      cause: { name: 'Error', message: 'refused', code: 'ECONNREFUSED' },
    },
  });
  expect(line.error.stack).toContain('winston.test.ts');
});

test('a line for people is short and has the stack of an error below it', () => {
  const { logger, lines } = setUp({ format: 'line' });
  logger.warn('waits', { vm: 'web 1', until: undefined, error: new TypeError('bad') });
  logger.error('failed', { error: new TypeError('bad') });
  const [first, second, third] = lines();
  expect(first).toBe('12:00:00.000 WARN  waits  vm="web 1" error="TypeError: bad"');
  expect(second).toBe('12:00:00.000 ERROR failed  error="TypeError: bad"');
  expect(third).toBe('TypeError: bad');
});

test('levels below the chosen one cost nothing and write nothing', () => {
  const { logger, lines } = setUp();
  logger.debug('detail');
  expect(logger.isDebug).toBe(false);
  expect(lines()).toEqual([]);
  const verbose = setUp({ level: 'debug' });
  verbose.logger.debug('detail');
  expect(verbose.logger.isDebug).toBe(true);
  expect(verbose.lines()).toHaveLength(1);
});

test('no secret passes: neither by value, wherever it stands, nor by the name of its field', () => {
  for (const format of ['json', 'line'] as const) {
    const { logger, lines } = setUp({ format, scrub: scrubber(['hunter22']) });
    logger.error('login as hunter22', {
      error: new Error('bad password hunter22'),
      url: 'https://u:hunter22@host',
      password: 'unknown to the scrubber',
      nested: { Authorization: 'Bearer xyz' },
      secret: 'ns/name-of-a-secret',
    });
    const text = lines().join('\n');
    expect(text).not.toMatch(/hunter22|unknown to|xyz/);
    expect(text).toContain('ns/name-of-a-secret');
  }
});

test('what JSON cannot say does not break the line', () => {
  const { logger, lines } = setUp();
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  const error: Error & { cause?: unknown } = new Error('own cause');
  error.cause = error;
  logger.info('odd', { cycle, big: 12n, deep: { big: 13n, error: new Error('inside') }, error });
  expect(JSON.parse(lines()[0] ?? '')).toMatchObject({
    big: '12',
    cycle: '[cannot be written as JSON]',
    deep: { big: '13', error: { message: 'inside' } },
    error: { message: 'own cause' },
  });
});
