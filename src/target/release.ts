import { importLabel } from '../api/labels.ts';
import { pointerToken, type JsonPatch, type KubeObject, type OwnerReference } from '../api/meta.ts';

/**
 * The few changes that are made to objects that stay: each a JSON patch whose tests name the very object and the state it must be in.
 * Where a test fails the server answers Invalid, nothing has happened, and the world is looked at again. Every one may be repeated.
 */

const owners = '/metadata/ownerReferences';

/**
 * Makes the VM the owner of a claim in place of the DataVolume, so that deleting the DataVolume leaves the disk (review.md F39). Other
 * owners stay. A claim that the VM owns already is only tested; one that neither of them owns fails the test.
 */
export function giveClaimToVm(
  claim: KubeObject,
  dataVolumeUid: string,
  vm: { readonly name: string; readonly uid: string },
): JsonPatch {
  const found = ownersOf(claim);
  if (found.some((owner) => owner.uid === vm.uid)) return [testUid(claim), testOwners(found)];
  const position = found.findIndex((owner) => owner.uid === dataVolumeUid);
  const owner = vmOwner(vm);
  if (position < 0) {
    return [
      testUid(claim),
      { op: 'test', path: `${owners}/0/uid`, value: dataVolumeUid },
      replaceOwners([owner]),
    ];
  }
  return [testUid(claim), testOwners(found), replaceOwners(found.with(position, owner))];
}

/** Takes a claim out of the VM's ownership, so that deleting the VM leaves the disk. A claim that it does not own is only tested. */
export function takeClaimFromVm(claim: KubeObject, vmUid: string): JsonPatch {
  const found = ownersOf(claim);
  const left = found.filter((owner) => owner.uid !== vmUid);
  if (left.length === found.length) return [testUid(claim)];
  const change = left.length === 0 ? ({ op: 'remove', path: owners } as const) : replaceOwners(left);
  return [testUid(claim), testOwners(found), change];
}

/** Hand-over: the object is the user's from here on. Forklift's labels stay for its clients. */
export function stripImportLabel(importUid: string, objectUid: string): JsonPatch {
  const path = `/metadata/labels/${pointerToken(importLabel)}`;
  return [
    { op: 'test', path: '/metadata/uid', value: objectUid },
    { op: 'test', path, value: importUid },
    { op: 'remove', path },
  ];
}

/** From Halted to Always or back; any other strategy is a user's choice, which the test leaves alone. */
export function setRunStrategy(vmUid: string, runStrategy: 'Always' | 'Halted'): JsonPatch {
  const path = '/spec/runStrategy';
  return [
    { op: 'test', path: '/metadata/uid', value: vmUid },
    { op: 'test', path, value: runStrategy === 'Always' ? 'Halted' : 'Always' },
    { op: 'replace', path, value: runStrategy },
  ];
}

/** Not the controller: KubeVirt treats a claim with such an owner as an ordinary disk, and deletes it with the VM (fact: plan 4.8). */
function vmOwner(vm: { readonly name: string; readonly uid: string }): OwnerReference {
  return {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachine',
    name: vm.name,
    uid: vm.uid,
    controller: false,
    blockOwnerDeletion: true,
  };
}

function ownersOf(object: KubeObject): readonly OwnerReference[] {
  return object.metadata.ownerReferences ?? [];
}

function testUid(object: KubeObject): JsonPatch[number] {
  return { op: 'test', path: '/metadata/uid', value: object.metadata.uid };
}

function testOwners(value: readonly OwnerReference[]): JsonPatch[number] {
  return { op: 'test', path: owners, value };
}

function replaceOwners(value: readonly OwnerReference[]): JsonPatch[number] {
  return { op: 'replace', path: owners, value };
}
