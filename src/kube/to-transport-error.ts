import { TransportError } from './transport.ts';

/** Codes of Node and undici that mean: not a byte of the request reached the server. */
const connectCodes = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
]);
/** OpenSSL's and Node's words for a server that is not who it should be. */
const trustCodes =
  /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA)/;

/** The failure of a socket or of its TLS as a TransportError that says what to look at; a TransportError as it is. */
export function toTransportError(error: unknown, attempted: string): TransportError {
  if (error instanceof TransportError) return error;
  const { code, text } = describe(error);
  if (connectCodes.has(code)) {
    return new TransportError('ConnectFailed', `${attempted}: no connection (${text})`, { cause: error });
  }
  if (trustCodes.test(code)) {
    const hint = 'check the address and the certificate authority';
    return new TransportError('ConnectFailed', `${attempted}: not trusted (${text}): ${hint}`, {
      cause: error,
    });
  }
  return new TransportError('ConnectionLost', `${attempted}: connection lost (${text})`, { cause: error });
}

/** What an error says, in one line: with its code where the message lacks it. */
export function errorText(error: unknown): string {
  return describe(error).text;
}

/**
 * Several addresses of one host fail as one AggregateError without a message of its own. Read by shape, not by class: Node's own errors
 * are of another realm wherever this code runs in a vm context.
 */
function describe(error: unknown): { readonly code: string; readonly text: string } {
  const { code: ownCode, message: ownMessage, errors, name } = (error ?? {}) as ErrorFields;
  const first = errors?.[0];
  const code = ownCode ?? first?.code ?? '';
  const message = [ownMessage, first?.message, name, String(error)].find(
    (text) => text !== undefined && text !== '',
  );
  const text = message ?? '';
  return { code, text: code !== '' && !text.includes(code) ? `${code}: ${text}` : text };
}

interface ErrorFields {
  readonly code?: string;
  readonly message?: string;
  readonly name?: string;
  readonly errors?: readonly ErrorFields[];
}
