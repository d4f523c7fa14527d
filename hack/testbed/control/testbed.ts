/** What a test, a benchmark or a person may do to a testbed that runs; `openTestbed` in client.ts gives one. */
export interface Testbed {
  /** Everything the testbed writes is in here: logs, keys, volumes. */
  readonly folder: string;
  /** Of the API server, as seen from inside the testbed's namespaces. */
  readonly url: string;
  readonly caPem: string;
  /** Path of a kubeconfig of this user, for use inside the testbed's namespaces. */
  kubeconfig(user: TestbedUser): string;
  /** SIGTERM, then SIGKILL; resolves when it has ended. */
  stop(daemon: DaemonName): Promise<void>;
  /** Starts one that was stopped; resolves when it is ready. */
  start(daemon: DaemonName): Promise<void>;
  /** SIGSTOP: it holds its connections and answers nothing. */
  pause(daemon: DaemonName): Promise<void>;
  /** SIGCONT. */
  resume(daemon: DaemonName): Promise<void>;
  /** Sends SIGKILL to the program of this pod's container; the pod runner then does what a kubelet does. False: none runs. */
  killContainer(pod: { readonly namespace: string; readonly name: string }): Promise<boolean>;
  /** What is behind a bound claim; undefined: nothing (yet, or any more). */
  volume(claimUid: string): Promise<TestbedVolume | undefined>;
  /** The last `lines` lines of a daemon's log, for a test that fails. */
  log(daemon: DaemonName, lines: number): Promise<string>;
}

export interface TestbedVolume {
  readonly mode: 'Filesystem' | 'Block';
  /** Filesystem: the folder; Block: the file behind the loop device. */
  readonly path: string;
  readonly capacityBytes: number;
}

export const daemonNames = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'cdi-apiserver',
  'cdi-controller',
  'virt-api',
  'virt-controller',
] as const;
export type DaemonName = (typeof daemonNames)[number];

/**
 * admin: system:masters. gantry: the ServiceAccount that manifests/ give the controller, with what its ClusterRole grants and nothing else.
 * node: what pod runner and provisioner use.
 */
export const testbedUsers = ['admin', 'gantry', 'node'] as const;
export type TestbedUser = (typeof testbedUsers)[number];

/** Names the folder of the testbed in whose namespaces a process runs. */
export const testbedVariable = 'GANTRY_TESTBED';
