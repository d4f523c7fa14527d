import { closeSync, openSync, readSync, statSync } from 'node:fs';
import type { Content } from './world.ts';

/** A file that nobody writes any more. */
export function contentOfFile(path: string): Content {
  const sizeBytes = statSync(path).size;
  return {
    sizeBytes,
    read(offset, length) {
      const bytes = new Uint8Array(length);
      const file = openSync(path, 'r');
      try {
        for (let done = 0; done < length;) {
          const count = readSync(file, bytes, done, length - done, offset + done);
          if (count === 0) throw new RangeError(`${path} ends before ${offset + length}`);
          done += count;
        }
      } finally {
        closeSync(file);
      }
      return bytes;
    },
    extents: () => [{ offset: 0, length: sizeBytes }],
  };
}
