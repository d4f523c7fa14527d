import { SourceError } from '../../model/fault.ts';
import type {
  DiskFeed,
  ImporterAccess,
  Preparation,
  PreparationStep,
  RunView,
  TransferPath,
  VmHandle,
} from '../../model/source-data.ts';
import type { DiskModel, Json, VmModel } from '../../model/vm.ts';
import type { SourceEntry, Transfer } from '../source.ts';
import type { Credentials } from './credentials.ts';

export interface VddkTransferOptions {
  readonly url: string;
  readonly credentials: Credentials;
  /** The provider's setting vddkInitImage. */
  readonly vddkImage: string | undefined;
  /** SHA-1 of the certificate that our own, verified connection met last. */
  readonly thumbprint: () => string;
}

/**
 * Disks are read by CDI's vddk source; nothing has to be made at the vCenter first.
 *
 * The thumbprint in a DataVolume is mandatory and is all that VDDK verifies (fact: cdi 3.1, 3.6). It is never one that was merely fetched
 * (review.md F77): it comes from a connection that was verified by the authority or the pin in the Secret, or that the user has declared
 * not to need verification. A provider with none of these three is refused by checkProvider.
 *
 * The VM is named by its BIOS uuid: every CDI finds that, while an instance uuid is understood by some versions only (fact: vs 3.2,
 * cdi 3.6). Two clones may share one; the importer then finds no disk of that backing file in the wrong one and fails, and copies nothing.
 */
export class VddkTransfer implements Transfer {
  readonly #options: VddkTransferOptions;

  constructor(options: VddkTransferOptions) {
    this.#options = options;
  }

  paths(_vm: VmModel, run: RunView): readonly TransferPath[] {
    return run.vddkImage === undefined || run.vddkImage === '' ? [] : ['vddk'];
  }

  nextPreparation(vm: VmModel, _seen: Preparation): PreparationStep<SourceEntry> {
    const { url, vddkImage, thumbprint } = this.#options;
    const uuid = vm.firmware.uuid ?? vm.identity.slice(vm.identity.lastIndexOf('/') + 1);
    const disks = vm.disks.filter((disk) => disk.kind === 'image');
    const nameless = disks.filter((disk) => disk.sourceId === '');
    if (nameless.length > 0) {
      return {
        failed: {
          code: 'DiskWithoutFile',
          kind: 'unsupported',
          message: `vCenter names no file for disk ${nameless.map((disk) => disk.key).join(', ')} of VM ${vm.name}: it cannot be read through VDDK.`,
        },
      };
    }
    const feeds = disks.map((disk): [string, DiskFeed] => [
      disk.key,
      {
        path: 'vddk',
        sizeBytes: disk.sizeBytes,
        address: {
          url,
          uuid,
          backingFile: disk.sourceId,
          thumbprint: thumbprint(),
          ...(vddkImage === undefined ? {} : { vddkImage }),
        },
      },
    ]);
    return { ready: new Map(feeds) };
  }

  observePreparation(): Promise<Preparation> {
    return Promise.resolve(new Map());
  }

  performPreparation(_vm: VmHandle, entry: SourceEntry): Promise<{ readonly id?: string }> {
    return Promise.reject(unknownKind(entry));
  }

  dataVolumeSource(
    _disk: DiskModel,
    feed: DiskFeed,
    refs: { readonly secret: string; readonly configMap?: string },
  ): Readonly<Record<string, Json>> {
    const { url, uuid, backingFile, thumbprint, vddkImage } = feed.address;
    return {
      vddk: {
        ...(url === undefined ? {} : { url }),
        ...(uuid === undefined ? {} : { uuid }),
        ...(backingFile === undefined ? {} : { backingFile }),
        ...(thumbprint === undefined ? {} : { thumbprint }),
        secretRef: refs.secret,
        ...(refs.configMap === undefined ? {} : { certConfigMap: refs.configMap }),
        ...(vddkImage === undefined ? {} : { initImageURL: vddkImage }),
      },
    };
  }

  /** The authority goes under both names that readers look for (review.md F77). */
  importerAccess(): Promise<ImporterAccess> {
    const { user, password, ca, insecure } = this.#options.credentials;
    return Promise.resolve({
      secret: { accessKeyId: user, secretKey: password },
      trust: ca === undefined || insecure ? {} : { 'ca.pem': ca, 'tls.crt': ca },
    });
  }
}

/** vSphere owes no thing but snapshots and power, which have verbs of their own. */
export function unknownKind(entry: SourceEntry): SourceError {
  return new SourceError({
    code: 'UnknownLedgerKind',
    kind: 'unsupported',
    message: `A vSphere source has no things of kind ${entry.kind} (${entry.marker}): this entry was written by something else.`,
  });
}
