import { describe, expect, test } from '@jest/globals';
import type { Affinity } from '../../src/api/affinity.ts';
import { isLabelKey } from '../../src/api/label-value.ts';
import { freezeImport } from '../../src/migration/freeze/freeze.ts';
import { placementProblems } from '../../src/migration/freeze/placement.ts';
import { sampleInput, samplePlan } from '../target/sample-import.ts';

type PlanSpec = Parameters<typeof samplePlan>[0];
const problems = (spec: PlanSpec) => placementProblems(samplePlan(spec));

interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: string[];
}
function onNodes(...matchExpressions: Requirement[]): Affinity {
  return {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] },
    },
  };
}

describe('the placement that a plan asks for', () => {
  test('is taken where Kubernetes knows what is meant', () => {
    const targetAffinity: Affinity = {
      ...onNodes(
        { key: 'zone', operator: 'In', values: ['a'] },
        { key: 'cpus', operator: 'Gt', values: ['4'] },
      ),
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          {
            weight: 1,
            podAffinityTerm: {
              topologyKey: 'kubernetes.io/hostname',
              labelSelector: { matchExpressions: [{ key: 'app', operator: 'Exists' }] },
            },
          },
        ],
      },
    };
    const targetLabels = { team: 'a', 'example.com/team': 'A.b_c', empty: '' };
    expect(problems({ targetLabels, targetNodeSelector: { zone: 'a' }, targetAffinity })).toEqual([]);
  });

  test.each([
    [{ targetLabels: { 'not a key': 'x' } }, 'targetLabels: "not a key" is no key of a label'],
    [{ targetLabels: { team: '-a' } }, 'targetLabels: "-a" (of team) is no value of a label'],
    [
      { targetLabels: { 'kubevirt.io/nodeName': 'x' } },
      'KubeVirt keeps the label kubevirt.io/nodeName for itself',
    ],
    [{ targetNodeSelector: { zone: 'x'.repeat(64) } }, 'is no value of a label'],
    [
      { targetAffinity: onNodes({ key: 'z', operator: 'Like' }) },
      'targetAffinity: the requirement on "z" has the operator "Like"',
    ],
    [{ targetAffinity: onNodes({ key: 'z', operator: 'In' }) }, 'has the operator In and no values'],
    [{ targetAffinity: onNodes({ key: 'z', operator: 'Exists', values: ['a'] }) }, 'which takes no values'],
    [
      { targetAffinity: onNodes({ key: 'z', operator: 'Lt', values: ['a'] }) },
      'which takes one whole number',
    ],
    [{ targetAffinity: onNodes({ key: '', operator: 'Exists' }) }, '"" is no key of a label'],
    [
      {
        targetAffinity: {
          nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } },
        },
      },
      'nodeSelectorTerms is empty',
    ],
    [
      {
        targetAffinity: {
          podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: '' }] },
        },
      },
      '"" is no topologyKey',
    ],
  ] satisfies [PlanSpec, string][])('is refused with a reason: %j', (spec, reason) => {
    expect(problems(spec)).toEqual([expect.stringContaining(reason)]);
  });

  test('and then nothing is frozen, since KubeVirt would take the VM and never start it', () => {
    const plan = samplePlan({ targetLabels: { 'not a key': 'x' } });
    const { spec, findings } = freezeImport(sampleInput({ plan }));
    expect(spec).toBeUndefined();
    expect(findings).toEqual([
      {
        code: 'NotValid',
        severity: 'Critical',
        reason: 'NotValid',
        message: 'web-01: targetLabels: "not a key" is no key of a label',
      },
    ]);
  });
});

test.each([
  ['team', true],
  ['example.com/team', true],
  ['', false],
  ['/team', false],
  ['example.com/', false],
  ['Example.com/team', false],
  ['a/b/c', false],
  ['x'.repeat(64), false],
])('the key of a label may be %j: %p', (key, is) => {
  expect(isLabelKey(key)).toBe(is);
});
