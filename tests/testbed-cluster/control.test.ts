import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { Supervisor } from '../../hack/testbed/cluster/supervisor.ts';
import { openTestbed } from '../../hack/testbed/control/client.ts';
import { serveControl, type NodeControl } from '../../hack/testbed/control/server.ts';
import type { Testbed } from '../../hack/testbed/control/testbed.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { RecordingLogger } from '../../src/runtime/recording-logger.ts';
import { TestFolder } from '../sandbox/demo/temp.ts';

const { signal } = new AbortController();

/** A testbed of one daemon, which says its name and sleeps. */
async function withTestbed(
  node: Partial<NodeControl>,
  act: (testbed: Testbed, supervisor: Supervisor) => Promise<void>,
): Promise<void> {
  using folder = new TestFolder();
  mkdirSync(folder.file('keys'));
  writeFileSync(folder.file('keys/ca.crt'), 'PEM');
  await using supervisor = new Supervisor(folder.path, {
    clock: new SystemClock(),
    log: new RecordingLogger(),
  });
  await supervisor.start(
    {
      name: 'cdi-controller',
      command: 'sh',
      args: ['-c', 'echo one; echo two; echo three; exec sleep 600'],
      isReady: async () => (await supervisor.daemon('cdi-controller').log(1)) === 'three',
      isRestarted: true,
      graceMs: 1000,
    },
    signal,
  );
  const unused = (): Promise<never> => Promise.reject(new Error('not asked for'));
  const parts = { supervisor, node: { killContainer: unused, volume: unused, ...node } };
  await using _control = await serveControl(folder.path, parts, signal);
  await act(await openTestbed(folder.path), supervisor);
}

describe('the control socket', () => {
  test('stops a daemon, which then stays away, and starts it again', async () => {
    await withTestbed({}, async (testbed, supervisor) => {
      const daemon = supervisor.daemon('cdi-controller');
      const first = daemon.pid;
      await testbed.stop('cdi-controller');
      expect(daemon.pid).toBeUndefined();
      await testbed.start('cdi-controller');
      expect(daemon.pid).not.toBe(first);
      expect(daemon.restarts).toBe(0);
      expect(await testbed.log('cdi-controller', 2)).toBe('two\nthree');
    });
  });

  test('asks the node about pods and claims', async () => {
    const volume = { mode: 'Block', path: '/x/disk', capacityBytes: 4096 } as const;
    const node: NodeControl = {
      killContainer: ({ namespace, name }) => Promise.resolve(namespace === 'a' && name === 'b/c'),
      volume: (uid) => Promise.resolve(uid === 'u1' ? volume : undefined),
    };
    await withTestbed(node, async (testbed) => {
      expect(await testbed.killContainer({ namespace: 'a', name: 'b/c' })).toBe(true);
      expect(await testbed.killContainer({ namespace: 'a', name: 'x' })).toBe(false);
      expect(await testbed.volume('u1')).toEqual(volume);
      expect(await testbed.volume('u2')).toBeUndefined();
    });
  });

  test('says what went wrong', async () => {
    const node = { volume: () => Promise.reject(new Error('the disk is gone')) };
    await withTestbed(node, async (testbed) => {
      await expect(testbed.stop('virt-api')).rejects.toMatchObject({
        code: 'DaemonUnknown',
        message: 'this testbed runs no virt-api; it runs: cdi-controller',
      });
      await expect(testbed.volume('u1')).rejects.toMatchObject({
        code: 'ControlFailed',
        message: 'the disk is gone',
      });
    });
  });

  test('of a testbed that has ended is missed by name', async () => {
    using folder = new TestFolder();
    mkdirSync(folder.file('keys'));
    writeFileSync(folder.file('keys/ca.crt'), 'PEM');
    const testbed = await openTestbed(folder.path);
    await expect(testbed.stop('etcd')).rejects.toThrow(/stop etcd: the testbed in .* does not answer/);
  });
});
