import { SourceError } from '../../../src/model/fault.ts';
import { scrubber } from '../../../src/model/scrub.ts';
import { SystemClock } from '../../../src/runtime/clock.ts';
import { RecordingLogger } from '../../../src/runtime/recording-logger.ts';
import type {
  Connection,
  HttpAnswer,
  HttpCall,
  HttpEndpoint,
  SecretView,
  SourceDeps,
  Trust,
} from '../../../src/sources/source.ts';
import { golden } from './xml-text.ts';

export interface SeenCall {
  readonly method: string;
  readonly body: string;
  readonly cookie: string | undefined;
  readonly action: string | undefined;
}
/** The text of an envelope, or a status without one. */
type Answer = string | { readonly status: number; readonly body?: string };
type Answering = (call: SeenCall, signal: AbortSignal) => Answer | Promise<Answer>;

/** A vCenter that says what a test tells it to, method by method; what it is not told it answers with the golden envelopes. */
export class FakeVcenter implements HttpEndpoint {
  readonly calls: SeenCall[] = [];
  readonly trusts: Trust[] = [];
  readonly log = new RecordingLogger();
  thumbprint = 'AA:BB';
  password = 'p&ss<word>1';
  down = false;
  /** Cookies that are logged in. */
  readonly sessions = new Set<string>();
  readonly #answers = new Map<string, Answering>();
  #logins = 0;

  on(method: string, answer: Answering | Answer): this {
    this.#answers.set(method, typeof answer === 'function' ? answer : () => answer);
    return this;
  }

  count(method: string): number {
    return this.calls.filter((call) => call.method === method).length;
  }

  async call(request: HttpCall, signal: AbortSignal): Promise<HttpAnswer> {
    signal.throwIfAborted();
    if (this.down) throw new SourceError({ code: 'Unreachable', kind: 'transient', message: 'no answer' });
    if (request.method === 'GET') return answerOf(golden('vim-service-versions'), {});
    const body = typeof request.body === 'string' ? request.body : '';
    const method = /<soapenv:Body><(\w+)/.exec(body)?.[1] ?? '';
    const seen = {
      method,
      body,
      cookie: request.headers['cookie'],
      action: request.headers['soapaction'],
    };
    this.calls.push(seen);
    if (method === 'RetrieveServiceContent') return answerOf(golden('retrieve-service-content.response'), {});
    if (method === 'Login') return this.#login(seen);
    if (!this.sessions.has(seen.cookie ?? '')) return answerOf(golden('not-authenticated.fault'), {}, 500);
    const answer = await (this.#answers.get(method) ?? byGolden)(seen, signal);
    if (typeof answer !== 'string') return answerOf(answer.body ?? '', {}, answer.status);
    return answerOf(answer, {}, answer.includes('soapenv:Fault') ? 500 : 200);
  }

  peerThumbprint(): Promise<string> {
    return Promise.resolve(this.thumbprint);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  deps(options: { readonly secrets?: readonly string[] } = {}): SourceDeps {
    return {
      clock: new SystemClock(),
      random: () => 0.999,
      log: this.log,
      scrub: scrubber(options.secrets ?? []),
      connect: (_url, trust) => {
        this.trusts.push(trust);
        return this;
      },
    };
  }

  #login(seen: SeenCall): HttpAnswer {
    const password = this.password.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
    if (!seen.body.includes(`<password>${password}</password>`)) {
      return answerOf(golden('login.invalid-login.fault'), {}, 500);
    }
    this.#logins += 1;
    const cookie = `vmware_soap_session="${this.#logins}"`;
    this.sessions.add(cookie);
    return answerOf(golden('login.response'), { 'set-cookie': `${cookie}; Path=/; HttpOnly; Secure` });
  }
}

function byGolden(call: SeenCall): string {
  const name = call.method
    .replace(/_Task$/, 'Task')
    .replace(/VM(?=Task)/, 'Vm')
    .replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    .slice(1);
  return golden(`${name}.response`);
}

function answerOf(text: string, headers: Readonly<Record<string, string>>, status = 200): HttpAnswer {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    await Promise.resolve();
    const bytes = Buffer.from(text, 'utf8');
    // In two pieces, as a network would: a character may be cut in half.
    yield bytes.subarray(0, bytes.length >> 1);
    yield bytes.subarray(bytes.length >> 1);
  }
  return { status, headers, body: chunks() };
}

export function secretOf(values: Readonly<Record<string, string>>, resourceVersion = '1'): SecretView {
  return { resourceVersion, get: (key) => values[key] };
}

export function connectionWith(
  values: Readonly<Record<string, string>> = {},
  resourceVersion = '1',
): Connection {
  const secret = secretOf(
    { user: 'administrator@vsphere.local', password: 'p&ss<word>1', insecureSkipVerify: 'true', ...values },
    resourceVersion,
  );
  return {
    url: 'https://vcenter.example/sdk',
    secret,
    settings: { vddkInitImage: 'registry.example/vddk:8' },
    hosts: [],
  };
}

/** One VM's answer to RetrievePropertiesEx. */
export function vmAnswer(properties: Readonly<Record<string, string>>): string {
  const set = Object.entries(properties)
    .map(
      ([name, value]) => `<propSet><name>${name}</name><val xsi:type="xsd:string">${value}</val></propSet>`,
    )
    .join('');
  return envelope(
    `<RetrievePropertiesExResponse xmlns="urn:vim25"><returnval><objects><obj type="VirtualMachine">vm-101</obj>${set}</objects></returnval></RetrievePropertiesExResponse>`,
  );
}

export function envelope(content: string): string {
  return (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">' +
    `<soapenv:Body>${content}</soapenv:Body></soapenv:Envelope>`
  );
}
