import type { PersistentVolumeClaim, Pod } from '../../api/external/core.ts';
import type { Stored } from '../../api/meta.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Disk, DiskStore } from '../disk-store.ts';
import { claimDiskId } from '../storage/volume-size.ts';
import type { Faults } from '../world.ts';
import type { ConversionSettings } from './settings.ts';

/** Bytes that a converter has written, by which alone a converted disk differs from its source (design: sandbox.md "byte-equal"). */
export interface ConversionWrite {
  readonly namespace: string;
  readonly claim: string;
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly isWhole: boolean;
}

export interface ConverterDeps {
  readonly clock: Clock;
  readonly disks: DiskStore;
  readonly faults: Faults;
  readonly settings: ConversionSettings;
  written(write: ConversionWrite): void;
}

const markerBytes = 4096;
/** Where small disks of tests have data, too. */
const markerOffset = 128 * 1024;
const marker = Buffer.alloc(markerBytes, 'converted by the sandbox ');

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** What a container of the image comes to: it serves until it is told to end, or ends by itself. */
export type Conversion =
  | { readonly answers: ReadonlyMap<string, Answer> }
  | { readonly exitCode: number; readonly lastWords: string };

/**
 * Forklift's virt-v2v image, in place, as far as its contract goes (facts: kubevirt 2; cmd/virt-v2v and pkg/virt-v2v of 2.12): what it reads
 * of its environment, which disks it finds and in which order, what it serves. Of the conversion itself there is a marker of 4 KiB on the
 * first disk, which is written half-way.
 */
export async function convert(
  pod: Stored<Pod>,
  claims: ReadonlyMap<string, Stored<PersistentVolumeClaim>>,
  deps: ConverterDeps,
  signal: AbortSignal,
): Promise<Conversion> {
  const { clock, settings, faults } = deps;
  const env = new Map((pod.spec.containers[0]?.env ?? []).map(({ name, value }) => [name, value ?? '']));
  if (!isTrue(env.get('V2V_inPlace'))) {
    return failed("the env variable 'V2V_libvirtURL' is needed for the migration");
  }
  const found = disksOf(pod, claims, deps.disks);
  const [first] = found;
  if (first === undefined) {
    return failed('Failed to execute virt-v2v command no disks found for in-place conversion');
  }
  const halfMs = settings.convertMs / settings.speed / 2;
  await clock.sleep(halfMs, signal);
  const { namespace = '', name: claim } = first.claim.metadata;
  if (faults.strikes('conversion-fails-clean', claim)) {
    return failed(
      'virt-v2v-in-place: error: no root device found in this operating system image\n' +
        'Conversion failed — discarding overlays, base disks unchanged\n' +
        'Failed to execute virt-v2v command exit status 1',
    );
  }
  const isHalf = faults.strikes('conversion-fails', claim);
  const offset = Math.min(markerOffset, Math.floor(first.disk.sizeBytes / 2 / markerBytes) * markerBytes);
  const bytes = marker.subarray(0, isHalf ? markerBytes / 2 : markerBytes);
  first.disk.write(offset, bytes);
  deps.written({ namespace, claim, offset, bytes, isWhole: !isHalf });
  await clock.sleep(halfMs, signal);
  if (isHalf) {
    return failed(
      'virt-v2v-in-place: error: could not install the kernel in the guest\n' +
        'Failed to execute virt-v2v command exit status 1',
    );
  }
  // Told that it cannot be reached, the image serves nothing and ends.
  if (!isTrue(env.get('LOCAL_MIGRATION') ?? '1')) return { exitCode: 0, lastWords: '' };
  return { answers: answersOf(found, settings) };
}

function failed(lastWords: string): Conversion {
  return { exitCode: 1, lastWords };
}

/** As Go reads a flag. */
function isTrue(value: string | undefined): boolean {
  return ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value ?? '');
}

interface FoundDisk {
  readonly path: string;
  readonly claim: Stored<PersistentVolumeClaim>;
  readonly disk: Disk;
}

/** File systems first, then devices, both in the order of the alphabet. */
function disksOf(
  pod: Pod,
  claims: ReadonlyMap<string, Stored<PersistentVolumeClaim>>,
  disks: DiskStore,
): readonly FoundDisk[] {
  const [container] = pod.spec.containers;
  const places = [
    ...sorted(container?.volumeMounts ?? [], ({ mountPath }) => mountPath, /^\/mnt\/disks\/disk\d/),
    ...sorted(container?.volumeDevices ?? [], ({ devicePath }) => devicePath, /^\/dev\/block\d/),
  ];
  return places.flatMap(({ path, name }) => {
    const claim = claims.get(name);
    const disk = claim === undefined ? undefined : disks.get(claimDiskId(claim));
    return claim === undefined || disk === undefined ? [] : [{ path, claim, disk }];
  });
}

function sorted<T extends { readonly name: string }>(
  places: readonly T[],
  pathOf: (place: T) => string,
  pattern: RegExp,
): readonly { readonly path: string; readonly name: string }[] {
  return places
    .map((place) => ({ path: pathOf(place), name: place.name }))
    .filter(({ path }) => pattern.test(path))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Of a conversion in place there is no new VM to tell of: 204. */
function answersOf(
  disks: readonly FoundDisk[],
  { osId, osFamily, warnings }: ConversionSettings,
): ReadonlyMap<string, Answer> {
  const listed = disks.map(
    ({ disk }, index) =>
      `<disk index="${index}"><virtual-size>${disk.sizeBytes}</virtual-size>` +
      `${index === 0 ? '<boot-order>1</boot-order>' : ''}</disk>`,
  );
  const inspection =
    '<?xml version="1.0" encoding="utf-8"?>\n<v2v-inspection><program>virt-v2v-inspector</program>' +
    `<disks>${listed.join('')}</disks><firmware type="bios"/>` +
    `<operatingsystem><name>${osFamily}</name><osinfo>${osId}</osinfo><arch>x86_64</arch></operatingsystem>` +
    '</v2v-inspection>\n';
  return new Map([
    ['/vm', { status: 204, body: '' }],
    ['/inspection', { status: 200, body: inspection }],
    [
      '/warnings',
      warnings.length === 0 ? { status: 204, body: '' } : { status: 200, body: JSON.stringify(warnings) },
    ],
  ]);
}
