/**
 * Compile-time comparison of our minimal foreign types with those of @kubevirt-ui-ext/kubevirt-api 1.7.0 (KubeVirt 1.7, CDI of that
 * time, Kubernetes core). external-types.test.ts compiles this file. StorageProfile and NetworkAttachmentDefinition are not in that package.
 */
import type {
  V1beta1CDI,
  V1beta1DataVolume,
} from '@kubevirt-ui-ext/kubevirt-api/containerized-data-importer';
import type {
  IoK8sApiBatchV1Job,
  IoK8sApiCoordinationV1Lease,
  IoK8sApiCoreV1ConfigMap,
  IoK8sApiCoreV1Event,
  IoK8sApiCoreV1Namespace,
  IoK8sApiCoreV1PersistentVolume,
  IoK8sApiCoreV1PersistentVolumeClaim,
  IoK8sApiCoreV1Pod,
  IoK8sApiCoreV1ResourceQuota,
  IoK8sApiCoreV1Secret,
  IoK8sApiextensionsApiserverPkgApisApiextensionsV1CustomResourceDefinition,
  IoK8sApiStorageV1StorageClass,
} from '@kubevirt-ui-ext/kubevirt-api/kubernetes';
import type { V1VirtualMachine, V1VirtualMachineInstance } from '@kubevirt-ui-ext/kubevirt-api/kubevirt';
import type { Cdi, DataVolume } from '../../src/api/external/cdi.ts';
import type {
  ConfigMap,
  CustomResourceDefinition,
  Event,
  Job,
  Lease,
  Namespace,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  ResourceQuota,
  Secret,
  StorageClass,
} from '../../src/api/external/core.ts';
import type { VirtualMachine, VirtualMachineInstance } from '../../src/api/external/kubevirt.ts';

/**
 * The paths of `Ours` that `Theirs` does not have or has with another type; never if there are none. Plain assignability would not do:
 * it lets fields pass that the other side does not know.
 */
export type Drift<Ours, Theirs, Path extends string> = [Ours] extends [string | number | boolean]
  ? [Ours] extends [Theirs | Word<Theirs>]
    ? never
    : Path
  : Ours extends readonly (infer Item)[]
    ? Theirs extends readonly (infer TheirItem)[]
      ? Drift<Item, TheirItem, `${Path}[]`>
      : Path
    : string extends keyof Ours
      ? Theirs extends object
        ? never
        : Path
      : {
          [Key in keyof Ours & string]-?: Key extends keyof Theirs
            ? Drift<NonNullable<Ours[Key]>, NonNullable<Theirs[Key]>, `${Path}.${Key}`>
            : `${Path}.${Key}`;
        }[keyof Ours & string];

/** The words of an enum. */
type Word<Leaf> = Leaf extends string ? `${Leaf}` : never;

/** What is compared: metadata is our own everywhere. */
type Part<Object> = Omit<Object, 'metadata'>;

/** Forklift's schema leaves the operators of an affinity open, and the schema inside a CRD is free-form. */
type Ignored = `${string}.affinity.${string}.operator` | `${string}.openAPIV3Schema.${string}`;

/** true if what was found is exactly what is known; else the found paths, which the compiler then names. */
export type Same<Found, Known> = Judge<Exclude<Found, Ignored>, Known>;
type Judge<Found, Known> = [Found] extends [Known] ? ([Known] extends [Found] ? true : Found) : Found;

/** Fields newer than the package, and times that its condition types lack. */
type DataVolumeGaps =
  | 'DataVolume.spec.source.vddk.certConfigMap'
  | 'DataVolume.spec.source.imageio.insecureSkipVerify'
  | 'DataVolume.spec.source.http.checksum'
  | 'DataVolume.spec.source.http.insecureSkipVerify'
  | 'DataVolume.spec.serviceAccountName';
/** Its generator renames fields that are reserved words: "_default". */
type VirtualMachineGaps =
  | 'VirtualMachine.status.conditions[].lastTransitionTime'
  | 'VirtualMachine.spec.template.spec.networks[].multus.default';
type VirtualMachineInstanceGaps =
  | 'VirtualMachineInstance.status.conditions[].lastTransitionTime'
  | 'VirtualMachineInstance.spec.networks[].multus.default';

export const dataVolume: Same<
  Drift<Part<DataVolume>, V1beta1DataVolume, 'DataVolume'>,
  DataVolumeGaps
> = true;
export const cdi: Same<Drift<Part<Cdi>, V1beta1CDI, 'CDI'>, never> = true;
export const virtualMachine: Same<
  Drift<Part<VirtualMachine>, V1VirtualMachine, 'VirtualMachine'>,
  VirtualMachineGaps
> = true;
export const virtualMachineInstance: Same<
  Drift<Part<VirtualMachineInstance>, V1VirtualMachineInstance, 'VirtualMachineInstance'>,
  VirtualMachineInstanceGaps
> = true;
export const namespace: Same<Drift<Part<Namespace>, IoK8sApiCoreV1Namespace, 'Namespace'>, never> = true;
export const secret: Same<Drift<Part<Secret>, IoK8sApiCoreV1Secret, 'Secret'>, never> = true;
export const configMap: Same<Drift<Part<ConfigMap>, IoK8sApiCoreV1ConfigMap, 'ConfigMap'>, never> = true;
export const claim: Same<
  Drift<Part<PersistentVolumeClaim>, IoK8sApiCoreV1PersistentVolumeClaim, 'PersistentVolumeClaim'>,
  never
> = true;
export const volume: Same<
  Drift<Part<PersistentVolume>, IoK8sApiCoreV1PersistentVolume, 'PersistentVolume'>,
  never
> = true;
export const pod: Same<Drift<Part<Pod>, IoK8sApiCoreV1Pod, 'Pod'>, never> = true;
export const job: Same<Drift<Part<Job>, IoK8sApiBatchV1Job, 'Job'>, never> = true;
export const event: Same<Drift<Part<Event>, IoK8sApiCoreV1Event, 'Event'>, never> = true;
export const quota: Same<
  Drift<Part<ResourceQuota>, IoK8sApiCoreV1ResourceQuota, 'ResourceQuota'>,
  never
> = true;
export const storageClass: Same<
  Drift<Part<StorageClass>, IoK8sApiStorageV1StorageClass, 'StorageClass'>,
  never
> = true;
export const lease: Same<Drift<Part<Lease>, IoK8sApiCoordinationV1Lease, 'Lease'>, never> = true;
export const definition: Same<
  Drift<
    Part<CustomResourceDefinition>,
    IoK8sApiextensionsApiserverPkgApisApiextensionsV1CustomResourceDefinition,
    'CustomResourceDefinition'
  >,
  never
> = true;

/** The comparison itself: it finds an unknown field, a wrong type, and nothing where there is nothing. */
interface Example {
  readonly name: string;
  readonly list?: readonly { readonly size: number }[];
}
export const findsUnknown: Same<Drift<Example, { name: string }, 'e'>, 'e.list'> = true;
export const findsWrongType: Same<
  Drift<Example, { name: string; list?: { size: string }[] }, 'e'>,
  'e.list[].size'
> = true;
export const findsNothing: Same<
  Drift<Example, { name: string; list?: { size: number; more: string }[] }, 'e'>,
  never
> = true;
