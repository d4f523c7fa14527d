import type { FrozenDisk } from '../../api/virtual-machine-import.ts';
import type { Finding } from '../../model/source-data.ts';
import type { DiskModel } from '../../model/vm.ts';
import type { FreezeInput } from './input.ts';
import { mapStorage } from './mapping.ts';
import { claimNames, targetNames } from '../names.ts';
import { namingTemplate } from './naming-templates.ts';

/** What becomes of the disks of a VM. With a Critical finding the disks are of no use. */
export interface FrozenDisks {
  readonly disks: readonly FrozenDisk[];
  readonly findings: readonly Finding[];
}

interface PlacedDisk {
  readonly disk: DiskModel;
  readonly mode: FrozenDisk['mode'];
  readonly storage?: NonNullable<ReturnType<typeof mapStorage>>;
}

/** Every disk of the model is in the result or in a finding: none is ever left out in silence (design: import.md 2.4, V-COLD). */
export function freezeDisks(input: FreezeInput): FrozenDisks {
  const findings: Finding[] = [];
  const placed = input.model.disks.flatMap((disk) => {
    const result = placeDisk(disk, input);
    if ('code' in result) findings.push(result);
    return 'code' in result ? [] : [result];
  });
  const root = rootDiskIndex(input, placed);
  findings.push(...root.findings);
  const claims = nameClaims(input, placed, root.index, findings);
  const volumes = nameVolumes(input, claims, findings);
  const disks = placed.map((entry, position): FrozenDisk => {
    const { disk, mode, storage } = entry;
    return {
      key: disk.key,
      sourceId: disk.sourceId,
      index: disk.index,
      sizeBytes: disk.sizeBytes,
      class: storage?.storageClass ?? '',
      ...(storage?.accessMode !== undefined && { accessMode: storage.accessMode }),
      ...(storage?.volumeMode !== undefined && { volumeMode: storage.volumeMode }),
      claimName: claims[position] ?? '',
      volumeName: volumes[position] ?? '',
      bus: mode === 'lun' ? 'scsi' : lacksVirtio(input) ? 'sata' : 'virtio',
      ...(disk.index === root.index && { bootOrder: 1 }),
      mode,
    };
  });
  return { disks, findings };
}

/** Nobody puts virtio drivers into the guest, and the user does not say that they are there (fact: kubevirt 1.2). */
export function lacksVirtio({ plan }: Pick<FreezeInput, 'plan'>): boolean {
  return (plan.spec.skipGuestConversion ?? false) && (plan.spec.useCompatibilityMode ?? true);
}

function placeDisk(disk: DiskModel, { plan, planVm, model, storageMap }: FreezeInput): PlacedDisk | Finding {
  const what = `${model.name}: disk ${disk.taskName}`;
  if (disk.kind === 'cdrom') return { disk, mode: 'skip' };
  if (disk.kind === 'filesystem')
    return refusal('VMStorageNotSupported', `${what} is a shared folder, which cannot be copied`, disk);
  if (disk.kind === 'image' && disk.sourceId === '')
    return refusal('VMStorageNotSupported', `${what} has no name that it could be read by`, disk);
  if (disk.sizeBytes <= 0)
    return refusal('InvalidDiskSizes', `${what} has a size of ${disk.sizeBytes} bytes`, disk);
  if (disk.kind === 'lun' && (planVm.rdmAsLun ?? plan.spec.rdmAsLun ?? false)) {
    return refusal(
      'VMStorageNotSupported',
      `${what} is to become a LUN, which is not offered yet; unset rdmAsLun to copy it`,
      disk,
    );
  }
  if (disk.shared && !(planVm.migrateSharedDisks ?? plan.spec.migrateSharedDisks ?? true)) {
    const way =
      'attaching a disk that another plan has copied is not offered yet; set migrateSharedDisks to copy it';
    return refusal('VMStorageNotSupported', `${what} is shared: ${way}`, disk);
  }
  const storage = mapStorage(disk.storage, storageMap);
  if (storage !== undefined) return { disk, mode: 'copy', storage };
  const where = disk.storage.names[0] ?? disk.storage.ids[0] ?? 'an unknown place';
  return refusal(
    'VMStorageNotMapped',
    `${what} lies on ${where}, for which the storage map has no entry`,
    disk,
  );
}

function refusal(code: string, message: string, disk: DiskModel): Finding {
  return { code, severity: 'Critical', reason: 'NotValid', message, items: [disk.taskName] };
}

/** The disk that the guest boots from: the one that the plan names, else the first by the source's own order, else the first. */
function rootDiskIndex(
  { planVm, model }: FreezeInput,
  placed: readonly PlacedDisk[],
): { readonly index: number; readonly findings: readonly Finding[] } {
  const bootable = placed.filter((entry) => entry.mode !== 'skip').map((entry) => entry.disk);
  const ordered = bootable
    .filter((disk) => disk.bootOrder !== undefined)
    .sort((a, b) => (a.bootOrder ?? 0) - (b.bootOrder ?? 0));
  const fallback = (ordered[0] ?? bootable[0])?.index ?? -1;
  const { rootDisk } = planVm;
  if (rootDisk === undefined || rootDisk === '') return { index: fallback, findings: [] };
  const letter = /^(?:\/?dev\/)?(?:sd|vd|hd|xvd)([a-z])\d*$/.exec(rootDisk)?.[1];
  const named = letter === undefined ? undefined : bootable[letter.charCodeAt(0) - 'a'.charCodeAt(0)];
  if (named !== undefined) return { index: named.index, findings: [] };
  const message = `${model.name}: rootDisk "${rootDisk}" means none of its ${bootable.length} disks; the first one boots`;
  return { index: fallback, findings: [{ code: 'NotValid', severity: 'Warn', message }] };
}

/** Names of the claims, in order of the disks. */
function nameClaims(
  input: FreezeInput,
  placed: readonly PlacedDisk[],
  rootIndex: number,
  findings: Finding[],
): readonly string[] {
  const { plan, planVm, model, migration } = input;
  const render = namingTemplate('pvcNameTemplate', planVm, plan);
  const [preferred] = targetNames({
    run: { migration },
    vm: model,
    target:
      planVm.targetName === undefined || planVm.targetName === '' ? {} : { namePreferred: planVm.targetName },
  });
  const inputs = placed.map(({ disk }) => {
    const result = render({
      VmName: model.name,
      TargetVmName: preferred,
      PlanName: plan.metadata.name,
      DiskIndex: disk.index,
      VmId: model.id,
      RootDiskIndex: Math.max(rootIndex, 0),
      Shared: disk.shared,
      FileName: fileName(disk.sourceId),
      DiskId: disk.sourceId,
      WinDriveLetter: /^[A-Za-z]$/.test(disk.guestMount ?? '') ? (disk.guestMount ?? '').toLowerCase() : '',
    });
    if (result.problem !== undefined) findings.push(notValid(model.name, result.problem));
    return { base: result.name ?? '', diskKey: disk.key };
  });
  const exact = plan.spec.pvcNameTemplateUseGenerateName === false;
  const names = claimNames(inputs, { exact, migrationUid: migration.uid, vmId: model.id });
  reportTwice(names, 'pvcNameTemplate', model.name, findings);
  return names;
}

function nameVolumes(input: FreezeInput, claims: readonly string[], findings: Finding[]): readonly string[] {
  const render = namingTemplate('volumeNameTemplate', input.planVm, input.plan);
  const names = claims.map((claim, position) => {
    const result = render({ PVCName: claim, VolumeIndex: position });
    if (result.problem !== undefined) findings.push(notValid(input.model.name, result.problem));
    return result.name ?? '';
  });
  reportTwice(names, 'volumeNameTemplate', input.model.name, findings);
  return names;
}

export function notValid(vmName: string, problem: string): Finding {
  return { code: 'NotValid', severity: 'Critical', reason: 'NotValid', message: `${vmName}: ${problem}` };
}

/** A template without an index gives one name to all. */
export function reportTwice(
  names: readonly string[],
  field: string,
  vmName: string,
  findings: Finding[],
): void {
  const twice = names.find((name, position) => name !== '' && names.indexOf(name) !== position);
  if (twice !== undefined)
    findings.push(notValid(vmName, `${field} gives the name "${twice}" twice; use the index in it`));
}

/** "[store] dir/file.vmdk" is "file". */
function fileName(sourceId: string): string {
  const base = sourceId.slice(sourceId.lastIndexOf('/') + 1);
  return base.replace(/\.[^.]*$/, '');
}
