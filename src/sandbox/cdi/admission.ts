import { isDeepStrictEqual } from 'node:util';
import type { DataVolume } from '../../api/external/cdi.ts';
import type { PersistentVolumeClaim } from '../../api/external/core.ts';
import { dataVolumes, persistentVolumeClaims } from '../../api/kinds.ts';
import { cdiAllowClaimAdoptionAnnotation, cdiCreatedForDataVolumeAnnotation } from '../../api/labels.ts';
import { quantityValue } from '../storage/quantity.ts';
import type { AdmissionRequest, ApiServer } from '../world.ts';
import { populatedForAnnotation } from './annotations.ts';

export const dataVolumeWebhook = 'datavolume-validate.cdi.kubevirt.io';

const mebibyte = 1_048_576;
const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
const schemes = ['http:', 'https:', 'gs:'];
const longestName = 253;

/** The spec as anybody may send it: more than Gantry's own type names. */
interface AnySpec {
  readonly source?: Readonly<Record<string, unknown>>;
  readonly sourceRef?: unknown;
  readonly pvc?: AnyStorage;
  readonly storage?: AnyStorage;
  readonly contentType?: string;
  readonly checkpoints?: readonly unknown[];
}
interface AnyStorage {
  readonly accessModes?: readonly string[];
  readonly storageClassName?: string;
  readonly resources?: { readonly requests?: Readonly<Record<string, string | number>> };
}

/** CDI's validating webhook for DataVolumes. Not checked, as there: checkpoints, and whether Secrets and ConfigMaps exist (fact: cdi 2.5). */
export function registerCdiAdmission(api: ApiServer): void {
  api.admit(dataVolumes, (request) => {
    if (request.operation === 'DELETE') return request.object;
    const why = refusalOf(request);
    // The webhook puts a space before each cause.
    return why === undefined ? request.object : { denied: ` ${why}`, webhook: dataVolumeWebhook };
  });
}

function refusalOf(request: AdmissionRequest): string | undefined {
  const dataVolume = request.object as DataVolume;
  const { namespace, name } = dataVolume.metadata;
  if (request.operation === 'UPDATE' && request.oldObject !== undefined) {
    const isRefused = isSpecChangeRefused(request.oldObject as DataVolume, dataVolume);
    if (isRefused) return 'Cannot update DataVolume Spec';
  }
  if (name.length > longestName) return `Name of data volume cannot be more than ${longestName} characters`;
  if (request.operation === 'CREATE') {
    const claim = request.read(persistentVolumeClaims, namespace, name);
    if (claim !== undefined && isForeign(claim, dataVolume)) {
      return `Destination PVC ${namespace ?? ''}/${name} already exists`;
    }
  }
  return checkDataVolumeSpec(dataVolume.spec);
}

/** Only checkpoints and finalCheckpoint of a vddk or imageio volume may change, and never to no checkpoints (fact: cdi 2.5). */
export function isSpecChangeRefused(before: DataVolume, after: DataVolume): boolean {
  if (isDeepStrictEqual(before.spec, after.spec)) return false;
  const { source, checkpoints = [] } = after.spec;
  const isMultiStage =
    checkpoints.length > 0 && (source?.vddk !== undefined || source?.imageio !== undefined);
  return !isMultiStage || !isDeepStrictEqual(withoutCheckpoints(before), withoutCheckpoints(after));
}

function withoutCheckpoints(dataVolume: DataVolume): object {
  const { checkpoints: _checkpoints, finalCheckpoint: _final, ...rest } = dataVolume.spec;
  return rest;
}

/** A claim that is neither adoptable, nor filled for this volume, nor owned by any DataVolume (fact: cdi 2.5, 1.4). */
function isForeign(claim: PersistentVolumeClaim, dataVolume: DataVolume): boolean {
  const { annotations = {}, ownerReferences = [] } = claim.metadata;
  if (annotations[populatedForAnnotation] === dataVolume.metadata.name) return false;
  const adopt = dataVolume.metadata.annotations?.[cdiAllowClaimAdoptionAnnotation];
  const isOurs = annotations[cdiCreatedForDataVolumeAnnotation] === dataVolume.metadata.uid;
  if (adopt === 'true' && !isOurs) return false;
  return ownerReferences.find(({ controller }) => controller === true)?.kind !== 'DataVolume';
}

/** The first thing wrong with a DataVolume's spec, in the webhook's words and order; undefined when it is admitted (fact: cdi 2.5). */
export function checkDataVolumeSpec(spec: object): string | undefined {
  const { pvc, storage, source, sourceRef, contentType } = spec as AnySpec;
  if (pvc === undefined && storage === undefined) return 'Missing Data volume PVC';
  if (pvc !== undefined && storage !== undefined) {
    return 'Duplicate storage definition, both target storage and target pvc defined';
  }
  const isClone =
    sourceRef !== undefined || source?.['pvc'] !== undefined || source?.['snapshot'] !== undefined;
  const size = pvc === undefined ? checkSize('Storage', storage, isClone) : checkSize('PVC', pvc, false);
  if (size !== undefined) return size;
  const modes = pvc === undefined ? checkModes(storage) : checkClaimModes(pvc);
  if (modes !== undefined) return modes;
  if ((source === undefined) === (sourceRef === undefined)) {
    return 'Data volume should have either Source or SourceRef, or be externally populated';
  }
  if (source === undefined) return undefined;
  const count = Object.values(source).filter((member) => member !== undefined && member !== null).length;
  if (count === 0) return 'Missing Data volume source';
  if (count > 1) return 'Multiple Data volume sources';
  if (contentType !== undefined && !['', 'kubevirt', 'archive'].includes(contentType)) {
    return 'ContentType not one of: kubevirt, archive';
  }
  return checkSource(source, contentType);
}

function checkSize(
  name: 'PVC' | 'Storage',
  storage: AnyStorage | undefined,
  mayBeAbsent: boolean,
): string | undefined {
  const text = storage?.resources?.requests?.['storage'];
  if (text === undefined) return mayBeAbsent ? undefined : `${name} size is missing`;
  const bytes = quantityValue(String(text));
  // A quantity that cannot be read does not get as far as the webhook's rules.
  if (bytes === undefined || bytes <= 0) return `${name} size can't be equal or less than zero`;
  return bytes < mebibyte ? `${name} size should be at least 1MiB` : undefined;
}

function checkClaimModes(pvc: AnyStorage): string | undefined {
  const { accessModes: modes = [] } = pvc;
  if (modes.length === 0) return 'Required value: at least 1 access mode is required';
  if (modes.length > 1) return 'PVC multiple accessModes';
  return checkModes(pvc);
}

function checkModes(storage: AnyStorage | undefined): string | undefined {
  const [first] = storage?.accessModes ?? [];
  if (storage?.accessModes?.every((mode) => accessModes.includes(mode)) !== false) return undefined;
  const supported = accessModes.map((mode) => `"${mode}"`).join(', ');
  return `Unsupported value: "${first ?? ''}": supported values: ${supported}`;
}

function checkSource(
  source: Readonly<Record<string, unknown>>,
  contentType: string | undefined,
): string | undefined {
  const member = (name: string) => source[name] as Readonly<Record<string, unknown>> | undefined;
  if (member('blank') !== undefined && contentType === 'archive') {
    return 'SourceType cannot be blank and the contentType be archive';
  }
  const imageio = member('imageio');
  if (imageio !== undefined) {
    if (!isFilled(imageio, 'secretRef', 'diskId')) return 'spec.source.Imageio source Imageio is not valid';
    if (!isFilled(imageio, 'certConfigMap') && imageio['insecureSkipVerify'] !== true) {
      return 'spec.source.Imageio source Imageio requires CertConfigMap or InsecureSkipVerify';
    }
  }
  const vddk = member('vddk');
  if (vddk !== undefined && !isFilled(vddk, 'secretRef', 'uuid', 'backingFile', 'thumbprint')) {
    return 'spec.source.VDDK source VDDK is not valid';
  }
  for (const name of ['http', 's3', 'gcs', 'imageio', 'vddk']) {
    const located = member(name);
    if (located === undefined) continue;
    const why = checkUrl(located['url']);
    if (why !== undefined) return `spec.source ${why}`;
  }
  return undefined;
}

function isFilled(object: Readonly<Record<string, unknown>>, ...fields: readonly string[]): boolean {
  return fields.every((field) => typeof object[field] === 'string' && object[field] !== '');
}

function checkUrl(url: unknown): string | undefined {
  if (typeof url !== 'string' || url === '') return 'source URL is empty';
  // A path alone is a request URI, too, but one without a scheme.
  const parsed = URL.parse(url);
  if (parsed === null) {
    return url.startsWith('/') ? `Invalid source URL scheme: ${url}` : `Invalid source URL: ${url}`;
  }
  return schemes.includes(parsed.protocol) ? undefined : `Invalid source URL scheme: ${url}`;
}
