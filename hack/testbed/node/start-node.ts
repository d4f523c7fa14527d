import { images } from '../cluster/cdi.ts';
import { provisioners } from '../cluster/storage-classes.ts';
import type { NodeControl } from '../control/server.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import type { RunningStandIn } from '../../../src/sandbox/stand-in.ts';
import type { Image } from './images.ts';
import { imageTable } from './images.ts';
import type { NodeAgent, PodRunnerDeps } from './pod-runner.ts';
import { startPodRunner } from './pod-runner.ts';
import { startProvisioner } from './provisioner.ts';
import { importerImage, shellImage, vddkImage } from './standard-images.ts';

export interface NodeOptions extends Omit<PodRunnerDeps, 'images'> {
  /** Path of the real cdi-importer. */
  readonly importer: string;
  /** Path of the nbdkit plugin in place of VMware's library; absent: pods with VDDK wait for their image. */
  readonly vddkPlugin?: string;
  /** Besides the importer, "vddk" of any registry and "testbed/shell"; by name without tag. */
  readonly images?: Readonly<Record<string, Image>>;
}

export interface RunningNode extends NodeControl, Omit<NodeAgent, 'killContainer'>, RunningStandIn {}

/** The node of a testbed: pod runner and provisioner. `client` is that of the user "node". */
export function startNode(client: KubeClient, options: NodeOptions, signal: AbortSignal): RunningNode {
  const { importer, vddkPlugin } = options;
  const table = imageTable({
    [images.importer]: importerImage(importer),
    'testbed/shell': shellImage,
    ...(vddkPlugin !== undefined && { vddk: vddkImage(vddkPlugin) }),
    ...options.images,
  });
  const agent = startPodRunner(client, { ...options, images: table }, signal);
  const storage = startProvisioner(client, { ...options, provisioners: Object.values(provisioners) }, signal);
  return {
    ...agent,
    ready: Promise.all([agent.ready, storage.ready]).then(() => undefined),
    // Volumes last: programs that still run have them open.
    stopped: Promise.all([agent.stopped, storage.stopped]).then(() => undefined),
    volume: (claimUid) => storage.volume(claimUid),
  };
}
