import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Stored } from '../../src/api/meta.ts';
import type { ObjectCacheOptions } from '../../src/kube/cache.ts';
import { ObjectCache } from '../../src/kube/cache.ts';
import { compareVersions, isOlder } from '../../src/kube/resource-version.ts';
import { RecordingLogger } from '../../src/runtime/recording-logger.ts';
import type { Widget } from './fake-api.ts';
import { widget } from './fake-api.ts';

type Index = 'plan';

function cacheOf(options: Partial<ObjectCacheOptions<Widget, Index>> = {}) {
  const logger = new RecordingLogger();
  const cache = new ObjectCache<Widget, Index>({
    logger,
    freeze: true,
    indexes: {
      plan: (object) =>
        object.metadata.labels?.['plan'] === undefined ? [] : [object.metadata.labels['plan']],
    },
    ...options,
  });
  const seen: string[] = [];
  cache.onChange((before, after, { isInitial }) => {
    const change = `${before?.metadata.resourceVersion ?? '-'}>${after?.metadata.resourceVersion ?? '-'}`;
    seen.push(`${(after ?? before)?.metadata.name ?? ''} ${change}${isInitial ? ' initial' : ''}`);
  });
  return { cache, seen, logger };
}

function stored(name: string, version: number, fields: { uid?: string; plan?: string } = {}): Stored<Widget> {
  const { uid = `uid of ${name}`, plan } = fields;
  const labels = plan === undefined ? {} : { labels: { plan } };
  const metadata = { name, namespace: 'ns', uid, resourceVersion: String(version), creationTimestamp: 't' };
  return { ...widget(name), metadata: { ...metadata, ...labels } };
}
const at = (name: string) => ({ namespace: 'ns', name });

describe('filling', () => {
  test('the first list is initial, what follows is not', () => {
    const { cache, seen } = cacheOf();
    expect(cache.hasSynced).toBe(false);
    cache.replace({ items: [stored('a', 5)], resourceVersion: '10' });
    expect(cache.hasSynced).toBe(true);
    cache.apply({ type: 'ADDED', object: stored('b', 11) });
    cache.apply({ type: 'MODIFIED', object: stored('a', 12) });
    cache.apply({ type: 'DELETED', object: stored('b', 13) });
    expect(seen).toEqual(['a ->5 initial', 'b ->11', 'a 5>12', 'b 11>-']);
    expect(cache.list().map((object) => object.metadata.name)).toEqual(['a']);
  });

  test('a later list tells only what changed', () => {
    const { cache, seen } = cacheOf();
    cache.replace({ items: [stored('a', 5), stored('b', 6), stored('c', 7)], resourceVersion: '10' });
    seen.length = 0;
    cache.replace({ items: [stored('a', 5), stored('b', 15)], resourceVersion: '20' });
    expect(seen).toEqual(['b 6>15', 'c 7>-']);
  });

  test('whoever comes late hears of all that is held', () => {
    const { cache } = cacheOf();
    cache.replace({ items: [stored('a', 5)], resourceVersion: '10' });
    const late: string[] = [];
    const handle = cache.onChange((_before, after, { isInitial }) => {
      late.push(`${after?.metadata.name ?? ''} ${isInitial}`);
    });
    handle[Symbol.dispose]();
    cache.apply({ type: 'ADDED', object: stored('b', 11) });
    expect(late).toEqual(['a true']);
  });

  test('a handler that throws costs the others nothing', () => {
    const { cache, logger } = cacheOf();
    const seen: string[] = [];
    cache.onChange(() => {
      throw new Error('bug');
    });
    cache.onChange((_before, after) => seen.push(after?.metadata.name ?? ''));
    cache.apply({ type: 'ADDED', object: stored('a', 5) });
    expect(seen).toEqual(['a']);
    expect(logger.lines[0]?.message).toBe('cache handler failed');
  });
});

describe('indexes', () => {
  test('follow the objects', () => {
    const { cache } = cacheOf();
    const names = (value: string) => cache.byIndex('plan', value).map((object) => object.metadata.name);
    cache.replace({
      items: [stored('a', 5, { plan: 'p' }), stored('b', 6, { plan: 'p' })],
      resourceVersion: '10',
    });
    expect(names('p')).toEqual(['a', 'b']);
    cache.apply({ type: 'MODIFIED', object: stored('a', 11, { plan: 'q' }) });
    cache.apply({ type: 'MODIFIED', object: stored('b', 12) });
    expect([names('p'), names('q')]).toEqual([[], ['a']]);
    cache.apply({ type: 'DELETED', object: stored('a', 13, { plan: 'q' }) });
    expect(names('q')).toEqual([]);
  });

  test('an index that nobody declared is an error, not an empty answer', () => {
    const { cache } = cacheOf();
    expect(() => cache.byIndex('paln' as Index, 'p')).toThrow(RangeError);
  });
});

describe('what is kept', () => {
  test('managedFields are not, and nobody can write to the rest', () => {
    const { cache } = cacheOf();
    const object = stored('a', 5);
    cache.put({ ...object, metadata: { ...object.metadata, managedFields: [{}] } as typeof object.metadata });
    const held = cache.get(at('a'));
    expect(held?.metadata).not.toHaveProperty('managedFields');
    expect(() => Object.assign(held?.metadata ?? {}, { name: 'other' })).toThrow(TypeError);
  });

  test('a transform decides', () => {
    const { cache } = cacheOf({
      transform: ({ apiVersion, kind, metadata }) => ({ apiVersion, kind, metadata }),
    });
    cache.put({ ...stored('a', 5), spec: { large: true } });
    expect(cache.getByKey('ns/a')).not.toHaveProperty('spec');
  });
});

describe('our own writes', () => {
  test('are seen at once, and their event is not told again', () => {
    const { cache, seen } = cacheOf();
    cache.replace({ items: [stored('a', 5)], resourceVersion: '10' });
    cache.put(stored('a', 12));
    cache.apply({ type: 'MODIFIED', object: stored('a', 11) });
    cache.apply({ type: 'MODIFIED', object: stored('a', 12) });
    expect(seen).toEqual(['a ->5 initial', 'a 5>12']);
  });

  test('an answer that comes after its own event, or after the deletion, changes nothing', () => {
    const { cache, seen } = cacheOf();
    cache.replace({ items: [stored('a', 5)], resourceVersion: '10' });
    cache.apply({ type: 'MODIFIED', object: stored('a', 12) });
    cache.apply({ type: 'DELETED', object: stored('a', 13) });
    cache.put(stored('a', 12));
    cache.put(stored('a', 11));
    expect(cache.get(at('a'))).toBeUndefined();
    expect(seen).toEqual(['a ->5 initial', 'a 5>12', 'a 12>-']);
  });

  test('a list from before the write does not undo it, and one from after it does', () => {
    const { cache } = cacheOf();
    cache.put(stored('new', 12));
    cache.replace({ items: [], resourceVersion: '10' });
    expect(cache.get(at('new'))?.metadata.resourceVersion).toBe('12');
    cache.replace({ items: [], resourceVersion: '12' });
    expect(cache.get(at('new'))).toBeUndefined();
  });

  test('a deletion ends its object at any version, and spares another that took the name', () => {
    const { cache } = cacheOf();
    cache.replace({ items: [stored('a', 5, { uid: 'first' })], resourceVersion: '10' });
    cache.put(stored('a', 14, { uid: 'second' }));
    cache.apply({ type: 'DELETED', object: stored('a', 13, { uid: 'first' }) });
    expect(cache.get(at('a'))?.metadata.uid).toBe('second');
    cache.apply({ type: 'DELETED', object: stored('a', 14, { uid: 'second' }) });
    expect(cache.get(at('a'))).toBeUndefined();
  });

  test('an object that our write took out of the selection is gone at once, and no older event or list brings it back', () => {
    const { cache, seen } = cacheOf();
    cache.replace({ items: [stored('a', 5)], resourceVersion: '10' });
    cache.forget(stored('a', 14));
    cache.apply({ type: 'MODIFIED', object: stored('a', 12) });
    cache.replace({ items: [stored('a', 12)], resourceVersion: '13' });
    expect(cache.get(at('a'))).toBeUndefined();
    cache.apply({ type: 'DELETED', object: stored('a', 14) });
    expect(seen).toEqual(['a ->5 initial', 'a 5>-']);
    cache.apply({ type: 'ADDED', object: stored('a', 15) });
    cache.forget(stored('a', 14));
    expect(cache.get(at('a'))?.metadata.resourceVersion).toBe('15');
  });

  test('after a server was rolled back to an earlier state its list is taken as it is', () => {
    const { cache } = cacheOf();
    cache.replace({ items: [stored('a', 900), stored('b', 950)], resourceVersion: '1000' });
    cache.replace({ items: [stored('a', 400)], resourceVersion: '500' });
    expect(cache.list().map((object) => object.metadata.resourceVersion)).toEqual(['400']);
    cache.put(stored('a', 501));
    expect(cache.get(at('a'))?.metadata.resourceVersion).toBe('501');
  });
});

test('the cache ends up as the server whatever of our own answers come late, and never shows an object older than before', () => {
  const change = fc.record({
    name: fc.constantFrom('a', 'b'),
    remove: fc.boolean(),
    ours: fc.boolean(),
    /** After how many further events our answer arrives; negative: before its own event. */
    lag: fc.integer({ min: -3, max: 3 }),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 25 }), (changes) => {
      const { cache } = cacheOf();
      cache.replace({ items: [], resourceVersion: '100' });
      const server = new Map<string, Stored<Widget>>();
      const deliveries: { order: number; deliver: () => void }[] = [];
      changes.forEach(({ name, remove, ours, lag }, i) => {
        const version = 101 + i;
        const held = server.get(name);
        if (remove) {
          if (held === undefined) return;
          server.delete(name);
          const object = stored(name, version, { uid: held.metadata.uid });
          deliveries.push({ order: i, deliver: () => cache.apply({ type: 'DELETED', object }) });
          return;
        }
        const object = stored(name, version, { uid: held?.metadata.uid ?? `uid ${version}` });
        server.set(name, object);
        const type = held === undefined ? 'ADDED' : 'MODIFIED';
        deliveries.push({ order: i, deliver: () => cache.apply({ type, object }) });
        if (ours) deliveries.push({ order: i + lag + 0.5, deliver: () => cache.put(object) });
      });
      const newest = new Map<string, string>();
      cache.onChange((_before, after) => {
        if (after === undefined) return;
        const { uid, resourceVersion } = after.metadata;
        expect(isOlder(resourceVersion, newest.get(uid) ?? '0')).toBe(false);
        newest.set(uid, resourceVersion);
      });
      deliveries.sort((one, other) => one.order - other.order);
      for (const { deliver } of deliveries) deliver();
      const versions = (objects: Iterable<Stored<Widget>>) =>
        [...objects].map((object) => object.metadata.resourceVersion).sort();
      expect(versions(cache.list())).toEqual(versions(server.values()));
    }),
    { numRuns: 500 },
  );
});

test('versions compare as integers of any length, and not at all when they are none', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 70n }), fc.bigInt({ min: 0n, max: 2n ** 70n }), (a, b) => {
      expect(Math.sign(compareVersions(String(a), String(b)) ?? NaN)).toBe(a < b ? -1 : a > b ? 1 : 0);
    }),
  );
  expect(compareVersions('abc', '12')).toBeUndefined();
  expect(compareVersions('', '12')).toBeUndefined();
});
