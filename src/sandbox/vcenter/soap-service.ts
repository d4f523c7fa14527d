import { powerMethods } from './power-methods.ts';
import { propertyMethods } from './property-methods.ts';
import { reconfigureMethods } from './reconfigure.ts';
import type { CallContext, Handlers, Result, SessionContext, VCenterParts } from './service-context.ts';
import { sessionCookie, type Session } from './sessions.ts';
import { openMethods, sessionMethods } from './session-methods.ts';
import { snapshotMethods } from './snapshot-methods.ts';
import { answerEnvelope, faultEnvelope } from './soap-answer.ts';
import { readCall, type VimCall } from './soap-request.ts';
import { invalidRequest, notAuthenticated, VimFault } from './vim-fault.ts';

export interface SoapRequest {
  readonly method: string;
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}
export interface SoapAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** API versions that this server speaks, newest first. */
export const apiVersions = ['8.0.2.0', '8.0.1.0', '8.0.0.0', '7.0.3.0', '7.0.0.0', '6.7', '6.5'] as const;

const methods: Handlers<SessionContext> = {
  ...sessionMethods,
  ...propertyMethods,
  ...powerMethods,
  ...snapshotMethods,
  ...reconfigureMethods,
};

const xmlHeaders = { 'content-type': 'text/xml; charset="utf-8"' };

/** vim25 over HTTP: one endpoint, `/sdk` (fact: vs 1.1). */
export class SoapService {
  readonly #parts: VCenterParts;
  /** Asked with each call of a session: is it lost now? */
  readonly #isLost: (session: Session) => boolean;

  constructor(parts: VCenterParts, isLost: (session: Session) => boolean) {
    this.#parts = parts;
    this.#isLost = isLost;
  }

  async handle(request: SoapRequest, signal: AbortSignal): Promise<SoapAnswer> {
    const path = request.path.replace(/\?.*$/, '').replace(/\/$/, '');
    if (request.method === 'GET' && path === '/sdk/vimServiceVersions.xml') {
      return { status: 200, headers: xmlHeaders, body: serviceVersions() };
    }
    if (path !== '/sdk') return { status: 404, headers: {}, body: '' };
    if (request.method !== 'POST') return { status: 405, headers: { allow: 'POST' }, body: '' };
    let cookie: string | undefined;
    const answer = (status: number, body: string): SoapAnswer => ({
      status,
      headers: cookie === undefined ? xmlHeaders : { ...xmlHeaders, 'set-cookie': cookie },
      body,
    });
    try {
      checkAction(request.headers['soapaction']);
      const call = readCall(request.body);
      const session = this.#sessionOf(request, call);
      const setCookie = (made: Session): void => {
        cookie = sessionCookie(made);
        made.userAgent = request.headers['user-agent'] ?? '';
      };
      this.#parts.sessions.serving = session;
      const result = await dispatch({ ...this.#parts, call, session, signal, setCookie });
      return answer(200, answerEnvelope(call.method, result));
    } catch (error) {
      // fact: vs 1.6: a fault is HTTP 500.
      if (error instanceof VimFault) return answer(500, faultEnvelope(error));
      throw error;
    }
  }

  #sessionOf(request: SoapRequest, call: VimCall): Session | undefined {
    const ended = notAuthenticated(call.on, 'System.View');
    const session = this.#parts.sessions.ofCookie(request.headers['cookie'], ended);
    if (session === undefined || !this.#isLost(session)) return session;
    this.#parts.sessions.end(session, ended);
    return undefined;
  }
}

function dispatch(context: CallContext): Result {
  const { name } = context.call.method;
  const open = openMethods[name];
  const { session } = context;
  // First: after a session has ended every call says so, whatever else is wrong with it (fact: vs 1.3).
  if (session === undefined && open === undefined) throw notAuthenticated(context.call.on, 'System.View');
  checkTarget(context);
  if (open !== undefined) return open(context);
  const method = methods[name];
  if (method === undefined || session === undefined)
    throw invalidRequest(`Unable to resolve WSDL method name ${name}`);
  return method({ ...context, session });
}

/** `_this` must be of the class that has the method; the managers' ids are fixed, but a client may not know that (fact: vs 1.3). */
function checkTarget({ call, registry }: CallContext): void {
  registry.require(call.on, call.method.on);
}

/**
 * fact: vs 1.1: from vSphere 7 on the header must name a version (text: inferred). One that the server does not have is answered at its own
 * level: govc names the newest that it knows, CDI's importer an old one, whatever the server is (fact: testbed 6).
 */
function checkAction(action: string | undefined): void {
  if (/^"?urn:vim25\/[^"\s]+"?$/.test(action ?? '')) return;
  throw invalidRequest(`Unsupported version URI "${action ?? ''}"`);
}

/** fact: vs 1.1: `version` and `priorVersions`, for a client that negotiates before it logs in. */
function serviceVersions(): string {
  const [current, ...prior] = apiVersions;
  const versions = prior.map((version) => `<version>${version}</version>`).join('');
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n<namespaces version="1.0"><namespace><name>urn:vim25</name>' +
    `<version>${current}</version><priorVersions>${versions}</priorVersions></namespace></namespaces>\n`
  );
}
