import type { FrozenConversion } from '../../api/virtual-machine-import.ts';
import type { FreezeInput } from './input.ts';

/** How this process is to convert guests; what a Plan says goes before it. */
export interface ConversionConfig {
  /** Of Forklift's virt-v2v. */
  readonly image?: string;
  /** For guests with file systems that newer ones do not know (xfsCompatibility). */
  readonly xfsImage?: string;
  readonly requestsKvm: boolean;
  readonly seccompProfile?: string;
}

/** The image that guests of a plan are converted by; undefined: nobody has named one. */
export function conversionImage(
  spec: FreezeInput['plan']['spec'],
  config: ConversionConfig | undefined,
): string | undefined {
  const { virtV2vImage, xfsCompatibility } = spec;
  const candidates = [virtV2vImage, xfsCompatibility === true ? config?.xfsImage : undefined, config?.image];
  return candidates.find((image) => image !== undefined && image !== '');
}

/** undefined: there is no image. */
export function freezeConversion({ plan, planVm, conversion }: FreezeInput): FrozenConversion | undefined {
  const { spec } = plan;
  const image = conversionImage(spec, conversion);
  if (image === undefined) return undefined;
  const { conversionTempStorageClass: tempClass = '', conversionTempStorageSize: tempSize = '' } = spec;
  return {
    image,
    requestsKvm: conversion?.requestsKvm ?? true,
    ...(conversion?.seccompProfile !== undefined && { seccompProfile: conversion.seccompProfile }),
    clevis: planVm.nbdeClevis ?? false,
    labels: spec.convertorLabels ?? {},
    nodeSelector: spec.convertorNodeSelector ?? {},
    ...(spec.convertorAffinity !== undefined && { affinity: JSON.stringify(spec.convertorAffinity) }),
    ...(tempClass !== '' && tempSize !== '' && { tempStorage: { class: tempClass, size: tempSize } }),
  };
}
