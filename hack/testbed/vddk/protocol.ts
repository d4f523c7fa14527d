import type { NfcLogin } from '../../../src/sandbox/vcenter/simulated-vcenter.ts';
import type { NfcDisk, NfcRequest } from '../../../src/sandbox/vcenter/nfc.ts';

/**
 * What data service and nbdkit plugin say to each other; the other end is modules/vddk-plugin/vddk-plugin.c. Numbers are big-endian.
 * Requests: "O" and the fields user, password, thumbprint, vm, snapshot, file, each a u32 length and UTF-8 (an empty snapshot: none); "R" u64
 * offset u32 length; "E" u64 offset u32 length. Answers: u32 status, u32 length, payload; a status other than 0 goes with a text.
 */
export type DataRequest =
  | ({ readonly do: 'open' } & NfcLogin & NfcRequest)
  | { readonly do: 'read' | 'extents'; readonly offset: number; readonly length: number };

export type DataAnswer =
  | { readonly of: 'open'; readonly sizeBytes: number; readonly host: string }
  | { readonly of: 'read'; readonly bytes: Uint8Array }
  | { readonly of: 'extents'; readonly extents: ReturnType<NfcDisk['extents']> }
  | { readonly of: 'error'; readonly text: string };

const fieldCount = 6;
/** No field is longer; more means that somebody else is talking. */
const longestField = 64 * 1024;
const rangeBytes = 13;

/** Puts requests together from what the socket brings. After `nonsense` it understands nothing any more. */
export class RequestReader {
  #pending = Buffer.alloc(0);

  *read(chunk: Buffer): Generator<DataRequest | { readonly do: 'nonsense' }> {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    for (;;) {
      const taken = takeRequest(this.#pending);
      if (taken === undefined) return;
      this.#pending = this.#pending.subarray(taken.bytes);
      yield taken.request;
      if (taken.request.do === 'nonsense') return;
    }
  }
}

interface Taken {
  readonly request: DataRequest | { readonly do: 'nonsense' };
  readonly bytes: number;
}

/** undefined: it has not come whole yet. */
function takeRequest(from: Buffer): Taken | undefined {
  switch (from.subarray(0, 1).toString('latin1')) {
    case '':
      return undefined;
    case 'O':
      return takeOpen(from);
    case 'R':
      return takeRange(from, 'read');
    case 'E':
      return takeRange(from, 'extents');
    default:
      return { request: { do: 'nonsense' }, bytes: from.length };
  }
}

function takeOpen(from: Buffer): Taken | undefined {
  const fields: string[] = [];
  let at = 1;
  for (; fields.length < fieldCount;) {
    if (from.length < at + 4) return undefined;
    const length = from.readUInt32BE(at);
    if (length > longestField) return { request: { do: 'nonsense' }, bytes: from.length };
    if (from.length < at + 4 + length) return undefined;
    fields.push(from.toString('utf8', at + 4, at + 4 + length));
    at += 4 + length;
  }
  const [user = '', password = '', thumbprint = '', vm = '', snapshot = '', file = ''] = fields;
  const open = { do: 'open', user, password, thumbprint, vm, file } as const;
  return { request: snapshot === '' ? open : { ...open, snapshot }, bytes: at };
}

function takeRange(from: Buffer, what: 'read' | 'extents'): Taken | undefined {
  if (from.length < rangeBytes) return undefined;
  const offset = Number(from.readBigUInt64BE(1));
  return { request: { do: what, offset, length: from.readUInt32BE(9) }, bytes: rangeBytes };
}

export function answerOf(answer: DataAnswer): Buffer {
  const payload = payloadOf(answer);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(answer.of === 'error' ? 1 : 0, 0);
  head.writeUInt32BE(payload.length, 4);
  return Buffer.concat([head, payload]);
}

function payloadOf(answer: DataAnswer): Uint8Array {
  switch (answer.of) {
    case 'error':
      return Buffer.from(answer.text, 'utf8');
    case 'read':
      return answer.bytes;
    case 'open':
      return Buffer.concat([u64(answer.sizeBytes), Buffer.from(answer.host, 'utf8')]);
    case 'extents':
      return Buffer.concat(answer.extents.flatMap(({ offset, length }) => [u64(offset), u64(length)]));
  }
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
