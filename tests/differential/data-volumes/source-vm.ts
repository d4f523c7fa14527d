import type { SimulatedVCenter } from '../../../src/sandbox/vcenter/simulated-vcenter.ts';
import type { VmHandle } from '../../../src/sandbox/vcenter/vm-handle.ts';
import type { VddkSource } from '../../../src/api/external/cdi.ts';
import { childOf, childrenOf, SoapCaller, textOf } from '../../sandbox/vcenter/soap-caller.ts';
import { password } from '../../support/objects.ts';
import type { Content } from '../../support/world.ts';

export const mebibyte = 1_048_576;
export const diskBytes = 8 * mebibyte;
const blockBytes = 65_536;

/** A VM that runs and whose changes are tracked, with one disk, of which snapshots are taken under names that stories know: S1, S2. */
export class SourceVm {
  readonly vm: VmHandle;
  readonly vddk: VddkSource;
  readonly #vcenter: SimulatedVCenter;
  readonly #contents = new Map<string, Uint8Array>();
  /** Story's name of what the world gave a name by chance. */
  readonly names = new Map<string, string>();

  constructor(vcenter: SimulatedVCenter, secret: string) {
    this.#vcenter = vcenter;
    this.vm = vcenter.addVm({
      name: 'web',
      power: 'on',
      changeTracking: true,
      uuid: '4203aaaa-bbbb-cccc-dddd-eeeeffff0001',
      disks: [{ sizeBytes: diskBytes }],
    });
    const [{ file }] = this.vm.disks as readonly [VmHandle['disks'][number]];
    this.vddk = {
      url: vcenter.url,
      uuid: this.vm.uuid,
      backingFile: file,
      thumbprint: vcenter.thumbprint,
      secretRef: secret,
      initImageURL: 'registry.example/vddk:8',
    };
    for (let at = 0; at < diskBytes; at += 4 * blockBytes) this.write(at, 1 + at / blockBytes);
  }

  /** One block full of `byte`, at `offset`. */
  write(offset: number, byte: number): void {
    const [{ disk }] = this.vm.disks as readonly [VmHandle['disks'][number]];
    disk.write(offset, new Uint8Array(blockBytes).fill(byte % 256));
  }

  /** Some blocks anew, one of them zeros. */
  change(seed: number): void {
    for (const block of [1, 5, 40, 127]) this.write(block * blockBytes, seed + block);
    this.write(8 * blockBytes, 0);
  }

  /** No hole is left. */
  fill(): void {
    for (let at = 0; at < diskBytes; at += blockBytes) this.write(at, 1 + at / blockBytes);
  }

  /** Returns its id. */
  snapshot(name: string): string {
    const id = this.vm.takeSnapshot(name);
    const [{ disk }] = this.vm.disks as readonly [VmHandle['disks'][number]];
    this.#contents.set(name, disk.read(0, diskBytes));
    this.names.set(id, name);
    return id;
  }

  /** What the disk has been through up to this snapshot; stories call it C1 for S1. */
  async changeId(snapshot: string): Promise<string> {
    const { url, thumbprint } = this.#vcenter;
    const caller = new SoapCaller(this.#vcenter.connect(url, { by: 'thumbprint', sha1: thumbprint }));
    await caller.login(password);
    const devices = await caller.property('VirtualMachineSnapshot', snapshot, 'config.hardware.device');
    const disks = devices === undefined ? [] : childrenOf(devices, 'VirtualDevice');
    const changeIds = disks.map((disk) => {
      const backing = childOf(disk, 'backing');
      return backing === undefined ? '' : textOf(backing, 'changeId');
    });
    const found = changeIds.find((text) => text !== '');
    if (found === undefined) throw new Error(`${snapshot} has no disk with a changeId`);
    this.names.set(found, (this.names.get(snapshot) ?? '').replace('S', 'C'));
    return found;
  }

  /** Which snapshots the bytes are those of, "S1" or "S2 S3" where nothing changed; what the target has beyond them is to be zeros. */
  nameOf(content: Content): string {
    const bytes = Buffer.from(content.read(0, diskBytes));
    const rest = content.read(diskBytes, content.sizeBytes - diskBytes);
    if (rest.some((byte) => byte !== 0)) return 'more than the source has';
    const names = [...this.#contents].filter(([, frozen]) => bytes.equals(frozen)).map(([name]) => name);
    return names.length === 0 ? 'none' : names.join(' ');
  }
}
