import type { PersistentVolumeClaim, Pod } from '../../api/external/core.ts';
import type { Stored } from '../../api/meta.ts';

/** Runs the importer pods of a cluster, as kubelet and scheduler do: by programs of this process, or by real ones. */
export interface PodRunner {
  /**
   * Percent done, 0 to 100, as an importer tells on its metrics port; undefined where nothing answers. Asking is a look, it changes
   * nothing.
   */
  progress(pod: Stored<Pod>, signal: AbortSignal): Promise<number | undefined>;
}

/** What runs in a container. Rejects when aborted: that is its SIGTERM. */
export type Program = (context: ProgramContext, signal: AbortSignal) => Promise<ProgramExit>;

export interface ProgramContext {
  /** With the values of Secrets: never to be logged. */
  readonly env: Readonly<Record<string, string>>;
  /** Bound claims by the name of the pod's volume. */
  readonly claims: ReadonlyMap<string, Stored<PersistentVolumeClaim>>;
  /** All files of the certificate folder, one after another; undefined where none is mounted. */
  readonly certs: string | undefined;
  /** Percent done; called as often as it likes. */
  report(percent: number): void;
}

/** `message` is the termination message. `evicted`: the node throws the whole pod out. */
export type ProgramExit =
  { readonly exitCode: number; readonly message: string } | { readonly evicted: string };
