import { apiGroups, apiVersions, groupDocument, resourceList } from './discovery.ts';
import type { ServerAnswer, ServerRequest } from './exchange.ts';
import type { KindTable } from './kind-table.ts';
import { openApiDocument, openApiIndex } from './openapi.ts';
import { methodNotAllowed, unknownPath } from './refusal.ts';

/** Everything that is no object: health, version, discovery, schemas. */
export class Documents {
  readonly #kinds: KindTable;
  readonly #version: string;

  constructor(kinds: KindTable, gitVersion: string) {
    this.#kinds = kinds;
    this.#version = gitVersion;
  }

  answer({ method }: ServerRequest, path: string): ServerAnswer {
    if (method !== 'GET') throw methodNotAllowed();
    // fact: kube-openapi handler3: the index is JSON, and goes by what the HTTP server makes of its first bytes.
    const isIndex = path === '/openapi/v3';
    const headers = isIndex ? { 'content-type': 'text/plain; charset=utf-8' } : {};
    return { status: 200, headers, body: this.#body(path) };
  }

  #body(path: string): unknown {
    const [root = '', ...rest] = path.split('/').filter((part) => part !== '');
    switch (root) {
      case 'readyz':
      case 'livez':
      case 'healthz':
        return 'ok';
      case 'version':
        return versionInfo(this.#version);
      case 'api':
        return rest[0] === undefined ? apiVersions() : resourceList(this.#kinds, '', rest[0]);
      case 'apis': {
        const [group, version] = rest;
        if (group === undefined) return apiGroups(this.#kinds);
        if (version === undefined) return groupDocument(this.#kinds, group);
        return resourceList(this.#kinds, group, version);
      }
      case 'openapi':
        return rest.length === 1
          ? openApiIndex(this.#kinds, rest[0])
          : openApiDocument(this.#kinds, rest.slice(1));
      default:
        throw unknownPath();
    }
  }
}

function versionInfo(gitVersion: string): object {
  const [major, minor] = gitVersion.slice(1).split('.');
  return {
    major,
    minor,
    gitVersion,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: '',
    compiler: '',
    platform: 'linux/amd64',
  };
}
