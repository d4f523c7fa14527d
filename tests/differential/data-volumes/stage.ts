import type { DataVolume, DataVolumeCheckpoint } from '../../../src/api/external/cdi.ts';
import type { PersistentVolumeClaim } from '../../../src/api/external/core.ts';
import { dataVolumes, persistentVolumeClaims, secrets, storageClasses } from '../../../src/api/kinds.ts';
import type { Stored } from '../../../src/api/meta.ts';
import { isKubeError } from '../../../src/kube/errors.ts';
import { password } from '../../support/objects.ts';
import type { TestWorld } from '../../support/world.ts';
import { phaseOf, restOf, stepAccount, type Account, type StepAccount } from './account.ts';
import { Recorder } from './recorder.ts';
import { SourceVm } from './source-vm.ts';
import { accessSecret, dataVolume, disk } from './story.ts';

/** What must be the same so long to count as what the world came to rest in. */
const restSeconds = 2;

type Accepts = (volume: Stored<DataVolume>, claim: Stored<PersistentVolumeClaim> | undefined) => boolean;

/** What a story acts on and is told of. */
export class Stage implements AsyncDisposable {
  readonly world: TestWorld;
  readonly namespace: string;
  readonly source: SourceVm;
  readonly recorder: Recorder;
  readonly #steps: StepAccount[] = [];
  readonly #said: Record<string, unknown> = {};

  private constructor(world: TestWorld) {
    this.world = world;
    this.namespace = world.targetNamespace;
    this.source = new SourceVm(world.vcenter, accessSecret);
    this.recorder = new Recorder(world.client, this.namespace);
  }

  static async open(world: TestWorld): Promise<Stage> {
    await world.namespace(world.targetNamespace);
    return new Stage(world);
  }

  get client() {
    return this.world.client;
  }

  /** The importer's way into the vCenter; made anew when it is there. */
  async giveAccess(secret: string = password): Promise<void> {
    const data = {
      accessKeyId: Buffer.from('administrator@vsphere.local').toString('base64'),
      secretKey: Buffer.from(secret).toString('base64'),
    };
    const at = { namespace: this.namespace, name: accessSecret };
    if ((await this.client.get(secrets, at)) !== undefined) {
      await this.client.mergePatch(secrets, at, { data });
      return;
    }
    await this.client.create(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: at, data });
  }

  /** `spec` without a source: the disk of the source VM. */
  async create(
    spec: Partial<DataVolume['spec']>,
    annotations: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const object = dataVolume({ source: { vddk: this.source.vddk }, ...spec });
    const metadata = { ...object.metadata, namespace: this.namespace, annotations };
    await this.client.create(dataVolumes, { ...object, metadata });
  }

  /** The whole list, as the webhook wants it, in one update. */
  async setCheckpoints(checkpoints: readonly DataVolumeCheckpoint[], finalCheckpoint = false): Promise<void> {
    const at = { namespace: this.namespace, name: disk };
    await this.client.mergePatch(dataVolumes, at, { spec: { checkpoints, finalCheckpoint } });
  }

  volume(): Promise<Stored<DataVolume> | undefined> {
    return this.client.get(dataVolumes, { namespace: this.namespace, name: disk });
  }

  claim(): Promise<Stored<PersistentVolumeClaim> | undefined> {
    return this.client.get(persistentVolumeClaims, { namespace: this.namespace, name: disk });
  }

  /** Waits for it, and tells how everything stands when nothing moves any more. */
  async reach(what: string, accepts: Accepts): Promise<void> {
    await this.until(what, accepts);
    await this.tell(what);
  }

  async until(what: string, accepts: Accepts): Promise<void> {
    await this.world.until(what, async () => {
      const [volume, claim] = await Promise.all([this.volume(), this.claim()]);
      return volume !== undefined && accepts(volume, claim) ? true : undefined;
    });
  }

  copied(what: string, current: string): Promise<void> {
    return this.reach(
      what,
      (volume, claim) =>
        phaseOf(volume) === 'Paused' &&
        claim?.metadata.annotations?.[`cdi.kubevirt.io/storage.checkpoint.copied.${current}`] !== undefined,
    );
  }

  succeeded(): Promise<void> {
    return this.reach('it has succeeded', (volume) => phaseOf(volume) === 'Succeeded');
  }

  /** Adds to the account how things stand, as soon as they have been the same for a while. */
  async tell(what: string): Promise<void> {
    for (let last: string | undefined; ;) {
      const now = JSON.stringify(restOf(await this.volume(), await this.claim()));
      if (now === last) break;
      last = now;
      await this.world.letPass(restSeconds);
    }
    const [volume, claim] = [await this.volume(), await this.claim()];
    const hasBytes = claim?.status?.phase === 'Bound' && volume?.spec.source?.vddk !== undefined;
    const isResting = ['Paused', 'Succeeded'].includes(phaseOf(volume) ?? '');
    const bytes = hasBytes && isResting ? this.source.nameOf(await this.world.contentOf(claim)) : undefined;
    this.#steps.push(stepAccount(what, volume, claim, bytes));
  }

  /** Something that is to be compared, and that the record does not show. */
  say(what: string, value: unknown): void {
    this.#said[what] = value;
  }

  /** Status and words of the refusal. */
  async refused(attempt: () => Promise<unknown>): Promise<string> {
    try {
      await attempt();
      return 'accepted';
    } catch (error) {
      if (isKubeError(error)) return `${error.status} ${error.detail}`;
      throw error;
    }
  }

  /** Name of a class whose volumes wait for a pod. */
  async classThatWaits(): Promise<string> {
    const { items } = await this.client.list(storageClasses);
    const found = items.find(({ volumeBindingMode }) => volumeBindingMode === 'WaitForFirstConsumer');
    if (found === undefined) throw new Error('no storage class waits for a consumer');
    this.source.names.set(found.metadata.name, 'the class that waits');
    return found.metadata.name;
  }

  account(): Account {
    return { steps: this.#steps, said: this.#said };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.recorder[Symbol.asyncDispose]();
  }
}
