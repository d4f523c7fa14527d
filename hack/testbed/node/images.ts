import type { Stored } from '../../../src/api/meta.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import type { ProgramContext, ProgramExit } from '../../../src/sandbox/cdi/pod-runner.ts';
import type { NetworkNamespace } from '../cell/network.ts';
import type { NodeContainer, NodePod } from './node-pod.ts';

/** A folder, file or device of this machine as it appears in a container. */
export interface Mount {
  readonly source: string;
  readonly path: string;
  readonly kind: 'read-write' | 'read-only' | 'device';
}

/** All that is known of a container before it starts. */
export interface ContainerFrame {
  readonly pod: Stored<NodePod>;
  readonly container: NodeContainer;
  /** With the values of Secrets: never to be logged, nor put on a command line. */
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
  /** The pod's. */
  readonly network: NetworkNamespace;
}

/** What stands for a container image: a real program that sees the machine's own /usr, or a function of this process. */
export type Image = CommandImage | ProgramImage;

export interface CommandImage {
  /** Before `args`; a container's own `command` takes its place. */
  readonly entrypoint: readonly string[];
  /** Where a container says none. */
  readonly args?: readonly string[];
  /** Files of the image that are not under /usr: path in the container -> file of this machine. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface ProgramImage {
  readonly program: NodeProgram;
}

/** Its SIGTERM is the abort; SIGKILL leaves it to itself, so after the abort it must change nothing. */
export type NodeProgram = (context: NodeProgramContext, signal: AbortSignal) => Promise<ProgramExit>;

/** As programs of the sandbox are given it, and what only a node knows: so those run here, too. */
export interface NodeProgramContext extends ProgramContext, ContainerFrame {
  /** The node's own client: what a privileged agent of the node may do. */
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Appends a line to the container's log. */
  print(line: string): void;
}

/** The image of this reference ("quay.io/x/importer:v1"); undefined: no registry has it. */
export type Images = (reference: string) => Image | undefined;

/** Looks up the whole name without tag and digest, and then its last part alone: "vddk" stands for every registry's. */
export function imageTable(entries: Readonly<Record<string, Image>>): Images {
  return (reference) => {
    const name = repositoryOf(reference);
    return entries[name] ?? entries[name.slice(name.lastIndexOf('/') + 1)];
  };
}

/** "host:5000/a/b:tag@sha256:..." becomes "host:5000/a/b". */
export function repositoryOf(reference: string): string {
  return reference.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
}
