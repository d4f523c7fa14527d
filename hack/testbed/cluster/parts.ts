/** `kinds`: they are served, and nobody works on them. */
export type Part = 'programs' | 'kinds' | 'absent';

/** What besides etcd, kube-apiserver and kube-controller-manager. */
export interface TestbedParts {
  readonly cdi: Part;
  readonly kubevirt: Part;
  /** Pod runner, provisioner and their storage classes. Without it nobody binds claims either: whoever stands for storage does. */
  readonly node: boolean;
}

export const wholeTestbed: TestbedParts = { cdi: 'programs', kubevirt: 'programs', node: true };
