import { powerOffScript } from './power-off.ts';
import { writingScript } from './writing.ts';

/** Label of the file system whose files the guest shows. */
export const rootLabel = 'guest-root';

const begin = 'GUEST-BEGIN';
const end = 'GUEST-END';
const longestWaitTenths = 300;

/**
 * The guest's first and only program: loads drivers, mounts the root without writing to it, tells on the console what it sees, and powers
 * off. One fact a line, words separated by blanks, paths last. At a source it writes instead, until it is shut down.
 */
export const initScript = `#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /root /bin
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in /modules/*; do insmod $module 2>/dev/null; done
left=${longestWaitTenths}
while [ $left -gt 0 ]; do
  root=$(findfs LABEL=${rootLabel} 2>/dev/null) && break
  usleep 100000
  left=$((left - 1))
done
[ -n "$root" ] && mount -t ext4 -o ro $root /root
${writingScript}word() { tr -cd '!-~' < "$1" 2>/dev/null; }
echo
echo ${begin}
[ -d /sys/firmware/efi ] && echo firmware efi || echo firmware bios
echo cpus $(grep -c ^processor /proc/cpuinfo)
echo memory $(sed -n 's/^MemTotal: *\\([0-9]*\\).*/\\1/p' /proc/meminfo)
echo uuid $(word /sys/class/dmi/id/product_uuid)
echo serial $(cat /sys/class/dmi/id/product_serial)
for disk in /sys/block/vd* /sys/block/sd*; do
  [ -e $disk ] || continue
  case $(readlink -f $disk) in
    */ata*) bus=sata ;; */usb*) bus=usb ;; */virtio*/host*) bus=scsi ;; */virtio*) bus=virtio ;; *) bus=other ;;
  esac
  serial=$(word $disk/serial)
  [ -n "$serial" ] || serial=$(tail -c +5 $disk/device/vpd_pg80 2>/dev/null | tr -cd '!-~')
  echo disk $(basename $disk) $bus $(($(cat $disk/size) * 512)) $serial
done
for nic in /sys/class/net/*; do
  [ -e $nic/device ] || continue
  echo nic $(cat $nic/address) $(basename $(readlink -f $nic/device/driver))
done
echo root $root
cd /root && find . -type f | sort | while read -r file; do echo file $(sha256sum "$file"); done
echo ${end}
${powerOffScript}`;

/** What the guest told. */
export interface GuestReport {
  readonly firmware: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly uuid: string;
  readonly serial: string;
  readonly disks: readonly {
    readonly name: string;
    readonly bus: string;
    readonly sizeBytes: number;
    readonly serial: string;
  }[];
  readonly nics: readonly { readonly mac: string; readonly driver: string }[];
  /** Device of the root's file system; '': there was none. */
  readonly root: string;
  /** SHA-256 by path: "srv/data". */
  readonly files: Readonly<Record<string, string>>;
}

/** undefined: it has not told all of it. */
export function parseReport(console: string): GuestReport | undefined {
  const lines = console.split(/\r?\n/);
  const first = lines.indexOf(begin);
  const last = lines.indexOf(end);
  if (first < 0 || last < first) return undefined;
  const facts = lines.slice(first + 1, last).map((line) => line.split(' '));
  const of = (word: string) => facts.filter(([name]) => name === word).map(([, ...rest]) => rest);
  const one = (word: string): string => of(word)[0]?.join(' ') ?? '';
  return {
    firmware: one('firmware'),
    cpus: Number(one('cpus')),
    memoryBytes: Number(one('memory')) * 1024,
    uuid: one('uuid'),
    serial: one('serial'),
    disks: of('disk').map(([name = '', bus = '', size = '', serial = '']) => ({
      name,
      bus,
      sizeBytes: Number(size),
      serial,
    })),
    nics: of('nic').map(([mac = '', driver = '']) => ({ mac, driver })),
    root: one('root'),
    files: Object.fromEntries(
      of('file').map(([hash = '', ...path]) => [path.join(' ').trim().replace(/^\.\//, ''), hash]),
    ),
  };
}
