import { generate } from 'selfsigned';

export interface KeyPair {
  readonly certPem: string;
  readonly keyPem: string;
}
export interface IssuedCertificate extends KeyPair {
  readonly caPem: string;
}

/** What a certificate says of its holder: names and addresses under which it serves, or nothing for one that only asks. */
export interface Holder {
  readonly commonName: string;
  readonly dns: readonly string[];
  readonly ips: readonly string[];
}

const dayMs = 86_400_000;
const keys = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const;

/** A certificate for 127.0.0.1 and localhost, signed by an authority made for it alone. `now`: milliseconds since 1970. */
export async function issueCertificate(now: number): Promise<IssuedCertificate> {
  const authority = await Authority.create('sandbox-ca', now);
  const holder = { commonName: 'sandbox-apiserver', dns: ['localhost'], ips: ['127.0.0.1'] };
  return { ...(await authority.issue(holder)), caPem: authority.certPem };
}

/** Signs certificates that are good from yesterday for ten years, with keys on P-256. */
export class Authority implements KeyPair {
  readonly certPem: string;
  readonly keyPem: string;
  readonly #validity: { readonly notBeforeDate: Date; readonly notAfterDate: Date };

  /** `now`: milliseconds since 1970. */
  static async create(commonName: string, now: number): Promise<Authority> {
    const validity = { notBeforeDate: new Date(now - dayMs), notAfterDate: new Date(now + 3650 * dayMs) };
    const made = await generate([{ name: 'commonName', value: commonName }], {
      ...keys,
      ...validity,
      extensions: [
        { name: 'basicConstraints', cA: true, critical: true },
        { name: 'keyUsage', keyCertSign: true, cRLSign: true, digitalSignature: true, critical: true },
      ],
    });
    return new Authority({ certPem: made.cert, keyPem: made.private }, validity);
  }

  private constructor(
    pair: KeyPair,
    validity: { readonly notBeforeDate: Date; readonly notAfterDate: Date },
  ) {
    this.certPem = pair.certPem;
    this.keyPem = pair.keyPem;
    this.#validity = validity;
  }

  /** For serving at the names and addresses of the holder; for asking where it has none. */
  async issue({ commonName, dns, ips }: Holder): Promise<KeyPair> {
    const alternatives = [
      ...dns.map((value) => ({ type: 2 as const, value })),
      ...ips.map((ip) => ({ type: 7 as const, ip })),
    ];
    const made = await generate([{ name: 'commonName', value: commonName }], {
      ...keys,
      ...this.#validity,
      ca: { key: this.keyPem, cert: this.certPem },
      extensions: [
        { name: 'basicConstraints', cA: false },
        { name: 'keyUsage', digitalSignature: true, keyEncipherment: true },
        alternatives.length > 0
          ? { name: 'extKeyUsage', serverAuth: true }
          : { name: 'extKeyUsage', clientAuth: true },
        ...(alternatives.length > 0 ? [{ name: 'subjectAltName' as const, altNames: alternatives }] : []),
      ],
    });
    return { certPem: made.cert, keyPem: made.private };
  }
}
