import { powerOffScript } from './power-off.ts';

/** Who a machine says has made it, when it plays the source of a migration: the guest writes for as long as it is there. */
export const sourceVendor = 'VMware';

const begin = 'GUEST-WRITES';
const filesAtOnce = 30;
const ledgerBlocks = 64;

/**
 * What the guest does at its source: file after file, each of another length and on the disk before it tells of it; old ones go, and one
 * is written over in place. A line from the console is its shutdown: it unmounts, and powers off.
 */
export const writingScript = `if grep -q ${sourceVendor} /sys/class/dmi/id/sys_vendor; then
  stty -echo < /dev/ttyS0
  (read -r line < /dev/ttyS0; touch /stop) &
  mount -o remount,rw /root
  cd /root
  mkdir -p var/written
  echo
  echo ${begin}
  count=0
  while [ ! -e /stop ]; do
    count=$((count + 1))
    file=var/written/$count
    dd if=/dev/urandom of=$file bs=$((count * 7919 % 120000 + 1)) count=1 iflag=fullblock conv=fsync status=none
    echo wrote $(sha256sum $file)
    dd if=/dev/urandom of=var/ledger bs=4096 count=1 seek=$((count % ${ledgerBlocks})) conv=notrunc,fsync status=none
    old=$((count - ${filesAtOnce}))
    [ $old -gt 0 ] && rm var/written/$old && echo removed var/written/$old
    usleep 100000
  done
  echo wrote $(sha256sum var/ledger)
  cd /
  umount /root
  ${powerOffScript}fi
`;

/** What the guest has on its disk by its own account, line by line. */
export class WrittenFiles {
  readonly #hashes = new Map<string, string>();
  #total = 0;
  #hasBegun = false;

  get hasBegun(): boolean {
    return this.#hasBegun;
  }
  /** Files so far, those that are gone again among them. */
  get total(): number {
    return this.#total;
  }
  /** SHA-256 by path: "var/written/7". */
  get files(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#hashes);
  }

  /** One line of its console, without the line's end. */
  read(line: string): void {
    if (line === begin) this.#hasBegun = true;
    const [, hash, path = ''] = /^wrote ([0-9a-f]{64}) (.+)$/.exec(line) ?? [];
    if (hash !== undefined) {
      this.#hashes.set(path, hash);
      this.#total += 1;
    }
    const [, gone] = /^removed (.+)$/.exec(line) ?? [];
    if (gone !== undefined) this.#hashes.delete(gone);
  }
}
