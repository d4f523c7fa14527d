import { existsSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { plans } from '../../../src/api/kinds.ts';
import { loadKubeConfig } from '../../../src/kube/auth.ts';
import { createKubeClient } from '../../../src/kube/rest-client.ts';
import { createUndiciTransport } from '../../../src/kube/undici-transport.ts';
import { SystemClock } from '../../../src/runtime/clock.ts';
import { RecordingLogger } from '../../../src/runtime/recording-logger.ts';
import { serveSandbox } from '../../../src/sandbox/serve/serve.ts';
import { writeKubeconfig } from '../../../src/sandbox/serve/kubeconfig-file.ts';
import { TestFolder } from '../demo/temp.ts';

const server = { url: 'https://127.0.0.1:1', caPem: 'PEM', token: 't' };

describe('the kubeconfig of a sandbox', () => {
  test('is for its user alone, and goes in the end', () => {
    using folder = new TestFolder();
    const path = folder.file('kubeconfig');
    const written = writeKubeconfig(path, server);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    written[Symbol.dispose]();
    expect(existsSync(path)).toBe(false);
  });

  test("replaces what an earlier sandbox left, and never a file of the user's", () => {
    using folder = new TestFolder();
    const path = folder.file('kubeconfig');
    const left = writeKubeconfig(path, server);
    const again = writeKubeconfig(path, { ...server, url: 'https://127.0.0.1:2' });
    left[Symbol.dispose]();
    expect(readFileSync(path, 'utf8')).toContain('127.0.0.1:2');
    again[Symbol.dispose]();

    const own = folder.file('config', 'apiVersion: v1\nkind: Config\n');
    expect(() => writeKubeconfig(own, server)).toThrow(/exists and is not a sandbox's/);
    expect(readFileSync(own, 'utf8')).toContain('kind: Config');
  });
});

test('a sandbox serves its cluster over TLS with the samples up to the Plan, until it is ended', async () => {
  using folder = new TestFolder();
  const kubeconfig = folder.file('kubeconfig');
  const end = new AbortController();
  const ready = Promise.withResolvers<string>();
  const clock = new SystemClock();
  const machine = {
    platform: 'linux',
    nodeVersion: '24.1.0',
    tempFolder: folder.path,
    freeTempBytes: 1024 ** 4,
    freeMemoryBytes: 1024 ** 4,
  };
  const output = { write: (text: string) => ready.resolve(text) };
  const serving = serveSandbox(
    {
      machine,
      kubeconfig,
      empty: false,
      vms: 2,
      seed: 1,
      speed: 100,
      output,
      env: {},
      clock,
      log: new RecordingLogger(),
    },
    end.signal,
  );
  const text = await Promise.race([ready.promise, serving.then(() => 'ended')]);
  expect(text).toContain(`controller --kubeconfig ${kubeconfig} --bind none`);

  const access = await loadKubeConfig({ path: kubeconfig, clock });
  await using transport = createUndiciTransport({ ...access, clock });
  const client = createKubeClient(transport, { clock, random: () => 0.5 });
  const { items } = await client.list(plans);
  expect(items.map(({ spec }) => spec.vms.map(({ name }) => name))).toEqual([['vm-001', 'vm-002']]);

  end.abort(new Error('Ctrl-C'));
  await serving;
  expect(existsSync(kubeconfig)).toBe(false);
});
