import { TransportError } from './transport.ts';

/**
 * The JSON documents of a stream that has one in each line. A chunk may hold many lines or a part of one, and may end inside a
 * character. Throws TransportError `ConnectionLost` when the stream ends, or a line is broken, inside a document.
 */
export async function* jsonLines(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<unknown, void, undefined> {
  const decoder = new TextDecoder();
  // The parts of an unfinished line are joined once it is finished: a large object comes in hundreds of chunks.
  let parts: string[] = [];
  for await (const chunk of chunks) {
    const text = decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      parts.push(text.slice(start, end));
      start = end + 1;
      const line = parts.join('');
      parts = [];
      if (line.trim() !== '') yield parseDocument(line);
    }
    if (start < text.length) parts.push(text.slice(start));
  }
  const rest = parts.join('') + decoder.decode();
  if (rest.trim() !== '') yield parseDocument(rest);
}

export function parseDocument(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const message = `the answer ends inside a JSON document or is none (${text.length} characters)`;
    throw new TransportError('ConnectionLost', message, { cause: error });
  }
}
