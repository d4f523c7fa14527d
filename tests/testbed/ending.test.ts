import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { removeDeadFolders } from '../../hack/testbed/cell/run-folder.ts';
import { dataVolumes } from '../../src/api/kinds.ts';
import { loadKubeConfig } from '../../src/kube/auth.ts';
import { createKubeClient } from '../../src/kube/rest-client.ts';
import { createUndiciTransport } from '../../src/kube/undici-transport.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { seededRandom } from '../../src/sandbox/random.ts';
import { TestFolder } from '../sandbox/demo/temp.ts';
import { isOnTestbed } from '../support/needs.ts';
import { eventually } from '../testbed-cluster/eventually.ts';
import { whenObject } from './real-cluster.ts';

const clock = new SystemClock();
const upWithinMs = 120_000;
const endWithinMs = 45_000;

/** `npm run testbed` beside the testbed that this process runs in. */
class Up implements Disposable {
  readonly parent = new TestFolder();
  readonly kubeconfig = this.parent.file('kubeconfig');
  readonly process: ChildProcess;
  readonly ended: Promise<number | null>;
  printed = '';

  constructor(...args: readonly string[]) {
    const program = fileURLToPath(new URL('../../hack/testbed/up.ts', import.meta.url));
    this.process = spawn(process.execPath, [program, ...args, '--kubeconfig', this.kubeconfig], {
      env: { ...process.env, TMPDIR: this.parent.path },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.process.stdout, this.process.stderr])
      stream?.on('data', (chunk: Buffer) => void (this.printed += chunk.toString()));
    this.ended = new Promise((resolve) => this.process.once('close', resolve));
  }

  /** The folder of the run. */
  get folder(): string {
    return join(
      this.parent.path,
      readdirSync(this.parent.path).find((name) => name.startsWith('gantry-testbed-'))!,
    );
  }

  async running(): Promise<void> {
    await eventually(
      () => `the testbed is up; it printed: ${this.printed}`,
      () => existsSync(this.kubeconfig),
      upWithinMs,
    );
  }

  /** Of this run, as this process sees them; those whose command line has `word`. */
  processes(word = ''): readonly number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((id) => {
        try {
          const line = readFileSync(`/proc/${id}/cmdline`, 'utf8');
          return line.includes(this.parent.path) && line.includes(word) && Number(id) !== this.process.pid;
        } catch {
          return false;
        }
      })
      .map(Number);
  }

  [Symbol.dispose](): void {
    this.process.kill('SIGKILL');
    this.parent[Symbol.dispose]();
  }
}

/** What the programs of KubeVirt and CDI are known to leave in the machine's /tmp, in which all testbeds meet. */
function machineTemp(): readonly string[] {
  return readdirSync('/tmp')
    .filter((name) => name === 'ready' || name.startsWith('certsdir'))
    .sort();
}

const onTestbed = isOnTestbed ? describe : describe.skip;

onTestbed('a testbed that is kept up for a person', () => {
  test(
    'serves kubectl on the loopback, and is killed without leaving more than a folder',
    async () => {
      using up = new Up('--without', 'kubevirt');
      await up.running();
      const access = await loadKubeConfig({ path: up.kubeconfig, clock });
      expect(access.server).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
      await using transport = createUndiciTransport({ ...access, clock });
      const client = createKubeClient(transport, { clock, random: seededRandom(1) });
      const at = { namespace: 'default', name: 'blank' };
      await client.create(dataVolumes, {
        apiVersion: 'cdi.kubevirt.io/v1beta1',
        kind: 'DataVolume',
        metadata: at,
        spec: {
          source: { blank: {} },
          storage: { volumeMode: 'Block', resources: { requests: { storage: '16Mi' } } },
        },
      });
      await whenObject(client, dataVolumes, at, (volume) => volume?.status?.phase === 'Succeeded');
      const devices = (): string =>
        spawnSync('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE']).stdout.toString();
      expect(devices()).toContain(up.folder);

      up.process.kill('SIGKILL');
      await up.ended;
      await eventually('all processes are gone', () => up.processes().length === 0, endWithinMs);
      await eventually('the loop device is gone', () => !devices().includes(up.folder), endWithinMs);
      expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(up.folder);
      const left = up.folder;
      expect(await removeDeadFolders(up.parent.path, clock)).toEqual([left]);
      expect(readdirSync(up.parent.path)).toEqual(['kubeconfig']);
    },
    upWithinMs + 60_000,
  );

  test(
    'ends, and says why, when what it stands on has ended',
    async () => {
      const before = machineTemp();
      using up = new Up();
      await up.running();
      const [etcd] = up.processes('/etcd\0');
      process.kill(etcd!, 'SIGKILL');
      expect(await up.ended).toBe(1);
      expect(up.printed).toMatch(/testbed: DaemonEnded: etcd ended by itself by SIGKILL/);
      expect(up.processes()).toEqual([]);
      expect(readdirSync(up.parent.path)).toEqual([]);
      expect(machineTemp()).toEqual(before);
    },
    upWithinMs + 60_000,
  );
});
