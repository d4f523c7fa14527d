import { describe, expect, test } from '@jest/globals';
import type { JsonPatch, KubeObject, OwnerReference } from '../../src/api/meta.ts';
import {
  giveClaimToVm,
  setRunStrategy,
  stripImportLabel,
  takeClaimFromVm,
} from '../../src/target/release.ts';
import { applyPatch } from './json-patch.ts';

const dataVolume: OwnerReference = {
  apiVersion: 'cdi.kubevirt.io/v1beta1',
  kind: 'DataVolume',
  name: 'disk-0',
  uid: 'dv-uid',
  controller: true,
  blockOwnerDeletion: true,
};
const vm = { name: 'web-01', uid: 'vm-uid' };
const vmOwner = {
  apiVersion: 'kubevirt.io/v1',
  kind: 'VirtualMachine',
  ...vm,
  controller: false,
  blockOwnerDeletion: true,
};
const stranger: OwnerReference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'x-uid' };

function claimOwnedBy(...ownerReferences: readonly OwnerReference[]): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: 'disk-0',
      uid: 'claim-uid',
      labels: { 'gantry.dev/import': 'import-uid', plan: 'p' },
      ...(ownerReferences.length > 0 && { ownerReferences }),
    },
  };
}

const patched = (object: KubeObject, patch: JsonPatch) => applyPatch(object, patch) as KubeObject;

describe('a claim given to the VM', () => {
  test('has the VM for owner, in the place of the DataVolume', () => {
    const claim = claimOwnedBy(dataVolume);
    const after = patched(claim, giveClaimToVm(claim, 'dv-uid', vm));
    expect(after.metadata.ownerReferences).toEqual([vmOwner]);
  });

  test('keeps its other owners', () => {
    const claim = claimOwnedBy(stranger, dataVolume);
    const after = patched(claim, giveClaimToVm(claim, 'dv-uid', vm));
    expect(after.metadata.ownerReferences).toEqual([stranger, vmOwner]);
  });

  test('stays as it is when it is given again', () => {
    const claim = claimOwnedBy(dataVolume);
    const after = patched(claim, giveClaimToVm(claim, 'dv-uid', vm));
    expect(patched(after, giveClaimToVm(after, 'dv-uid', vm))).toEqual(after);
  });

  test('is left alone when somebody else owns it', () => {
    for (const claim of [claimOwnedBy(stranger), claimOwnedBy()]) {
      expect(() => patched(claim, giveClaimToVm(claim, 'dv-uid', vm))).toThrow(/test failed/);
    }
  });

  test('is left alone when its owners changed after it was read', () => {
    const patch = giveClaimToVm(claimOwnedBy(dataVolume), 'dv-uid', vm);
    expect(() => patched(claimOwnedBy(dataVolume, stranger), patch)).toThrow(/test failed/);
  });

  test('is left alone when another claim has its name now', () => {
    const claim = claimOwnedBy(dataVolume);
    const other = { ...claim, metadata: { ...claim.metadata, uid: 'other' } };
    expect(() => patched(other, giveClaimToVm(claim, 'dv-uid', vm))).toThrow(/test failed/);
  });
});

describe('a claim taken from the VM', () => {
  test('has no owner left, so that deleting the VM leaves it', () => {
    const claim = claimOwnedBy(vmOwner);
    const after = patched(claim, takeClaimFromVm(claim, 'vm-uid'));
    expect(after.metadata).not.toHaveProperty('ownerReferences');
    expect(patched(after, takeClaimFromVm(after, 'vm-uid'))).toEqual(after);
  });

  test('keeps owners that are not the VM', () => {
    const claim = claimOwnedBy(stranger, vmOwner);
    expect(patched(claim, takeClaimFromVm(claim, 'vm-uid')).metadata.ownerReferences).toEqual([stranger]);
  });
});

describe('our label', () => {
  test('goes, and Forklift’s stay', () => {
    const after = patched(claimOwnedBy(), stripImportLabel('import-uid', 'claim-uid'));
    expect(after.metadata.labels).toEqual({ plan: 'p' });
  });

  test('of another import stays', () => {
    expect(() => patched(claimOwnedBy(), stripImportLabel('later-import', 'claim-uid'))).toThrow(
      /test failed/,
    );
  });
});

describe('the run strategy', () => {
  const halted = {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachine',
    metadata: { name: 'v', uid: 'vm-uid' },
    spec: { runStrategy: 'Halted' },
  };

  test('changes from Halted to Always and back', () => {
    const running = patched(halted, setRunStrategy('vm-uid', 'Always'));
    expect(running).toMatchObject({ spec: { runStrategy: 'Always' } });
    expect(patched(running, setRunStrategy('vm-uid', 'Halted'))).toEqual(halted);
  });

  test('that a user has chosen is left alone', () => {
    const manual = { ...halted, spec: { runStrategy: 'Manual' } };
    expect(() => patched(manual, setRunStrategy('vm-uid', 'Always'))).toThrow(/test failed/);
  });
});
