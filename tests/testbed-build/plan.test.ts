import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { BinaryName } from '../../hack/testbed/build/binaries.ts';
import { planBuild, secondsLeft, type PlanInput } from '../../hack/testbed/build/plan.ts';
import { products, type Cost, type Product } from '../../hack/testbed/build/products.ts';

const nothing: PlanInput = { products, only: [], force: false, given: new Set(), stored: new Set() };
const namesOf = (list: readonly Product[]): readonly BinaryName[] => list.map(({ name }) => name);
const all = namesOf(products);

describe('what is built', () => {
  test('everything, in the order of the table, when the cache is empty', () => {
    expect(namesOf(planBuild(nothing).build)).toEqual(all);
    expect(planBuild(nothing).ready).toEqual([]);
  });

  test('only what the cache lacks', () => {
    const { build, ready } = planBuild({ ...nothing, stored: new Set(['etcd', 'govc'] as const) });
    expect(namesOf(build)).toEqual(all.filter((name) => name !== 'etcd' && name !== 'govc'));
    expect(ready).toEqual(['etcd', 'govc']);
  });

  test('only what was asked for, and by force also what is there', () => {
    const asked: PlanInput = { ...nothing, only: ['kubectl', 'etcd'], stored: new Set(['etcd'] as const) };
    expect(namesOf(planBuild(asked).build)).toEqual(['kubectl']);
    expect(namesOf(planBuild({ ...asked, force: true }).build)).toEqual(['kubectl', 'etcd']);
  });

  test('nothing that KUBEBUILDER_ASSETS gives, not even by force', () => {
    const given = new Set(['etcd', 'kube-apiserver', 'kubectl'] as const);
    const { build, ready } = planBuild({ ...nothing, given, force: true });
    expect(namesOf(build)).toEqual(all.filter((name) => !new Set<string>(given).has(name)));
    expect(ready.toSorted()).toEqual([...given].toSorted());
  });
});

const costs = (...cold: readonly number[]): readonly Cost[] =>
  cold.map((coldSeconds) => ({ coldSeconds, warmSeconds: 1 }));
const [big = { coldSeconds: 0, warmSeconds: 0 }, ...rest] = costs(200, 60, 40);

describe('the estimate', () => {
  test('is the known cold cost as long as nothing is known', () => {
    expect(secondsLeft([], undefined, [big, ...rest])).toBe(300);
    expect(secondsLeft([], { cost: big, seconds: 50 }, rest)).toBe(250);
  });

  test('follows the pace of the machine', () => {
    expect(secondsLeft([{ cost: big, seconds: 420 }], undefined, rest)).toBeCloseTo(200, 0);
    expect(secondsLeft([{ cost: big, seconds: 2 }], undefined, rest)).toBeCloseTo(10, 0);
  });

  test('never falls below what linking takes', () => {
    const small = costs(1, 1, 1);
    expect(secondsLeft([{ cost: big, seconds: 0 }], undefined, small)).toBe(3);
  });

  test('grows for the rest when the one at work takes longer than expected', () => {
    expect(secondsLeft([], { cost: big, seconds: 400 }, rest)).toBeGreaterThan(180);
  });

  test('is never negative and never smaller with more to do', () => {
    const cost = fc.record({ coldSeconds: fc.nat(300), warmSeconds: fc.nat(5) });
    const timed = fc.record({ cost, seconds: fc.nat(2000) });
    fc.assert(
      fc.property(
        fc.array(timed),
        fc.option(timed, { nil: undefined }),
        fc.array(cost),
        cost,
        (done, now, left, more) => {
          const estimate = secondsLeft(done, now, left);
          expect(estimate).toBeGreaterThanOrEqual(0);
          expect(secondsLeft(done, now, [...left, more])).toBeGreaterThanOrEqual(estimate);
        },
      ),
    );
  });
});
