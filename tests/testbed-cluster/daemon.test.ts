import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { Daemon, type DaemonSpec } from '../../hack/testbed/cluster/daemon.ts';
import type { TestbedError } from '../../hack/testbed/cluster/testbed-error.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { RecordingLogger } from '../../src/runtime/recording-logger.ts';
import { TestFolder } from '../sandbox/demo/temp.ts';
import { eventually } from './eventually.ts';

const { signal } = new AbortController();

/** A daemon that is a shell script, with its folder: ready when it has made the file "ready". */
class ScriptDaemon implements AsyncDisposable {
  readonly folder = new TestFolder();
  readonly daemon: Daemon;
  readonly ends: TestbedError[] = [];

  constructor(script: string, spec: Partial<DaemonSpec> = {}) {
    this.daemon = new Daemon(
      {
        name: 'etcd',
        command: 'sh',
        args: ['-c', script],
        env: { F: this.folder.path },
        isReady: () => Promise.resolve(existsSync(this.file('ready'))),
        isRestarted: false,
        graceMs: 5000,
        ...spec,
      },
      {
        clock: new SystemClock(),
        log: new RecordingLogger(),
        logPath: this.file('log'),
        onEnd: (error) => this.ends.push(error),
      },
    );
  }

  file(name: string): string {
    return this.folder.file(name);
  }

  lines(name: string): number {
    return existsSync(this.file(name)) ? readFileSync(this.file(name), 'utf8').split('\n').length - 1 : 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.daemon.stop();
    this.folder[Symbol.dispose]();
  }
}

describe('a daemon', () => {
  test('has started when it is ready, and has stopped when its program has ended', async () => {
    await using script = new ScriptDaemon('sleep 0.1; touch $F/ready; exec sleep 600');
    await script.daemon.start(signal);
    const pid = script.daemon.pid!;
    expect(existsSync(script.file('ready'))).toBe(true);
    await script.daemon.stop();
    expect(existsSync(`/proc/${pid}`)).toBe(false);
    expect(script.ends).toEqual([]);
  });

  test('that ends before it is ready fails with the end of what it wrote', async () => {
    await using script = new ScriptDaemon('echo no such flag; exit 3');
    await expect(script.daemon.start(signal)).rejects.toMatchObject({
      code: 'DaemonEnded',
      message: expect.stringMatching(/^etcd ended with exit code 3 before it was ready.*\nno such flag$/s),
    });
  });

  test('whose program is absent fails and says so', async () => {
    await using script = new ScriptDaemon('', { command: '/nowhere/etcd' });
    await expect(script.daemon.start(signal)).rejects.toThrow(/could not be started.*ENOENT/);
  });

  test('is ended when its start is no longer wanted', async () => {
    await using script = new ScriptDaemon('touch $F/begun; exec sleep 600');
    const end = new AbortController();
    const starting = script.daemon.start(end.signal);
    starting.catch(() => undefined);
    await eventually('the program runs', () => existsSync(script.file('begun')));
    const pid = script.daemon.pid!;
    end.abort(new Error('enough'));
    await expect(starting).rejects.toThrow('enough');
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  });

  test('that does not heed SIGTERM is killed', async () => {
    await using script = new ScriptDaemon("trap '' TERM; touch $F/ready; while :; do sleep 0.05; done", {
      graceMs: 100,
    });
    await script.daemon.start(signal);
    await script.daemon.stop();
    expect(script.ends).toEqual([]);
  });

  test('can be stopped while it is paused', async () => {
    await using script = new ScriptDaemon('touch $F/ready; while :; do echo >> $F/beats; sleep 0.02; done');
    await script.daemon.start(signal);
    script.daemon.pause();
    const state = (): string => readFileSync(`/proc/${script.daemon.pid!}/stat`, 'utf8').split(' ')[2] ?? '';
    await eventually('it is stopped', () => state() === 'T');
    const beats = script.lines('beats');
    script.daemon.resume();
    await eventually('it goes on', () => script.lines('beats') > beats + 1);
    script.daemon.pause();
    await script.daemon.stop();
    expect(script.daemon.pid).toBeUndefined();
  });

  test('that others stand on takes them with it, and its last words are told', async () => {
    await using script = new ScriptDaemon(
      'touch $F/ready; until [ -e $F/end ]; do sleep 0.02; done; echo disk full; exit 1; ',
    );
    await script.daemon.start(signal);
    script.folder.file('end', '');
    await eventually('its end is told', () => script.ends.length === 1);
    expect(script.ends[0]?.message).toMatch(/^etcd ended by itself with exit code 1; .*\ndisk full$/s);
  });

  test('of the kind that is started again comes back by itself until it is stopped', async () => {
    let prepared = 0;
    await using script = new ScriptDaemon('echo >> $F/starts; touch $F/ready; exec sleep 600', {
      isRestarted: true,
      beforeRestart: () => {
        prepared += 1;
        return Promise.resolve();
      },
    });
    await script.daemon.start(signal);
    expect(prepared).toBe(0);
    process.kill(script.daemon.pid!, 'SIGKILL');
    await eventually('it runs again', () => script.lines('starts') === 2);
    expect(script.daemon.restarts).toBe(1);
    expect(prepared).toBe(1);
    await eventually('it is watched again', () => script.daemon.pid !== undefined);
    await script.daemon.stop();
    expect(script.ends).toEqual([]);
    await script.daemon.start(signal);
    await eventually('it runs a third time', () => script.lines('starts') === 3);
    expect(prepared).toBe(2);
  });
});
