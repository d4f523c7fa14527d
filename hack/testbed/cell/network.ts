import { bridge, hub, prefixLength, workerAddress, workerCount } from '../addresses.ts';
import { runCommand } from './run-command.ts';

/** A network namespace of its own for one program or pod: lo, and eth0 on the bridge. */
export interface NetworkNamespace {
  /** As `ip netns` knows it. */
  readonly name: string;
  readonly address: string;
}

const folder = '/run/netns';

/** The bridge of a cell and what hangs on it. All of it lives in the cell's own namespaces and is gone with them. */
export class Network {
  /** To be called once, inside a cell. */
  static async open(): Promise<Network> {
    const workers = Array.from({ length: workerCount }, (_, index) => workerAddress(index + 1));
    await batch([
      'link set lo up',
      `link add ${bridge} type bridge forward_delay 0`,
      ...[hub, ...workers].map((address) => `addr add ${address}/${prefixLength} dev ${bridge}`),
      `link set ${bridge} up`,
    ]);
    return new Network();
  }

  private constructor() {
    // Made by `open` alone.
  }

  /** `name`: at most 200 letters, digits and dashes, not in use. `address`: dotted, on the bridge, not in use. */
  async add(name: string, address: string): Promise<NetworkNamespace> {
    const port = portName(address);
    await batch([
      `netns add ${name}`,
      `link add ${port} type veth peer name eth0 netns ${name}`,
      `link set ${port} master ${bridge} up`,
    ]);
    await batch([`addr add ${address}/${prefixLength} dev eth0`, 'link set eth0 up', 'link set lo up'], name);
    return { name, address };
  }

  /** Its programs must have ended: a namespace lives as long as one of them. */
  async remove({ name, address }: NetworkNamespace): Promise<void> {
    // The kernel takes namespaces apart some time later; without the first line the address would not be free until then.
    await batch([`link del ${portName(address)}`, `netns del ${name}`]);
  }
}

/** Command and arguments that run a program in the namespace; it becomes the program, so its process id is the program's. */
export function inNetwork(
  { name }: Pick<NetworkNamespace, 'name'>,
  command: string,
  args: readonly string[],
): readonly [string, readonly string[]] {
  return ['nsenter', [`--net=${folder}/${name}`, '--', command, ...args]];
}

/** Interface names hold 15 characters; the last two numbers tell the addresses of a testbed apart. */
export function portName(address: string): string {
  return `tb${address.split('.').slice(2).join('-')}`;
}

async function batch(lines: readonly string[], namespace?: string): Promise<void> {
  const into = namespace === undefined ? [] : ['-n', namespace];
  await runCommand('ip', [...into, '-batch', '-'], { input: `${lines.join('\n')}\n` });
}
