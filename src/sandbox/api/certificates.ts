import { generate } from 'selfsigned';

export interface IssuedCertificate {
  readonly certPem: string;
  readonly keyPem: string;
  readonly caPem: string;
}

const dayMs = 86_400_000;

/** A certificate for 127.0.0.1 and localhost, signed by an authority made for it alone. `now`: milliseconds since 1970. */
export async function issueCertificate(now: number): Promise<IssuedCertificate> {
  const validity = { notBeforeDate: new Date(now - dayMs), notAfterDate: new Date(now + 3650 * dayMs) };
  const keys = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256', ...validity } as const;
  const authority = await generate([{ name: 'commonName', value: 'sandbox-ca' }], {
    ...keys,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, digitalSignature: true, critical: true },
    ],
  });
  const server = await generate([{ name: 'commonName', value: 'sandbox-apiserver' }], {
    ...keys,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true, keyEncipherment: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  return { certPem: server.cert, keyPem: server.private, caPem: authority.cert };
}
