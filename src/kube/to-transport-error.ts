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

/** Several addresses of one host fail as one AggregateError without a message of its own. */
function describe(error: unknown): { readonly code: string; readonly text: string } {
  if (!(error instanceof Error)) return { code: '', text: String(error) };
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  const code =
    (error as NodeJS.ErrnoException).code ?? (first as NodeJS.ErrnoException | undefined)?.code ?? '';
  const message = error.message !== '' ? error.message : first instanceof Error ? first.message : error.name;
  return { code, text: code !== '' && !message.includes(code) ? `${code}: ${message}` : message };
}
