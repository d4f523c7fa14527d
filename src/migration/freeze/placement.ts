import type { Affinity } from '../../api/affinity.ts';
import { isLabelKey, isLabelValue } from '../../api/label-value.ts';
import type { Plan } from '../../api/plan.ts';
import type { VirtualMachineImportSpec } from '../../api/virtual-machine-import.ts';
import { parseQuantity } from '../../model/quantity.ts';

export function freezePlacement({ spec }: Pick<Plan, 'spec'>): VirtualMachineImportSpec['placement'] {
  return {
    labels: spec.targetLabels ?? {},
    nodeSelector: spec.targetNodeSelector ?? {},
    ...(spec.targetAffinity !== undefined && { affinity: JSON.stringify(spec.targetAffinity) }),
  };
}

/**
 * What KubeVirt would not take of a plan's labels, selector and affinity, or what it takes and no pod can be made of: then the VM would
 * be there and never start. Sentences; none where all is well. Fact: KubeVirt 1.8 looks at neither keys nor values of labels.
 */
export function placementProblems({ spec }: Pick<Plan, 'spec'>): readonly string[] {
  return [
    ...labelProblems('targetLabels', spec.targetLabels ?? {}),
    ...Object.keys(spec.targetLabels ?? {})
      .filter((key) => reservedLabels.includes(key))
      .map((key) => `targetLabels: KubeVirt keeps the label ${key} for itself`),
    ...labelProblems('targetNodeSelector', spec.targetNodeSelector ?? {}),
    ...(spec.targetAffinity === undefined ? [] : affinityProblems('targetAffinity', spec.targetAffinity)),
    ...(spec.skipGuestConversion === true ? [] : convertorProblems(spec)),
  ];
}

/** Fact: kubevirt 1.2. */
const reservedLabels: readonly string[] = [
  'kubevirt.io/created-by',
  'kubevirt.io/migrationJobUID',
  'kubevirt.io/nodeName',
  'kubevirt.io/migrationTargetNodeName',
  'kubevirt.io/schedulable',
  'kubevirt.io/install-strategy',
];

function labelProblems(field: string, labels: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(labels).flatMap(([key, value]) => {
    if (!isLabelKey(key)) return [`${field}: "${key}" is no key of a label`];
    return isLabelValue(value) ? [] : [`${field}: "${value}" (of ${key}) is no value of a label`];
  });
}

/** The same of the pods that convert guests, and of their scratch space: they are made when the source is off already. */
function convertorProblems(spec: Plan['spec']): readonly string[] {
  const { conversionTempStorageClass: tempClass = '', conversionTempStorageSize: tempSize = '' } = spec;
  return [
    ...labelProblems('convertorLabels', spec.convertorLabels ?? {}),
    ...labelProblems('convertorNodeSelector', spec.convertorNodeSelector ?? {}),
    ...(spec.convertorAffinity === undefined
      ? []
      : affinityProblems('convertorAffinity', spec.convertorAffinity)),
    ...((tempClass === '') === (tempSize === '')
      ? []
      : ['conversionTempStorageClass and conversionTempStorageSize are of use only together']),
    ...(tempSize === '' || isQuantity(tempSize)
      ? []
      : [`conversionTempStorageSize: "${tempSize}" is no quantity`]),
  ];
}

function isQuantity(text: string): boolean {
  try {
    return parseQuantity(text) > 0;
  } catch {
    return false;
  }
}

function affinityProblems(
  field: string,
  { nodeAffinity, podAffinity, podAntiAffinity }: Affinity,
): readonly string[] {
  const required = nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const terms = [
    ...(required?.nodeSelectorTerms ?? []),
    ...(nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
      ({ preference }) => preference,
    ),
  ];
  const ofNodes = terms.flatMap(({ matchExpressions = [] }) =>
    matchExpressions.flatMap((requirement) => requirementProblems(requirement, nodeOperators)),
  );
  const podTerms = [podAffinity, podAntiAffinity].flatMap((rules) => [
    ...(rules?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(rules?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
      ({ podAffinityTerm }) => podAffinityTerm,
    ),
  ]);
  const ofPods = podTerms.flatMap(({ topologyKey, labelSelector }) => [
    ...(isLabelKey(topologyKey) ? [] : [`"${topologyKey}" is no topologyKey`]),
    ...(labelSelector?.matchExpressions ?? []).flatMap((requirement) =>
      requirementProblems(requirement, podOperators),
    ),
  ]);
  const isEmpty = required?.nodeSelectorTerms.length === 0;
  const problems = [...(isEmpty ? ['nodeSelectorTerms is empty'] : []), ...ofNodes, ...ofPods];
  return problems.map((problem) => `${field}: ${problem}`);
}

const podOperators: readonly string[] = ['In', 'NotIn', 'Exists', 'DoesNotExist'];
const nodeOperators: readonly string[] = [...podOperators, 'Gt', 'Lt'];

interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

/** Kubernetes' rules for one requirement of a selector. */
function requirementProblems(
  { key, operator, values = [] }: Requirement,
  operators: readonly string[],
): readonly string[] {
  const what = `the requirement on "${key}"`;
  if (!isLabelKey(key)) return [`"${key}" is no key of a label`];
  if (!operators.includes(operator))
    return [`${what} has the operator "${operator}", and not one of ${operators.join(', ')}`];
  if (operator === 'In' || operator === 'NotIn')
    return values.length > 0 ? [] : [`${what} has the operator ${operator} and no values`];
  if (operator === 'Gt' || operator === 'Lt') {
    const [value = ''] = values;
    const isNumber = values.length === 1 && /^-?\d+$/.test(value);
    return isNumber ? [] : [`${what} has the operator ${operator}, which takes one whole number`];
  }
  return values.length === 0 ? [] : [`${what} has the operator ${operator}, which takes no values`];
}
