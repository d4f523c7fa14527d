import type { Clock } from '../../../src/runtime/clock.ts';
import type { ApiStream, ContentType } from '../../../src/kube/transport.ts';
import type { Door } from './door.ts';
import type { Answer, RequestStep, Story, WatchStep } from './story.ts';

/** What comes back when a story is told to a server, and what in it is a name that this telling alone has. */
export interface Telling {
  readonly answers: readonly Answer[];
  /** The story's own names, by what stands for them: "ns", "other". */
  readonly names: Readonly<Record<string, string>>;
}

const pollMs = 50;
const toldHeaders = ['content-type', 'warning', 'retry-after', 'location'];

/** Who sends: the controller's own user where only it may, else someone who may do everything. */
export interface Doors {
  readonly admin: Door;
  readonly gantry: Door;
}

export interface TellOptions {
  /** Lower-case letters and digits that no other telling on this server has. */
  readonly id: string;
  readonly clock: Clock;
  /** Milliseconds that a step may wait for what others do. */
  readonly patienceMs: number;
}

/** Throws Error when a step that must succeed does not, or waits in vain. */
export async function tell(
  doors: Doors,
  story: Story,
  { id, clock, patienceMs }: TellOptions,
): Promise<Telling> {
  const names = { ns: `story-${id}`, other: `other-${id}` };
  const teller = new Teller(doors, names, clock, patienceMs);
  await teller.makeNamespaces();
  try {
    for (const step of story.steps) {
      if ('watch' in step) await teller.watch(step);
      else await teller.request(step);
    }
  } finally {
    await teller.dropNamespaces();
  }
  return { answers: teller.answers, names };
}

class Teller {
  readonly answers: Answer[] = [];
  readonly #doors: Doors;
  readonly #clock: Clock;
  readonly #patienceMs: number;
  readonly #spaces: readonly string[];
  readonly #kept: Map<string, string>;

  constructor(doors: Doors, names: Readonly<Record<string, string>>, clock: Clock, patienceMs: number) {
    this.#patienceMs = patienceMs;
    this.#doors = doors;
    this.#clock = clock;
    this.#spaces = Object.values(names);
    this.#kept = new Map(Object.entries(names));
  }

  /** A story waits itself for what controllers put into a namespace: before its ServiceAccount is there no pod is accepted. */
  async makeNamespaces(): Promise<void> {
    for (const name of this.#spaces) {
      await this.request({
        does: 'make a namespace',
        method: 'POST',
        path: '/api/v1/namespaces',
        body: { metadata: { name } },
        quiet: true,
      });
    }
  }

  async dropNamespaces(): Promise<void> {
    for (const name of this.#spaces) {
      await this.#doors.admin.transport.request({ method: 'DELETE', path: `/api/v1/namespaces/${name}` });
    }
  }

  async request(step: RequestStep): Promise<void> {
    const answer = await this.#settled(step);
    if (step.quiet === true && step.until === undefined && answer.status >= 300)
      throw new Error(`"${step.does}" was to succeed: ${JSON.stringify(answer.body)}`);
    for (const [name, path] of Object.entries(step.keep ?? {})) {
      const value = valueAt(answer.body, path);
      if (typeof value !== 'string' && typeof value !== 'number')
        throw new Error(`"${step.does}": no ${path} in ${JSON.stringify(answer.body)}`);
      this.#kept.set(name, String(value));
    }
    if (step.quiet === true) return;
    const { parts } = step;
    const body =
      parts === undefined
        ? answer.body
        : Object.fromEntries(parts.map((part) => [part, valueAt(answer.body, part)]));
    this.answers.push({ ...answer, body });
  }

  async watch(step: WatchStep): Promise<void> {
    const abort = new AbortController();
    using _ = this.#clock.setTimeout(
      () => abort.abort(new Error(`"${step.does}" waits in vain for its last line`)),
      this.#patienceMs,
    );
    const stream = await this.#doors.admin.transport.stream(
      {
        method: 'GET',
        path: this.#filled(step.watch) as string,
        query: { watch: 'true', ...(this.#filled(step.query ?? {}) as Record<string, string>) },
        ...(step.accept !== undefined && { headers: { accept: step.accept } }),
      },
      abort.signal,
    );
    try {
      for (const request of step.during ?? []) await this.request(request);
      const lines = await this.#linesOf(step, stream);
      const isWatch = stream.status === 200;
      const body = isWatch ? { lines } : lines[0];
      this.answers.push({ does: step.does, status: stream.status, headers: told(stream.headers), body });
    } finally {
      abort.abort(new Error('read enough'));
    }
  }

  async #linesOf(step: WatchStep, stream: ApiStream): Promise<readonly unknown[]> {
    const lines: unknown[] = [];
    const last = step.last === undefined ? undefined : this.#filled(step.last);
    for await (const line of stream.lines) {
      // When a server sends its marks of progress is its own affair; the one that ends an initial list is a promise.
      if (isMark(line) && !isInitialEnd(line)) continue;
      lines.push(line);
      if (last !== undefined && namesOf(line).includes(last)) break;
    }
    return lines;
  }

  async #settled(step: RequestStep): Promise<Answer> {
    const { until } = step;
    const startedMs = this.#clock.monotonicMs();
    for (;;) {
      const answer = await this.#sendOnce(step);
      if (until === undefined) return answer;
      if ('status' in until ? answer.status === until.status : isAt(answer.body, until)) return answer;
      if (this.#clock.monotonicMs() - startedMs > this.#patienceMs)
        throw new Error(`"${step.does}" waits in vain: ${JSON.stringify(answer)}`);
      await this.#clock.sleep(pollMs);
    }
  }

  async #sendOnce(step: RequestStep): Promise<Answer> {
    const { does, method, accept, text } = step;
    const path = this.#filled(step.path) as string;
    const query = this.#filled(step.query ?? {}) as Record<string, string>;
    const headers = accept === undefined ? {} : { accept };
    const contentType = step.contentType ?? 'application/json';
    const door = this.#doors[step.as ?? 'admin'];
    const answer =
      text === undefined
        ? await door.transport.request({
            method,
            path,
            query,
            headers,
            contentType: contentType as ContentType,
            ...(step.body !== undefined && { body: this.#filled(step.body) }),
          })
        : await door.sendText({
            method,
            path,
            query,
            headers: { ...headers, 'content-type': contentType },
            text: this.#filled(text) as string,
          });
    return { does, status: answer.status, headers: told(answer.headers), body: parsed(answer.body) };
  }

  /** A copy with every `{name}` in its texts replaced. Throws Error for a name that nothing kept. */
  #filled(value: unknown): unknown {
    if (typeof value === 'string') {
      return value.replaceAll(/\{([a-z]\w*)\}/g, (_, name: string) => {
        const kept = this.#kept.get(name);
        if (kept === undefined) throw new Error(`nothing is known of {${name}}`);
        return kept;
      });
    }
    if (Array.isArray(value)) return value.map((item) => this.#filled(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [this.#filled(key), this.#filled(member)]),
    );
  }
}

/** The index of schemas is JSON that calls itself text. */
function parsed(body: unknown): unknown {
  return typeof body === 'string' && body.startsWith('{') ? (JSON.parse(body) as unknown) : body;
}

function told(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => toldHeaders.includes(name)));
}

function isAt(body: unknown, { at, is }: { readonly at: string; readonly is: unknown }): boolean {
  return JSON.stringify(valueAt(body, at)) === JSON.stringify(is);
}

/** By a dotted path; a number is an index. Dots in keys are written as "\.". */
function valueAt(body: unknown, path: string): unknown {
  let value: unknown = body;
  for (const name of path.split(/(?<!\\)\./).map((part) => part.replaceAll('\\.', '.'))) {
    value =
      typeof value === 'object' && value !== null
        ? (value as Readonly<Record<string, unknown>>)[name]
        : undefined;
  }
  return value;
}

function isMark(line: unknown): boolean {
  return valueAt(line, 'type') === 'BOOKMARK';
}

function isInitialEnd(line: unknown): boolean {
  return valueAt(line, 'object.metadata.annotations.k8s\\.io/initial-events-end') === 'true';
}

/** Of the object in a line, or of the objects in its table. */
function namesOf(line: unknown): readonly unknown[] {
  const rows = valueAt(line, 'object.rows');
  if (!Array.isArray(rows)) return [valueAt(line, 'object.metadata.name')];
  return rows.map((row) => valueAt(row, 'object.metadata.name'));
}
