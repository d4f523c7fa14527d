/** What to try against a sandbox that stays up. */
export function keepLines(kubeconfig: string, log: string): readonly string[] {
  return [
    'It stays up until Ctrl-C. In another terminal:',
    `  export KUBECONFIG=${kubeconfig}`,
    '  kubectl get plan,migration,vmimport -n gantry-demo',
    '  kubectl get vmimport -n gantry-demo -w',
    '  kubectl describe plan -n gantry-demo',
    '  kubectl get vm,pvc -n migrated',
    '  kubectl delete plan --all -n gantry-demo',
    `  tail ${log}`,
  ];
}
