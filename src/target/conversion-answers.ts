import { SaxesParser } from 'saxes';
import { parse } from 'yaml';

/** What the converter's document of a VM tells; it is there only when a VM was made anew. */
export interface VmAnswer {
  readonly firmware?: 'bios' | 'uefi';
  /** Position of the disk among its own. */
  readonly bootDisk?: number;
}

/**
 * Reads `/vm`: the older form says domain.os.firmware, the newer one is a VirtualMachine with a boot loader (fact: kubevirt 2). Of any
 * other text nothing is known.
 */
export function readVmDocument(text: string): VmAnswer {
  let document: unknown;
  try {
    document = parse(text, { maxAliasCount: 0 });
  } catch {
    return {};
  }
  const domain = at(document, 'spec', 'template', 'spec', 'domain');
  const said = at(domain, 'os', 'firmware');
  const loader = at(domain, 'firmware', 'bootloader');
  const firmware =
    firmwareOf(said) ??
    (isObject(at(loader, 'bios')) ? 'bios' : isObject(at(loader, 'efi')) ? 'uefi' : undefined);
  const disks = at(domain, 'devices', 'disks');
  const bootDisk = Array.isArray(disks) ? disks.findIndex((disk) => at(disk, 'bootOrder') === 1) : -1;
  return {
    ...(firmware !== undefined && { firmware }),
    ...(bootDisk >= 0 && { bootDisk }),
  };
}

export interface InspectionAnswer extends VmAnswer {
  /** libosinfo's short id: "rhel9.4". */
  readonly osId?: string;
  /** "linux", "windows". */
  readonly osFamily?: string;
}

/** Reads `/inspection`, virt-v2v-inspector's document (fact: kubevirt 2). What of it is no XML any more is left out. */
export function readInspection(text: string): InspectionAnswer {
  const path: string[] = [];
  const texts = new Map<string, string>();
  let firmware: VmAnswer['firmware'];
  let disks = 0;
  let bootDisk: number | undefined;
  const parser = new SaxesParser();
  parser.on('opentag', ({ name, attributes }) => {
    path.push(name);
    const here = path.join('/');
    if (here === 'v2v-inspection/disks/disk') disks += 1;
    if (here === 'v2v-inspection/firmware') firmware = firmwareOf(attributes['type']);
  });
  parser.on('text', (content) => {
    const here = path.join('/');
    if (here === 'v2v-inspection/disks/disk/boot-order') {
      if (content.trim() === '1') bootDisk ??= disks - 1;
    } else texts.set(here, (texts.get(here) ?? '') + content.trim());
  });
  parser.on('closetag', () => void path.pop());
  // It throws the first error otherwise; what was read until then holds.
  parser.on('error', () => undefined);
  parser.write(text).close();
  const osId = given(texts.get('v2v-inspection/operatingsystem/osinfo'));
  const osFamily = given(texts.get('v2v-inspection/operatingsystem/name'));
  return {
    ...(firmware !== undefined && { firmware }),
    ...(bootDisk !== undefined && { bootDisk }),
    ...(osId !== undefined && { osId }),
    ...(osFamily !== undefined && { osFamily }),
  };
}

export interface ConversionWarning {
  readonly reason: string;
  readonly message: string;
}

/** Reads `/warnings`: a list of reason and message, as JSON. */
export function readWarnings(text: string): readonly ConversionWarning[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return [];
  }
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry: unknown): readonly ConversionWarning[] => {
    const reason = at(entry, 'reason');
    const message = at(entry, 'message');
    if (typeof message !== 'string') return [];
    return [{ reason: typeof reason === 'string' && reason !== '' ? reason : 'Warning', message }];
  });
}

function firmwareOf(value: unknown): VmAnswer['firmware'] {
  return value === 'bios' || value === 'uefi' ? value : undefined;
}

/** unknown and "no system was recognised" are the same. */
function given(text: string | undefined): string | undefined {
  return text === undefined || text === '' || text === 'unknown' ? undefined : text.slice(0, 64);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, key) => (isObject(inner) ? inner[key] : undefined), value);
}
