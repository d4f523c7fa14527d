import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { virtualMachineImports } from '../../src/api/kinds.ts';
import { validate } from '../../src/api/validate.ts';
import { buildImport } from '../../src/migration/freeze/build-import.ts';
import { freezeImport } from '../../src/migration/freeze/freeze.ts';
import type { FreezeInput } from '../../src/migration/freeze/input.ts';
import { targetNames } from '../../src/migration/names.ts';
import { buildDataVolume } from '../../src/target/data-volume.ts';
import { buildVirtualMachine } from '../../src/target/virtual-machine/virtual-machine.ts';
import { checkInstance, checkVirtualMachine } from '../../src/sandbox/kubevirt/check-virtual-machine.ts';
import { unreadable } from '../../src/sandbox/kubevirt/decode.ts';
import { admissionProblems, isDnsLabel, isLabelValue } from './kubevirt-admission.ts';
import { freezeInputs } from './freeze-inputs.ts';
import { runs } from '../support/runs.ts';

const often = runs(400);

function frozen(input: FreezeInput) {
  const { spec, findings } = freezeImport(input);
  if (spec === undefined) return { findings };
  const built = buildImport(spec, 'plans');
  return { built, findings, subject: { ...built, metadata: { ...built.metadata, uid: 'import-uid' } } };
}

describe('whatever VM a source describes, and whatever maps and choices a plan makes', () => {
  test('the target VM passes the rules of KubeVirt’s admission, under either name it may get', () => {
    let built = 0;
    fc.assert(
      fc.property(freezeInputs, (input) => {
        const { subject } = frozen(input);
        if (subject === undefined) return;
        built += 1;
        for (const name of targetNames(subject.spec)) {
          const claims = new Map(subject.spec.disks.map((disk) => [disk.key, disk.claimName]));
          const vm = buildVirtualMachine(subject, { name, claims });
          expect(admissionProblems(vm)).toEqual([]);
          // The sandbox takes what KubeVirt takes, and its instance too, once the VM is started.
          expect([unreadable(vm), ...checkVirtualMachine(vm)]).toEqual([undefined]);
          if (vm.spec.instancetype === undefined) expect(checkInstance(vm.spec.template.spec)).toEqual([]);
        }
      }),
      often,
    );
    // A generator that only makes VMs which cannot be frozen would prove nothing.
    expect(built).toBeGreaterThan(often.numRuns / 4);
  });

  test('the import is what its own schema allows', () => {
    fc.assert(
      fc.property(freezeInputs, (input) => {
        const { built } = frozen(input);
        if (built !== undefined) expect(validate(virtualMachineImports, built)).toEqual([]);
      }),
      often,
    );
  });

  test('no disk and no NIC is lost: each is in the spec, or nothing is frozen and a Critical finding says why', () => {
    fc.assert(
      fc.property(freezeInputs, (input) => {
        const { subject, findings } = frozen(input);
        if (subject === undefined) {
          expect(findings.some((finding) => finding.severity === 'Critical')).toBe(true);
          return;
        }
        expect(subject.spec.disks.map((disk) => disk.key)).toEqual(input.model.disks.map((disk) => disk.key));
        expect(subject.spec.nics.map((nic) => nic.key)).toEqual(input.model.nics.map((nic) => nic.key));
        expect(findings.every((finding) => finding.severity !== 'Critical')).toBe(true);
      }),
      often,
    );
  });

  test('DataVolumes have names of their own, labels that are valid, and room for the whole disk', () => {
    fc.assert(
      fc.property(freezeInputs, fc.integer({ min: 0, max: 10 }), (input, growPercent) => {
        const { subject } = frozen(input);
        if (subject === undefined) return;
        const volumes = subject.spec.disks.map((disk) =>
          buildDataVolume(subject, disk, { blank: {} }, { growPercent }),
        );
        const names = volumes.map((volume) => volume.metadata.name);
        expect(names.filter((name) => !isDnsLabel(name))).toEqual([]);
        expect(new Set(names).size).toBe(names.length);
        const labels = volumes.flatMap((volume) => Object.values(volume.metadata.labels ?? {}));
        expect(labels.filter((value) => !isLabelValue(value))).toEqual([]);
        const diskLabels = volumes.map((volume) => volume.metadata.labels?.['gantry.dev/disk']);
        expect(new Set(diskLabels).size).toBe(volumes.length);
        volumes.forEach((volume, position) => {
          const bytes = Number(volume.spec.storage?.resources?.requests?.['storage']);
          expect(bytes).toBeGreaterThanOrEqual(subject.spec.disks[position]!.sizeBytes);
          expect(bytes % 2 ** 20).toBe(0);
        });
      }),
      often,
    );
  });

  test('the same input gives the same objects', () => {
    fc.assert(
      fc.property(freezeInputs, (input) => {
        expect(frozen(structuredClone(input))).toEqual(frozen(input));
      }),
      runs(100),
    );
  });
});
