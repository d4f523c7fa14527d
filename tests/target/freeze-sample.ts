import type { VirtualMachineImportSpec } from '../../src/api/virtual-machine-import.ts';
import { freezeImport } from '../../src/migration/freeze/freeze.ts';
import type { FreezeInput } from '../../src/migration/freeze/input.ts';
import { sampleInput, subjectOf } from './sample-import.ts';
import type { ImportSubject } from '../../src/target/labels.ts';

/** The frozen spec of the sample, changed as given. */
export function sampleSpec(changes: Partial<FreezeInput> = {}): VirtualMachineImportSpec {
  const { spec, findings } = freezeImport(sampleInput(changes));
  if (spec === undefined) throw new Error(`the sample does not freeze: ${JSON.stringify(findings)}`);
  return spec;
}

export function sampleSubject(changes: Partial<FreezeInput> = {}): ImportSubject {
  return subjectOf(sampleSpec(changes));
}
