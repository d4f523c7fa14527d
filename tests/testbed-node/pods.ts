import type { Stored } from '../../src/api/meta.ts';
import type { ContainerView, PodView } from '../../hack/testbed/node/pod-state.ts';
import type { NodeContainer, NodePod, NodePodSpec } from '../../hack/testbed/node/node-pod.ts';

export const namespace = 'default';

export function container(fields: Partial<NodeContainer> = {}): NodeContainer {
  return { name: 'main', image: 'test/program', ...fields };
}

export function pod(
  spec: Partial<NodePodSpec> = {},
  rest: Partial<Omit<NodePod, 'spec' | 'metadata'>> & {
    readonly metadata?: Partial<NodePod['metadata']>;
  } = {},
): Stored<NodePod> {
  const { metadata, ...others } = rest;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'p',
      namespace,
      uid: 'u-1',
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...metadata,
    },
    spec: { restartPolicy: 'OnFailure', containers: [container()], ...spec },
    ...others,
  };
}

export function seen(state: ContainerView['state'], fields: Partial<ContainerView> = {}): ContainerView {
  return { name: 'main', image: 'test/program', restartCount: 0, state, ...fields };
}

export const running = { running: { startedAt: '2026-01-01T00:00:01Z' } };
export const waiting = { waiting: { reason: 'ContainerCreating' } };
export const ended = (exitCode: number) => ({ terminated: { exitCode } });

export function view(main: readonly ContainerView[], fields: Partial<PodView> = {}): PodView {
  return { startedMs: Date.UTC(2026, 0, 1), init: [], main, ...fields };
}
