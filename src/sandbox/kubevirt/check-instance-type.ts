import type { VirtualMachine, VirtualMachineInstanceSpec } from '../../api/external/kubevirt.ts';

/**
 * What every instance type says, so that a template may not say it too (fact: kubevirt 1.2): counts of CPUs and memory. A type is taken
 * to exist, and to say no more.
 */
export function checkInstanceType({ spec: { instancetype, template } }: VirtualMachine): readonly string[] {
  if (instancetype === undefined) return [];
  const { cpu, memory, resources } = template.spec.domain;
  const said = {
    'resources.requests.cpu': resources?.requests?.['cpu'],
    'resources.limits.cpu': resources?.limits?.['cpu'],
    'cpu.sockets': cpu?.sockets,
    'cpu.cores': cpu?.cores,
    'cpu.threads': cpu?.threads,
    'memory.guest': memory?.guest,
  };
  const conflicts = Object.entries(said).filter(([, value]) => value !== undefined && value !== 0);
  return conflicts.map(
    ([name]) => `VM field(s) spec.template.spec.domain.${name} conflicts with selected instance type`,
  );
}

/** The template with what its instance type gives it, which is what KubeVirt judges: some CPUs and some memory. */
export function withInstanceType({
  spec: { instancetype, template },
}: VirtualMachine): VirtualMachineInstanceSpec {
  if (instancetype === undefined) return template.spec;
  const { domain } = template.spec;
  return {
    ...template.spec,
    domain: { ...domain, cpu: { ...domain.cpu, sockets: 1 }, memory: { guest: '2Gi' } },
  };
}
