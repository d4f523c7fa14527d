import { SourceError } from '../model/fault.ts';

/** Nobody answered at `url`, or the connection broke. `why`: a code, or a text where there is none. */
export function noAnswer(url: string, why: string, options?: ErrorOptions): SourceError {
  const message = `No answer from ${url} (${why}). Is the server up, and the URL right?`;
  return new SourceError({ code: 'Unreachable', kind: 'transient', message }, options);
}

/** TLS came about, but what the server showed is not what the Secret stands for. */
export function certificateNotTrusted(url: string, why: string, options?: ErrorOptions): SourceError {
  const message =
    `The certificate that ${url} shows is not trusted (${why}). Put the authority that signed it into the provider's Secret as ` +
    'ca.crt, or its SHA-1 as thumbprint.';
  return new SourceError({ code: 'CertificateNotTrusted', kind: 'auth', message }, options);
}

/** `shown`: undefined where the server showed no certificate. */
export function thumbprintMismatch(shown: string | undefined, named: string): string {
  return `it shows ${shown ?? 'none'}, the Secret names ${named}`;
}
