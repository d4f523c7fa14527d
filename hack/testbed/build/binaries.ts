/** Programs and libraries that a testbed is made of. */
export const binaryNames = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kubectl',
  'cdi-controller',
  'cdi-apiserver',
  'cdi-importer',
  'cdi-manifests',
  'virt-api',
  'virt-controller',
  'kubevirt-manifests',
  'govc',
  /** nbdkit plugin that stands for VMware's library. */
  'libvddk-test-plugin.so',
] as const;
export type BinaryName = (typeof binaryNames)[number];
