import { createCipheriv, createHash } from 'node:crypto';

/** Bytes that look random and are the same for the same seed: as many as asked for, one part after another. */
export function byteStream(seed: string): (length: number) => Uint8Array {
  const key = createHash('sha256').update(seed).digest();
  const cipher = createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16));
  return (length) => cipher.update(Buffer.alloc(length));
}
