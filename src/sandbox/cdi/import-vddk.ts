import type { PersistentVolumeClaim } from '../../api/external/core.ts';
import type { Stored } from '../../api/meta.ts';
import type { Extent } from '../disk-store.ts';
import type { VddkDisk } from '../world.ts';
import { copyAreas, type ImportParts } from './copy.ts';
import { claimTarget } from './import-target.ts';
import { failed, succeeded, transferFailed } from './importer-exit.ts';
import type { ProgramContext, ProgramExit } from './pod-runner.ts';

const vddkVersion = '8.0.2';

/** One stage: all of the disk (as it is, or as a snapshot froze it), or what changed between two of them. Fact: cdi 2.3, 3.6. */
export async function importVddk(
  parts: ImportParts,
  claim: Stored<PersistentVolumeClaim>,
  context: ProgramContext,
  signal: AbortSignal,
): Promise<ProgramExit> {
  const current = context.env['IMPORTER_CURRENT_CHECKPOINT'] ?? '';
  const previous = context.env['IMPORTER_PREVIOUS_CHECKPOINT'] ?? '';
  if (current === '' && previous !== '') {
    return failed('Unable to connect to vddk data source: previous checkpoint set without current');
  }
  let source: VddkDisk;
  try {
    source = openSource(parts, context, current);
  } catch (error) {
    return failed(messageOf(error));
  }
  using open = source;
  const copying = { parts, claim, context, source: open };
  const ended = previous === '' ? await copyAll(copying, signal) : await copyDelta(copying, previous, signal);
  if (ended !== undefined) return ended;
  return succeeded({
    scratchSpaceRequired: false,
    preallocationApplied: false,
    vddkInfo: { Version: vddkVersion, Host: open.host },
    message: 'Import Complete',
  });
}

function openSource({ vcenter }: ImportParts, { env, certs }: ProgramContext, snapshot: string): VddkDisk {
  if (vcenter === undefined) {
    throw new Error('Unable to connect to vddk data source: no such host');
  }
  return vcenter.openDisk({
    url: env['IMPORTER_ENDPOINT'] ?? '',
    thumbprint: env['IMPORTER_THUMBPRINT'] ?? '',
    user: env['IMPORTER_ACCESS_KEY_ID'] ?? '',
    password: env['IMPORTER_SECRET_KEY'] ?? '',
    uuid: env['IMPORTER_UUID'] ?? '',
    backingFile: env['IMPORTER_BACKING_FILE'] ?? '',
    ...(snapshot !== '' && { snapshot }),
    // Without a certificate folder nothing is verified (fact: cdi 3.1).
    ...(certs !== undefined && { caPem: certs }),
  });
}

interface Copying {
  readonly parts: ImportParts;
  readonly claim: Stored<PersistentVolumeClaim>;
  readonly context: ProgramContext;
  readonly source: VddkDisk;
}

/**
 * Free space is measured at the start, with what an earlier try left still there, and held against the image at the end: so on a file
 * system a retry may fail on size for ever (fact: cdi 0.9, 6). Progress counts holes, too, in whole percents (fact: cdi 3.2, vddk).
 */
async function copyAll(
  { parts, claim, context, source }: Copying,
  signal: AbortSignal,
): Promise<ProgramExit | undefined> {
  const { settings, disks } = parts;
  const volume = claimTarget(disks, claim, settings.filesystemTakes);
  const { freeBytes, capacityBytes, isBlock } = volume;
  const target = volume.clear(source.sizeBytes);
  const areas = source.extents();
  const percentAt = (offset: number): number => Math.floor((100 * offset) / source.sizeBytes);
  const seconds = settings.secondsPerDisk ?? sumOf(areas) / settings.copyBytesPerSecond;
  const ended = await copyAreas(
    parts,
    {
      source,
      target,
      capacityBytes,
      areas,
      seconds,
      claimName: claim.metadata.name,
      share: ({ offset }) => percentAt(offset),
      done: ({ offset, length }) => context.report(percentAt(offset + length)),
    },
    signal,
  );
  if (ended !== undefined) return ended;
  context.report(100);
  // A block volume's size is never looked at (seen in CDI 1.65).
  return isBlock || source.sizeBytes <= freeBytes
    ? undefined
    : failed(tooSmallText(source.sizeBytes, freeBytes));
}

/** Neither size nor space is looked at, nothing is resized, and the figure is of the whole disk, so it may stay at 0 (fact: cdi 3.2, 3.6). */
async function copyDelta(
  { parts, claim, context, source }: Copying,
  previous: string,
  signal: AbortSignal,
): Promise<ProgramExit | undefined> {
  const { disk: target } = claimTarget(parts.disks, claim);
  if (target === undefined) {
    return transferFailed('Disk image does not exist, cannot apply deltas for warm migration');
  }
  let areas: readonly Extent[];
  try {
    areas = source.changedAreas(previous);
  } catch (error) {
    return transferFailed(messageOf(error));
  }
  const dataBytes = sumOf(areas);
  const { secondsPerDisk, copyBytesPerSecond } = parts.settings;
  const seconds =
    secondsPerDisk === undefined
      ? dataBytes / copyBytesPerSecond
      : (secondsPerDisk * dataBytes) / source.sizeBytes;
  return copyAreas(
    parts,
    {
      source,
      target,
      capacityBytes: Infinity,
      areas,
      seconds,
      claimName: claim.metadata.name,
      share: (_piece, copied) => (100 * copied) / dataBytes,
      done: (_piece, copied) => context.report(Math.floor((100 * copied) / source.sizeBytes)),
    },
    signal,
  );
}

function sumOf(areas: readonly Extent[]): number {
  return areas.reduce((sum, { length }) => sum + length, 0);
}

function tooSmallText(imageBytes: number, freeBytes: number): string {
  return (
    'Unable to process data: Unable to resize disk image to requested size: ' +
    `virtual image size ${imageBytes} is larger than the reported available storage ${freeBytes}. ` +
    'A larger PVC is required'
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
