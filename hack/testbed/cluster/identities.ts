import type { TestbedUser } from '../control/testbed.ts';

/** Who the API server knows by a token: the people of a testbed, and the ServiceAccounts that its programs run as. */
export interface Identity {
  readonly user: string;
  readonly groups: readonly string[];
}

/**
 * Tokens for ServiceAccounts stand in for those that a kubelet would mount, so the products' own RBAC holds everywhere
 * (fact: testbed 7.1).
 */
export function serviceAccount(namespace: string, name: string): Identity {
  return {
    user: `system:serviceaccount:${namespace}:${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
  };
}

export const identities = {
  admin: { user: 'testbed-admin', groups: ['system:masters'] },
  /** As manifests/ have it. */
  gantry: serviceAccount('konveyor-forklift', 'forklift-controller'),
  /** A kubelet, a scheduler and a provisioner in one: may do all that they may. */
  node: { user: 'testbed-node', groups: ['system:masters'] },
  'kube-controller-manager': { user: 'system:kube-controller-manager', groups: [] },
  'cdi-controller': serviceAccount('cdi', 'cdi-sa'),
  'cdi-apiserver': serviceAccount('cdi', 'cdi-apiserver'),
  'virt-api': serviceAccount('kubevirt', 'kubevirt-apiserver'),
  'virt-controller': serviceAccount('kubevirt', 'kubevirt-controller'),
} satisfies Readonly<Record<TestbedUser | (string & {}), Identity>>;
export type IdentityName = keyof typeof identities;

export const identityNames = Object.keys(identities) as readonly IdentityName[];

/** The API server's file of static tokens: token, user, uid, groups. */
export function tokenFile(tokens: Readonly<Record<IdentityName, string>>): string {
  return identityNames
    .map((name) => {
      const { user, groups } = identities[name];
      return `${tokens[name]},${user},uid-${name},"${groups.join(',')}"\n`;
    })
    .join('');
}
