import { createHash, createPrivateKey, createPublicKey, sign, X509Certificate } from 'node:crypto';

export interface ServerCertificate {
  /** The certificate is its own authority: this is what goes into `cacert`. */
  readonly certificatePem: string;
  readonly keyPem: string;
  /** SHA-1 over the DER form, upper-case hex with colons (fact: vs 1.7). */
  readonly thumbprint: string;
}

/**
 * A self-signed server certificate, made from the world's seed. Ed25519 because its keys can be seeded and its signatures are the same
 * each time: one seed gives one thumbprint, at once and without a key search. Good from 2020 to 2049, so that neither the simulated
 * nor the real clock finds it expired.
 */
export function seededCertificate(
  random: () => number,
  names: { readonly commonName: string; readonly dns: readonly string[]; readonly ips: readonly string[] },
): ServerCertificate {
  const seed = Buffer.from(Array.from({ length: 32 }, () => Math.floor(random() * 256)));
  const pkcs8 = sequence(integer(0), sequence(ed25519), octets(octets(seed)));
  const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' });
  const serial = createHash('sha256').update(seed).update('serial').digest().subarray(0, 8);
  const toBeSigned = sequence(
    explicit(0, integer(2)),
    tagged(0x02, Buffer.concat([Buffer.from([0x01]), serial])),
    sequence(ed25519),
    distinguishedName(names.commonName),
    sequence(utcTime('200101000000Z'), utcTime('491231235959Z')),
    distinguishedName(names.commonName),
    publicKey,
    explicit(3, sequence(...extensions(names.dns, names.ips))),
  );
  const signature = sign(null, toBeSigned, key);
  const der = sequence(toBeSigned, sequence(ed25519), bitString(signature));
  const certificatePem = `-----BEGIN CERTIFICATE-----\n${wrapped(der)}\n-----END CERTIFICATE-----\n`;
  const keyPem = key.export({ format: 'pem', type: 'pkcs8' }).toString();
  return { certificatePem, keyPem, thumbprint: new X509Certificate(der).fingerprint };
}

/** True when one of the certificates in `pem` is `certificatePem`. Text that is no certificate trusts nothing. */
export function trustsCertificate(pem: string, certificatePem: string): boolean {
  const ours = new X509Certificate(certificatePem).fingerprint256;
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  return blocks.some((block) => {
    try {
      return new X509Certificate(block).fingerprint256 === ours;
    } catch {
      return false;
    }
  });
}

// DER, as much of it as one certificate needs (ITU-T X.690, RFC 5280, RFC 8410).

const ed25519 = oid(0x2b, 0x65, 0x70);

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}
function explicit(number: number, content: Buffer): Buffer {
  return tagged(0xa0 + number, content);
}
function integer(value: number): Buffer {
  return tagged(0x02, Buffer.from([value]));
}
function octets(content: Buffer): Buffer {
  return tagged(0x04, content);
}
function bitString(content: Buffer, unusedBits = 0): Buffer {
  return tagged(0x03, Buffer.concat([Buffer.from([unusedBits]), content]));
}
function oid(...bytes: readonly number[]): Buffer {
  return tagged(0x06, Buffer.from(bytes));
}
function utcTime(text: string): Buffer {
  return tagged(0x17, Buffer.from(text, 'latin1'));
}
function distinguishedName(commonName: string): Buffer {
  return sequence(
    tagged(0x31, sequence(oid(0x55, 0x04, 0x03), tagged(0x0c, Buffer.from(commonName, 'utf8')))),
  );
}

function extensions(dns: readonly string[], ips: readonly string[]): readonly Buffer[] {
  const critical = tagged(0x01, Buffer.from([0xff]));
  const alternatives = [
    ...dns.map((name) => tagged(0x82, Buffer.from(name, 'latin1'))),
    ...ips.map((ip) => tagged(0x87, Buffer.from(ip.split('.').map(Number)))),
  ];
  const digitalSignatureAndCertSign = 0x84;
  return [
    sequence(oid(0x55, 0x1d, 0x13), critical, octets(sequence(critical))),
    sequence(
      oid(0x55, 0x1d, 0x0f),
      critical,
      octets(bitString(Buffer.from([digitalSignatureAndCertSign]), 2)),
    ),
    sequence(oid(0x55, 0x1d, 0x11), octets(sequence(...alternatives))),
  ];
}

function wrapped(der: Buffer): string {
  return der.toString('base64').replaceAll(/(.{64})(?=.)/g, '$1\n');
}
