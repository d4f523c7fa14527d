import type { ConversionRecord } from '../../api/virtual-machine-import.ts';

/** VMware counts Windows otherwise than Microsoft does, and knows a release before it has its name (fact: vSphere API, GuestId). */
const windows: Readonly<Record<string, string>> = {
  win7: 'windows7_64Guest',
  win8: 'windows8_64Guest',
  win10: 'windows9_64Guest',
  win11: 'windows11_64Guest',
  win2k8r2: 'windows7Server64Guest',
  win2k12: 'windows8Server64Guest',
  win2k12r2: 'windows8Server64Guest',
  win2k16: 'windows9Server64Guest',
  win2k19: 'windows2019srv_64Guest',
  win2k22: 'windows2019srvNext_64Guest',
  win2k25: 'windows2022srvNext_64Guest',
};

/**
 * The converted system under VMware's id for it, which is what Forklift's clients read: exact, else without the minor release, else of its
 * family (fact: kubevirt 2). undefined: nothing was recognised.
 */
export function vmwareGuestId({
  osId = '',
  osFamily,
}: Pick<ConversionRecord, 'osId' | 'osFamily'>): string | undefined {
  const [release = ''] = osId.split('.');
  const known = windows[osId] ?? windows[release] ?? linuxId(release);
  if (known !== undefined) return known;
  if (osFamily === 'linux') return 'genericLinuxGuest';
  return osId === '' && osFamily === undefined ? undefined : 'otherGuest64';
}

/** "rhel9" has an id of its own; of "ubuntu22" all releases have one. */
function linuxId(release: string): string | undefined {
  if (/^(rhel|centos|sles|debian)\d+$/.test(release)) return `${release}_64Guest`;
  const name = /^(ubuntu|fedora|opensuse|rocky)/.exec(release)?.[1];
  if (name === 'rocky') return 'rockylinux_64Guest';
  return name === undefined ? undefined : `${name}64Guest`;
}
