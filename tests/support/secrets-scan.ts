import { importLabel } from '../../src/api/labels.ts';
import type { KubeObject, ResourceKind, Stored } from '../../src/api/meta.ts';
import type { RecordingLogger } from '../../src/runtime/recording-logger.ts';
import type { EmbeddedApiServer } from '../../src/sandbox/api/api-server.ts';

/**
 * Looks at objects (an embedded world's as each is stored, with when the Secrets of imports come and go) and at every log line. Two rules
 * hold whatever the test is about: no password is ever readable outside a Secret, and no target VM exists while the Secret of its import does.
 */
export class SecretsScan {
  readonly #log: RecordingLogger;
  readonly #forms = new Map<string, string>();
  readonly #access = new Set<string>();
  readonly #found: string[] = [];
  readonly #passedOver = new Set<string>();

  constructor(log: RecordingLogger, passwords: readonly string[]) {
    this.#log = log;
    for (const password of passwords) this.add(password);
  }

  /** Whatever is stored in an embedded API server, as it is stored. */
  follow(api: Pick<EmbeddedApiServer, 'onWrite'>): void {
    api.onWrite(({ type, object }, kind) => this.#stored(type, object as Stored<KubeObject>, kind));
  }

  /** Objects as they stand, where nobody can see them being stored. */
  look(kind: ResourceKind, objects: readonly Stored<KubeObject>[]): void {
    for (const object of objects) this.#read(kind, object);
  }

  /** One more password that must not be seen from here on. */
  add(password: string): void {
    for (const [form, text] of formsOf(password)) this.#forms.set(text, form);
  }

  /** Objects of these kinds say what others wrote: a test that makes somebody talk of a password looks at ours alone. */
  passOver(...kinds: readonly ResourceKind[]): void {
    for (const { plural } of kinds) this.#passedOver.add(plural);
  }

  /** Throws with every place at which a rule was broken. */
  check(): void {
    const logged = this.#log.lines.flatMap((line) =>
      this.#in(JSON.stringify(line, errorsWhole)).map((form) => `log "${line.message}": ${form}`),
    );
    const broken = [...new Set([...this.#found, ...logged])];
    if (broken.length > 0) throw new Error(`secrets seen:\n${broken.join('\n')}`);
  }

  #stored(type: string, object: Stored<KubeObject>, kind: ResourceKind): void {
    const { namespace = '', name, labels } = object.metadata;
    const at = `${kind.plural} ${namespace}/${name}`;
    const holder = labels?.[importLabel];
    if (kind.plural === 'secrets') {
      if (holder === undefined) return;
      if (type === 'DELETED') this.#access.delete(holder);
      else this.#access.add(holder);
      return;
    }
    this.#read(kind, object);
    const isNewVm = kind.plural === 'virtualmachines' && type === 'ADDED' && holder !== undefined;
    if (isNewVm && this.#access.has(holder)) this.#found.push(`${at}: made beside its import's Secret`);
  }

  #read(kind: ResourceKind, object: Stored<KubeObject>): void {
    if (this.#passedOver.has(kind.plural)) return;
    const { namespace = '', name } = object.metadata;
    for (const form of this.#in(JSON.stringify(object)))
      this.#found.push(`${kind.plural} ${namespace}/${name}: ${form}`);
  }

  #in(text: string): readonly string[] {
    return [...this.#forms].filter(([form]) => text.includes(form)).map(([, form]) => form);
  }
}

/** As it is, as it stands in a URL, in JSON or XML, and in base64, alone or behind the user's name (basic authentication). */
function formsOf(password: string): readonly (readonly [form: string, text: string])[] {
  const basic = `administrator@vsphere.local:${password}`;
  return [
    ['plain', password],
    ['url', encodeURIComponent(password)],
    ['form', new URLSearchParams({ p: password }).toString().slice(2)],
    ['json', JSON.stringify(password).slice(1, -1)],
    ['xml', password.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')],
    ['base64', Buffer.from(password).toString('base64').replace(/=+$/, '')],
    ['base64url', Buffer.from(password).toString('base64url')],
    ['basic', Buffer.from(basic).toString('base64').replace(/=+$/, '')],
  ];
}

function errorsWhole(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const { name, message, stack, cause } = value;
  return { ...(Object.fromEntries(Object.entries(value)) as object), name, message, stack, cause };
}
