import type { GuestModel } from '../../../model/vm.ts';
import { guestObservedAt, type Properties } from '../managed-object.ts';
import { asList, asText, asWhole, member } from '../soap/values.ts';
import { clip, clipped, present } from './bounds.ts';

export function guestOf(vm: Properties): GuestModel {
  const osId = clipped(vm['summary.guest.guestId'], 128) ?? clipped(vm['config.guestId'], 128);
  const osName = clipped(vm['summary.config.guestFullName'], 256) ?? clipped(vm['guest.guestFullName'], 256);
  return {
    family: guestFamily(osId),
    ...present('osId', osId),
    ...present('osName', osName),
    ...present('hostname', clipped(vm['guest.hostName'], 256)),
    agent: agentOf(vm),
    ...present('addressesObservedAt', clipped(vm[guestObservedAt], 64)),
    fileSystems: asList(vm['guest.disk'])
      .flatMap((disk) => {
        const mount = asText(member(disk, 'diskPath'));
        if (mount === undefined) return [];
        return [{ mount: clip(mount, 512), freeBytes: asWhole(member(disk, 'freeSpace')) ?? 0 }];
      })
      .slice(0, 128),
  };
}

const linuxIds =
  /^(rhel|centos|ubuntu|debian|sles|suse|opensuse|fedora|oraclelinux|rocky|alma|amazonlinux|asianux|coreos|vmwarephoton|mandrake|mandriva|redhat|turbolinux|sjds|nld|crxpod|genericlinux|other\d*x?linux|other\d+xlinux)/;

/** By the start of the id: "contains win" would make a darwin guest a Windows one (fact: vs 3.1). */
export function guestFamily(guestId: string | undefined): GuestModel['family'] {
  if (guestId === undefined) return 'unknown';
  const id = guestId.toLowerCase();
  if (id.startsWith('win')) return 'windows';
  return linuxIds.test(id) || id.includes('linux') ? 'linux' : 'other';
}

function agentOf(vm: Properties): GuestModel['agent'] {
  const running = asText(vm['guest.toolsRunningStatus']);
  const installed = asText(vm['guest.toolsStatus']);
  const version = asText(vm['guest.toolsVersionStatus2']);
  if (running === 'guestToolsRunning' || running === 'guestToolsExecutingScripts') return 'running';
  if (installed === 'toolsNotInstalled' || version === 'guestToolsNotInstalled') return 'absent';
  return running === undefined && installed === undefined ? 'unknown' : 'stopped';
}
