/** One entry of an archive; `content` undefined: a folder. Paths are relative, without "./". */
export interface CpioEntry {
  readonly path: string;
  readonly content?: Uint8Array;
  /** Permission bits. */
  readonly mode: number;
}

const directory = 0o040000;
const regular = 0o100000;

/** An archive as kernels unpack it for their first file system: "newc", everything of root's and of no time. */
export function cpioArchive(entries: readonly CpioEntry[]): Uint8Array {
  const parts = entries.flatMap(({ path, content, mode }, index) =>
    member(
      path,
      index + 1,
      (content === undefined ? directory : regular) | mode,
      content ?? new Uint8Array(),
    ),
  );
  return Buffer.concat([...parts, ...member('TRAILER!!!', 0, 0, new Uint8Array())]);
}

function member(path: string, inode: number, mode: number, content: Uint8Array): readonly Uint8Array[] {
  const name = Buffer.from(`${path}\0`);
  // inode, mode, uid, gid, links, time, size, four of devices, size of the name, checksum.
  const fields = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length, 0];
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
  return [padded(Buffer.concat([Buffer.from(header), name])), padded(content)];
}

function padded(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
