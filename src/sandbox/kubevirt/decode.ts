import type { Affinity } from '../../api/affinity.ts';
import type { Domain, VirtualMachine } from '../../api/external/kubevirt.ts';
import { quantityValue } from '../storage/quantity.ts';

const badQuantity =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

const operators: readonly string[] = ['DoesNotExist', 'Exists', 'Gt', 'In', 'Lt', 'NotIn'];

export interface Unreadable {
  readonly code: 400 | 422;
  readonly why: string;
}

/**
 * Why virt-api cannot read a VirtualMachine at all, though the definition in the API server lets it pass; undefined when it can. Its
 * mutating webhook says so: of amounts that are none, of numbers below zero where its types have no sign, and of what its own, stricter
 * schema does not know.
 */
export function unreadable(vm: VirtualMachine): Unreadable | undefined {
  const { template } = vm.spec as { readonly template?: VirtualMachine['spec']['template'] };
  if (template === undefined) return undefined;
  const { domain, affinity } = template.spec;
  const operator = unknownOperator(affinity);
  if (operator !== undefined) return { code: 422, why: operator };
  const why = badAmount(domain) ?? negativeNumber(domain);
  return why === undefined ? undefined : { code: 400, why };
}

function unknownOperator(affinity: Affinity | undefined): string | undefined {
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  const used = (terms ?? []).flatMap(({ matchExpressions = [] }) => matchExpressions);
  if (used.every(({ operator }) => operators.includes(operator))) return undefined;
  const at =
    'spec.template.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms';
  return `${at}.matchExpressions.operator in body should be one of [${operators.join(' ')}]`;
}

function badAmount({ memory, resources }: Domain): string | undefined {
  const amounts = [
    memory?.guest,
    ...Object.values(resources?.requests ?? {}),
    ...Object.values(resources?.limits ?? {}),
  ];
  const isBad = amounts.some((text) => text !== undefined && quantityValue(text) === undefined);
  return isBad ? badQuantity : undefined;
}

function negativeNumber({ cpu, devices }: Domain): string | undefined {
  const unsigned = [
    ...(['cores', 'sockets', 'threads'] as const).map(
      (name) => [cpu?.[name], `cpu.${name}`, 'uint32'] as const,
    ),
    ...(devices.disks ?? []).map(({ bootOrder }) => [bootOrder, 'devices.disks.bootOrder', 'uint'] as const),
    ...(devices.interfaces ?? []).map(
      ({ bootOrder }) => [bootOrder, 'devices.interfaces.bootOrder', 'uint'] as const,
    ),
  ];
  const below = unsigned.find(([number]) => number !== undefined && number < 0);
  if (below === undefined) return undefined;
  const [number, place, type] = below;
  const field = `VirtualMachineInstanceTemplateSpec.spec.template.spec.domain.${place}`;
  return `json: cannot unmarshal number ${String(number)} into Go struct field ${field} of type ${type}`;
}
