import type { KubeObject, Stored } from '../api/meta.ts';
import type { WatchEvent } from './client.ts';
import { KubeError } from './errors.ts';
import { errorEventToError } from './status-to-error.ts';
import type { ApiStream } from './transport.ts';

/**
 * The documents of a watch as events. An ERROR event ends the iteration with the KubeError that its Status means (410 Gone above
 * all); a line that is no watch event ends it with ServerError, since what it should have said is lost.
 */
export async function* readWatchEvents<T extends KubeObject>(
  attempted: string,
  stream: ApiStream,
): AsyncGenerator<WatchEvent<T>, void, undefined> {
  for await (const line of stream.lines) {
    const { type, object } = line as { readonly type?: unknown; readonly object?: unknown };
    switch (type) {
      case 'ADDED':
      case 'MODIFIED':
      case 'DELETED':
        yield { type, object: object as Stored<T> };
        break;
      case 'BOOKMARK':
        yield { type, resourceVersion: (object as Stored<T>).metadata.resourceVersion };
        break;
      case 'ERROR':
        throw errorEventToError(attempted, object);
      default:
        throw new KubeError({
          code: 'ServerError',
          status: stream.status,
          detail: `a line of the watch is no watch event: ${JSON.stringify(line).slice(0, 200)}`,
          attempted,
        });
    }
  }
}
