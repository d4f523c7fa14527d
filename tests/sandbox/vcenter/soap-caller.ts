import { SimulatedClock } from '../../../src/sandbox/simulated-clock.ts';
import { createMemoryDiskStore } from '../../../src/sandbox/disk-memory.ts';
import { SwitchedFaults } from '../../../src/sandbox/faults.ts';
import { seededRandom } from '../../../src/sandbox/random.ts';
import { RecordedTrace } from '../../../src/sandbox/trace.ts';
import { SimulatedVCenter } from '../../../src/sandbox/vcenter/simulated-vcenter.ts';
import type { VCenterOptions } from '../../../src/sandbox/vcenter/vcenter-parts.ts';
import type { HttpEndpoint, Trust } from '../../../src/sources/source.ts';
import { bodyOf, type CanonicalElement } from '../../golden/vsphere/canonical.ts';

export const password = 'p&ss<word>1';
export const user = 'administrator@vsphere.local';

/** A vCenter with nothing around it but a clock that stands still until it is told to move. */
export class VCenterWorld implements AsyncDisposable {
  readonly clock = new SimulatedClock({ start: Date.UTC(2026, 2, 1, 12) });
  readonly trace = new RecordedTrace(this.clock);
  readonly faults = new SwitchedFaults(this.trace);
  readonly disks = createMemoryDiskStore();
  readonly vcenter: SimulatedVCenter;

  constructor(options: Partial<VCenterOptions> = {}) {
    const { clock, trace, faults, disks } = this;
    const credentials = { user, password };
    this.vcenter = new SimulatedVCenter({
      clock,
      trace,
      faults,
      disks,
      random: seededRandom(7),
      credentials,
      ...options,
    });
  }

  caller(trust?: Trust): SoapCaller {
    const given = trust ?? { by: 'thumbprint', sha1: this.vcenter.thumbprint };
    return new SoapCaller(this.vcenter.connect(this.vcenter.url, given));
  }

  async loggedIn(): Promise<SoapCaller> {
    const caller = this.caller();
    await caller.login();
    return caller;
  }

  /** What was done to VMs and by whom: "administrator poweredOn web-1". */
  get story(): readonly string[] {
    return this.trace.entries.map(({ who, what, on }) => `${who} ${what} ${on}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.vcenter[Symbol.asyncDispose]();
    this.disks[Symbol.dispose]();
  }
}

export class SoapFault extends Error {
  /** Without the namespace: NotAuthenticated. */
  readonly type: string;
  readonly detail: CanonicalElement;

  constructor(type: string, text: string, detail: CanonicalElement) {
    super(`${type}: ${text}`);
    this.type = type;
    this.detail = detail;
  }
}

/** The plainest possible client: text in, element tree out. It shares no code with the one under src/sources. */
export class SoapCaller {
  readonly #endpoint: HttpEndpoint;
  cookie: string | undefined;

  constructor(endpoint: HttpEndpoint) {
    this.#endpoint = endpoint;
  }

  async post(envelope: string, headers: Readonly<Record<string, string>> = {}): Promise<Posted> {
    const answer = await this.#endpoint.call(
      {
        method: 'POST',
        path: '/sdk',
        headers: {
          SOAPAction: 'urn:vim25/8.0.2.0',
          ...(this.cookie === undefined ? {} : { Cookie: this.cookie }),
          ...headers,
        },
        body: envelope,
      },
      new AbortController().signal,
    );
    const chunks: Uint8Array[] = [];
    for await (const chunk of answer.body) chunks.push(chunk);
    const setCookie = answer.headers['set-cookie'];
    if (setCookie !== undefined) this.cookie = setCookie.split(';')[0];
    return { status: answer.status, text: Buffer.concat(chunks).toString('utf8') };
  }

  /** The children of the response element. Throws SoapFault. */
  async call(
    method: string,
    on: readonly [type: string, id: string],
    inner = '',
  ): Promise<readonly CanonicalElement[]> {
    const { status, text } = await this.post(envelopeOf(method, on, inner));
    const body = bodyOf(text);
    if (status === 200) return body.children;
    const [, string, detail] = body.children;
    const [fault] = detail?.children ?? [];
    const type = fault?.attributes['{http://www.w3.org/2001/XMLSchema-instance}type'] ?? '';
    if (fault === undefined) throw new Error(`HTTP ${status}: ${text}`);
    throw new SoapFault(local(type), string?.text ?? '', fault);
  }

  async login(secret = password): Promise<void> {
    const inner = `<userName>${user}</userName><password>${escaped(secret)}</password>`;
    await this.call('Login', ['SessionManager', 'SessionManager'], inner);
  }

  /** A property of one object, as its element; undefined when it is not set. */
  async property(type: string, id: string, path: string): Promise<CanonicalElement | undefined> {
    const inner =
      `<specSet><propSet><type>${type}</type><pathSet>${path}</pathSet></propSet>` +
      `<objectSet><obj type="${type}">${id}</obj></objectSet></specSet><options/>`;
    const [result] = await this.call('RetrievePropertiesEx', defaultCollector, inner);
    const object = result === undefined ? undefined : childOf(result, 'objects');
    const property = object === undefined ? undefined : childOf(object, 'propSet');
    return property === undefined ? undefined : childOf(property, 'val');
  }
}

export interface Posted {
  readonly status: number;
  readonly text: string;
}

export const defaultCollector = ['PropertyCollector', 'propertyCollector'] as const;

export function envelopeOf(
  method: string,
  [type, id]: readonly [type: string, id: string],
  inner: string,
): string {
  return (
    '<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">' +
    `<Body><${method} xmlns="urn:vim25"><_this type="${type}">${id}</_this>${inner}</${method}></Body></Envelope>`
  );
}

export function local(name: string): string {
  return name.slice(name.indexOf('}') + 1);
}

export function childrenOf(element: CanonicalElement, name: string): readonly CanonicalElement[] {
  return element.children.filter((child) => local(child.name) === name);
}

export function childOf(element: CanonicalElement, name: string): CanonicalElement | undefined {
  return childrenOf(element, name)[0];
}

/** Text of the child, or ''. */
export function textOf(element: CanonicalElement, name: string): string {
  return childOf(element, name)?.text ?? '';
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
