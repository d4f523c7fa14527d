import type { JsonPatch } from '../../src/api/meta.ts';
import { canonicalJson } from '../../src/model/digest.ts';
import type { Json } from '../../src/model/vm.ts';

/** RFC 6902 on members of objects and lists, as an API server applies it: all or nothing, an Error where a test fails. */
export function applyPatch(document: unknown, patch: JsonPatch): unknown {
  const result: unknown = structuredClone(document);
  for (const operation of patch) {
    const path = operation.path.split('/').slice(1).map(unescape);
    const key = path.pop() ?? '';
    const parent = path.reduce<unknown>((node, part) => memberOf(node, part), result) as Record<
      string,
      unknown
    >;
    if (operation.op !== 'add' && memberOf(parent, key) === undefined)
      throw new Error(`test failed: no ${operation.path}`);
    if (operation.op === 'test') {
      if (canonicalJson(parent[key] as Json) !== canonicalJson(operation.value as Json))
        throw new Error(`test failed: ${operation.path}`);
    } else if (operation.op === 'remove') {
      Reflect.deleteProperty(parent, key);
    } else {
      parent[key] = structuredClone(operation.value);
    }
  }
  return result;
}

function memberOf(node: unknown, key: string): unknown {
  return typeof node === 'object' && node !== null ? (node as Record<string, unknown>)[key] : undefined;
}

function unescape(token: string): string {
  return token.replaceAll('~1', '/').replaceAll('~0', '~');
}
