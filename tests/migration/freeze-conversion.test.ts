import { describe, expect, test } from '@jest/globals';
import { freezeImport } from '../../src/migration/freeze/freeze.ts';
import type { ConversionConfig } from '../../src/migration/freeze/conversion.ts';
import type { PlanSpec } from '../../src/api/plan.ts';
import type { PlanVm } from '../../src/api/plan-vm.ts';
import { sampleInput } from '../target/sample-import.ts';

const config: ConversionConfig = { image: 'v2v:1', xfsImage: 'v2v:xfs', requestsKvm: true };

function freeze(
  spec: Partial<PlanSpec> = {},
  conversion: ConversionConfig = config,
  planVm: Partial<PlanVm> = {},
) {
  const input = sampleInput();
  return freezeImport({
    ...input,
    plan: { ...input.plan, spec: { ...input.plan.spec, skipGuestConversion: false, ...spec } },
    planVm: { ...input.planVm, ...planVm },
    source: { ...input.source, converts: true, path: 'vddk' },
    conversion,
  });
}
const frozen = (...of: Parameters<typeof freeze>) => freeze(...of).spec;

test.each([
  [{ convertorLabels: { 'not a key': 'x' } }, 'convertorLabels'],
  [{ convertorNodeSelector: { key: 'not a value' } }, 'convertorNodeSelector'],
  [{ conversionTempStorageClass: 'fast' }, 'only together'],
  [{ conversionTempStorageClass: 'fast', conversionTempStorageSize: 'much' }, 'no quantity'],
])('what no pod could be made of is refused before anything is touched (%p)', (spec, words) => {
  const result = freeze(spec);
  expect(result.spec).toBeUndefined();
  expect(result.findings.map(({ message }) => message).join()).toContain(words);
  expect(freeze({ ...spec, skipGuestConversion: true }).spec).toBeDefined();
});

describe('how a guest is to be converted', () => {
  test('is frozen with the import: a later change of Plan or environment does not change its run', () => {
    expect(frozen()).toMatchObject({
      strategy: { conversion: 'inPlace' },
      conversion: { image: 'v2v:1', requestsKvm: true, clevis: false, labels: {}, nodeSelector: {} },
    });
  });

  test('takes the image of the Plan before that of the environment, and one for old file systems where asked', () => {
    expect(frozen({ virtV2vImage: 'own', xfsCompatibility: true })?.conversion?.image).toBe('own');
    expect(frozen({ xfsCompatibility: true })?.conversion?.image).toBe('v2v:xfs');
    expect(frozen({ xfsCompatibility: true }, { image: 'v2v:1', requestsKvm: true })?.conversion?.image).toBe(
      'v2v:1',
    );
    expect(frozen({}, { requestsKvm: true })?.conversion).toBeUndefined();
  });

  test('says where its pod may run, and on what', () => {
    const affinity = { podAntiAffinity: {} };
    const spec = frozen(
      {
        convertorLabels: { a: 'b' },
        convertorNodeSelector: { c: 'd' },
        convertorAffinity: affinity,
        conversionTempStorageClass: 'fast',
        conversionTempStorageSize: '10Gi',
      },
      { image: 'v2v:1', requestsKvm: false, seccompProfile: 'profiles/unshare.json' },
      { nbdeClevis: true },
    );
    expect(spec?.conversion).toEqual({
      image: 'v2v:1',
      requestsKvm: false,
      seccompProfile: 'profiles/unshare.json',
      clevis: true,
      labels: { a: 'b' },
      nodeSelector: { c: 'd' },
      affinity: JSON.stringify(affinity),
      tempStorage: { class: 'fast', size: '10Gi' },
    });
  });

  test('is nothing for who skips it, and for a VM without a disk to convert', () => {
    expect(frozen({ skipGuestConversion: true })?.conversion).toBeUndefined();
    const input = sampleInput();
    const bare = freezeImport({
      ...input,
      plan: { ...input.plan, spec: { ...input.plan.spec, skipGuestConversion: false } },
      model: { ...input.model, disks: [] },
      source: { ...input.source, converts: true, path: 'vddk' },
      conversion: config,
    });
    expect(bare.spec?.strategy.conversion).toBe('none');
  });
});
