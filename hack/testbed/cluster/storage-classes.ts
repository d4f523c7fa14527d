import type { StorageClass } from '../../../src/api/external/core.ts';
import type { KubeObject } from '../../../src/api/meta.ts';

/** Who makes the volumes of a class. */
export const provisioners = {
  /** Has no CSIDriver object: CDI then imports straight into the claim (fact: cdi 1.2). */
  plain: 'testbed.gantry.dev/plain',
  /** Has one: CDI imports by a populator, into a claim of its own that is rebound. */
  csi: 'csi.testbed.gantry.dev',
} as const;

function storageClass(
  name: string,
  provisioner: string,
  volumeBindingMode: StorageClass['volumeBindingMode'] & string,
): StorageClass {
  const isDefault = name === defaultClass;
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: {
      name,
      ...(isDefault && { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } }),
    },
    provisioner,
    reclaimPolicy: 'Delete',
    volumeBindingMode,
  };
}

const defaultClass = 'standard';

export const storageClassObjects: readonly StorageClass[] = [
  storageClass(defaultClass, provisioners.plain, 'Immediate'),
  storageClass('standard-wffc', provisioners.plain, 'WaitForFirstConsumer'),
  storageClass('csi', provisioners.csi, 'Immediate'),
];

export const csiDriver: KubeObject & { readonly spec: { readonly attachRequired: boolean } } = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'CSIDriver',
  metadata: { name: provisioners.csi },
  spec: { attachRequired: false },
};
