import type {
  Container,
  ContainerState,
  ContainerStatus,
  EnvVar,
  Pod,
  PodSpec,
  PodVolume,
  StandardCondition,
} from '../../../src/api/external/core.ts';
import { pods } from '../../../src/api/kinds.ts';
import type { KubeObject, ResourceKind } from '../../../src/api/meta.ts';

/** What a node reads and writes of a Pod beyond what Gantry does. */

export interface KeyRef {
  readonly name?: string;
  readonly key: string;
  readonly optional?: boolean;
}

export interface NodeEnvVar extends EnvVar {
  readonly valueFrom?: {
    readonly secretKeyRef?: KeyRef;
    readonly configMapKeyRef?: KeyRef;
    readonly fieldRef?: { readonly fieldPath: string };
    readonly resourceFieldRef?: { readonly resource: string };
  };
}

export interface EnvFrom {
  readonly prefix?: string;
  readonly secretRef?: { readonly name?: string; readonly optional?: boolean };
  readonly configMapRef?: { readonly name?: string; readonly optional?: boolean };
}

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly subPath?: string;
  readonly readOnly?: boolean;
}

export interface NodeContainer extends Container {
  readonly env?: readonly NodeEnvVar[];
  readonly envFrom?: readonly EnvFrom[];
  readonly workingDir?: string;
  readonly volumeMounts?: readonly VolumeMount[];
  readonly terminationMessagePath?: string;
  readonly terminationMessagePolicy?: 'File' | 'FallbackToLogsOnError';
}

export interface KeyToPath {
  readonly key: string;
  readonly path: string;
}

export interface DownwardFile {
  readonly path: string;
  readonly fieldRef?: { readonly fieldPath: string };
}

export interface ProjectedSource {
  readonly serviceAccountToken?: {
    readonly path: string;
    readonly audience?: string;
    readonly expirationSeconds?: number;
  };
  readonly configMap?: {
    readonly name?: string;
    readonly items?: readonly KeyToPath[];
    readonly optional?: boolean;
  };
  readonly secret?: {
    readonly name?: string;
    readonly items?: readonly KeyToPath[];
    readonly optional?: boolean;
  };
  readonly downwardAPI?: { readonly items?: readonly DownwardFile[] };
}

export interface NodeVolume extends PodVolume {
  readonly persistentVolumeClaim?: { readonly claimName: string; readonly readOnly?: boolean };
  readonly secret?: {
    readonly secretName?: string;
    readonly items?: readonly KeyToPath[];
    readonly optional?: boolean;
  };
  readonly configMap?: {
    readonly name?: string;
    readonly items?: readonly KeyToPath[];
    readonly optional?: boolean;
  };
  readonly projected?: { readonly sources?: readonly ProjectedSource[] };
  readonly downwardAPI?: { readonly items?: readonly DownwardFile[] };
  readonly hostPath?: { readonly path: string };
}

export interface NodePodSpec extends PodSpec {
  readonly containers: readonly NodeContainer[];
  readonly initContainers?: readonly NodeContainer[];
  readonly volumes?: readonly NodeVolume[];
  readonly schedulerName?: string;
  readonly schedulingGates?: readonly { readonly name: string }[];
  readonly readinessGates?: readonly { readonly conditionType: string }[];
  readonly hostname?: string;
}

export interface NodeContainerStatus extends ContainerStatus {
  readonly started: boolean;
  readonly containerID?: string;
}

export interface NodePodStatus {
  readonly phase: NonNullable<NonNullable<Pod['status']>['phase']>;
  readonly reason?: string;
  readonly message?: string;
  readonly hostIP?: string;
  readonly hostIPs?: readonly { readonly ip: string }[];
  readonly podIP?: string;
  readonly podIPs?: readonly { readonly ip: string }[];
  readonly startTime: string;
  readonly conditions: readonly StandardCondition[];
  readonly containerStatuses: readonly NodeContainerStatus[];
  readonly initContainerStatuses?: readonly NodeContainerStatus[];
}

export interface NodePod extends Pod {
  readonly spec: NodePodSpec;
}

export type Terminated = NonNullable<ContainerState['terminated']>;

export const nodePods: ResourceKind<NodePod> = pods;

/** The Node object, as far as the testbed fills it. */
export interface ClusterNode extends KubeObject {
  readonly spec?: { readonly unschedulable?: boolean; readonly taints?: readonly { readonly key: string }[] };
  readonly status?: {
    readonly capacity?: Readonly<Record<string, string>>;
    readonly allocatable?: Readonly<Record<string, string>>;
    readonly conditions?: readonly StandardCondition[];
    readonly addresses?: readonly { readonly type: string; readonly address: string }[];
    readonly nodeInfo?: Readonly<Record<string, string>>;
  };
}

export const nodes: ResourceKind<ClusterNode> = {
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  namespaced: false,
  hasStatus: true,
};

/** What is POSTed to one object, such as a Binding to a pod: in terms of the client, a kind whose collection lies below that object. */
export function subresource<T extends KubeObject>(
  of: ResourceKind,
  name: string,
  what: string,
  kind: string,
): ResourceKind<T> {
  // The path is that of the object; the body's own group and version may be others (a TokenRequest's are).
  const { group, version, namespaced } = of;
  const plural = `${of.plural}/${encodeURIComponent(name)}/${what}`;
  return { group, version, kind, plural, namespaced, hasStatus: false };
}
