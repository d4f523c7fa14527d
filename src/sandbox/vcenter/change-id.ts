import { createHash } from 'node:crypto';

/**
 * A changeId as vSphere writes them: hex bytes with a dash amid, which change when tracking starts anew, "/" and a counter (fact: vs 4.2,
 * testbed 6).
 */
export interface ChangeId {
  readonly epoch: string;
  readonly counter: number;
}

/** Of a disk of VM `vmNumber` whose tracking has begun `epochs` times. */
export function epochOf(vmNumber: number, deviceKey: number, epochs: number): string {
  const digest = createHash('sha256').update(`${vmNumber} ${deviceKey} ${epochs}`).digest('hex');
  const bytes = (digest.match(/../g) ?? []).slice(0, 15);
  return `52 ${bytes.slice(0, 7).join(' ')}-${bytes.slice(7).join(' ')}`;
}

export function writeChangeId({ epoch, counter }: ChangeId): string {
  return `${epoch}/${counter}`;
}

/** undefined: the text is no changeId at all. */
export function readChangeId(text: string): ChangeId | undefined {
  const match = /^((?:[\da-f]{2} ){7}[\da-f]{2}-(?:[\da-f]{2} ){7}[\da-f]{2})\/(\d+)$/i.exec(text);
  return match === null ? undefined : { epoch: (match[1] ?? '').toLowerCase(), counter: Number(match[2]) };
}
