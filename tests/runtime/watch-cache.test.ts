import { expect, test } from '@jest/globals';
import type { Stored } from '../../src/api/meta.ts';
import { ObjectCache } from '../../src/kube/cache.ts';
import { RecordingLogger } from '../../src/runtime/recording-logger.ts';
import { watchCache } from '../../src/runtime/watch-cache.ts';
import type { Widget } from '../kube/fake-api.ts';
import { widget } from '../kube/fake-api.ts';

const stored = (name: string, version: number): Stored<Widget> => ({
  ...widget(name),
  metadata: { name, namespace: 'ns', uid: name, resourceVersion: String(version), creationTimestamp: 't' },
});

test('changes wake the keys that they concern, the first list at low priority', () => {
  const cache = new ObjectCache<Widget>({ logger: new RecordingLogger() });
  const woken: string[] = [];
  const target = { enqueue: (key: string, priority?: string) => woken.push(`${key} ${priority ?? ''}`) };
  const watching = watchCache(cache, target, (before, after) => {
    const name = (after ?? before)?.metadata.name ?? '';
    return name === 'quiet' ? [] : [`plan of ${name}`];
  });
  cache.replace({ items: [stored('a', 1), stored('quiet', 2)], resourceVersion: '5' });
  cache.apply({ type: 'MODIFIED', object: stored('a', 6) });
  cache.apply({ type: 'DELETED', object: stored('a', 7) });
  watching[Symbol.dispose]();
  cache.apply({ type: 'ADDED', object: stored('b', 8) });
  expect(woken).toEqual(['plan of a low', 'plan of a normal', 'plan of a normal']);
});
