import { allKinds } from '../../../src/api/kinds.ts';
import { apiVersionOf, type KubeObject, type ResourceKind } from '../../../src/api/meta.ts';
import { TestbedError } from './testbed-error.ts';

const rbac = 'rbac.authorization.k8s.io';
const admission = 'admissionregistration.k8s.io';

function foreign(group: string, kind: string, plural: string, namespaced = false): ResourceKind {
  return { group, version: 'v1', kind, plural, namespaced, hasStatus: false };
}

export const serviceAccounts = foreign('', 'ServiceAccount', 'serviceaccounts', true);
export const csiDrivers = foreign('storage.k8s.io', 'CSIDriver', 'csidrivers');
export const nodes: ResourceKind = { ...foreign('', 'Node', 'nodes'), hasStatus: true };

/** What manifests hold besides the kinds that Gantry itself reads and writes. */
const foreignKinds: readonly ResourceKind[] = [
  serviceAccounts,
  csiDrivers,
  nodes,
  foreign('', 'Service', 'services', true),
  foreign('apps', 'Deployment', 'deployments', true),
  foreign(rbac, 'ClusterRole', 'clusterroles'),
  foreign(rbac, 'ClusterRoleBinding', 'clusterrolebindings'),
  foreign(rbac, 'Role', 'roles', true),
  foreign(rbac, 'RoleBinding', 'rolebindings', true),
  foreign(admission, 'ValidatingWebhookConfiguration', 'validatingwebhookconfigurations'),
  foreign(admission, 'MutatingWebhookConfiguration', 'mutatingwebhookconfigurations'),
  foreign(admission, 'ValidatingAdmissionPolicy', 'validatingadmissionpolicies'),
  foreign(admission, 'ValidatingAdmissionPolicyBinding', 'validatingadmissionpolicybindings'),
  { ...foreign('kubevirt.io', 'KubeVirt', 'kubevirts', true), hasStatus: true },
];

const kindsByName = new Map(
  [...allKinds, ...foreignKinds].map((kind) => [`${apiVersionOf(kind)} ${kind.kind}`, kind]),
);

/** Where objects like this one live. Throws TestbedError `UnknownKind`. */
export function kindOf({ apiVersion, kind, metadata }: KubeObject): ResourceKind {
  const found = kindsByName.get(`${apiVersion} ${kind}`);
  if (found === undefined) {
    throw new TestbedError(
      'UnknownKind',
      `${kind} ${metadata.name} (${apiVersion}): kinds.ts does not know the kind`,
    );
  }
  return found;
}
