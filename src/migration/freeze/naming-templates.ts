import type { Plan } from '../../api/plan.ts';
import type { PlanVm } from '../../api/plan-vm.ts';
import { dnsLabel, isDnsLabel } from '../names.ts';
import type { TemplateData } from './template/evaluate.ts';
import { compileTemplate, type Template } from './template/template.ts';

/** The three templates by which a user shapes names (forklift-api.md 1.7); the VM's own goes before the plan's. */
export type NamingField = 'pvcNameTemplate' | 'volumeNameTemplate' | 'networkNameTemplate';

/** Forklift's; read once, since most plans have no others. */
const defaults: Readonly<Record<NamingField, Template>> = {
  pvcNameTemplate: compileTemplate('{{trunc 15 .PlanName}}-{{trunc 15 .TargetVmName}}-disk-{{.DiskIndex}}'),
  volumeNameTemplate: compileTemplate('vol-{{.VolumeIndex}}'),
  networkNameTemplate: compileTemplate('net-{{.NetworkIndex}}'),
};

/** A DNS label, or one sentence that says why there is none. */
export type NamingResult =
  | { readonly name: string; readonly problem?: undefined }
  | { readonly name?: undefined; readonly problem: string };

/** Reads the template once for all disks or NICs of a VM. */
export function namingTemplate(
  field: NamingField,
  planVm: Pick<PlanVm, NamingField>,
  plan: Pick<Plan, 'spec'>,
): (data: TemplateData) => NamingResult {
  const chosen = [planVm[field], plan.spec[field]].find(
    (template) => template !== undefined && template.trim() !== '',
  );
  const render = chosen === undefined ? defaults[field] : compileTemplate(chosen);
  return (data) => {
    const rendered = render(data);
    if (rendered.error !== undefined) return { problem: `${field} at ${rendered.error.message}` };
    const text = rendered.text.trim();
    // Of our own template any output will do: plan and VM may have dots in their names.
    const name = chosen === undefined ? dnsLabel(text) : text;
    if (isDnsLabel(name)) return { name };
    const wanted = 'lower-case letters, digits and dashes, at most 63, with a letter or digit at both ends';
    return { problem: `${field} gives "${text.slice(0, 80)}", which is no name: expected ${wanted}` };
  };
}
