import type { Finding, ProviderView } from '../../model/source-data.ts';
import type { SecretView } from '../source.ts';
import { credentialsOf } from './credentials.ts';

/** Condition codes, reasons and keys are Forklift's (fact: forklift-api 2.1 to 2.3). */
export function checkVsphereProvider(provider: ProviderView, secret: SecretView): readonly Finding[] {
  return [
    ...checkUrl(provider.url),
    ...checkSettings(provider.settings),
    ...checkSecretKeys(secret),
    ...checkTrust(secret),
  ];
}

function checkUrl(url: string): readonly Finding[] {
  const finding = (reason: string, message: string): Finding[] => [
    { code: 'UrlNotValid', severity: 'Critical', reason, message },
  ];
  if (url === '') return finding('NotSet', 'The provider has no URL.');
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== 'https:' || parsed.host === '') {
    return finding('Malformed', 'The URL must look like https://vcenter.example.com/sdk.');
  }
  // A password in a URL would be shown by every client that shows the provider.
  return parsed.username === '' && parsed.password === ''
    ? []
    : finding('Malformed', 'User and password belong into the Secret, not into the URL.');
}

const choices: Readonly<Record<string, readonly string[]>> = {
  sdkEndpoint: ['vcenter', 'esxi'],
  useVddkAioOptimization: ['true', 'false'],
};

function checkSettings(settings: Readonly<Record<string, string>>): readonly Finding[] {
  const wrong = Object.entries(choices).filter(([key, allowed]) => {
    const value = settings[key];
    return value !== undefined && value !== '' && !allowed.includes(value);
  });
  if (wrong.length === 0) return [];
  return [
    {
      code: 'SettingsNotValid',
      severity: 'Critical',
      message: wrong.map(([key, allowed]) => `${key} must be one of ${allowed.join(', ')}.`).join(' '),
      items: wrong.map(([key]) => key),
    },
  ];
}

function checkSecretKeys(secret: SecretView): readonly Finding[] {
  const { ca, insecure, thumbprint } = credentialsOf(secret);
  const missing = ['user', 'password'].filter((key) => (secret.get(key) ?? '') === '');
  // VDDK verifies nothing but the thumbprint, so there must be an authority or a pin of the user's own (review.md F77).
  if (!insecure && ca === undefined && thumbprint === undefined) missing.push('ca.crt');
  if (missing.length === 0) return [];
  return [
    {
      code: 'SecretNotValid',
      severity: 'Critical',
      reason: 'DataErr',
      message: `The provider's Secret lacks ${missing.join(', ')}.`,
      items: missing,
      ...(missing.includes('ca.crt')
        ? {
            suggestion:
              'Give the authority as ca.crt, or the certificate as thumbprint (SHA-1), or set insecureSkipVerify to "true".',
          }
        : {}),
    },
  ];
}

function checkTrust(secret: SecretView): readonly Finding[] {
  const { ca, insecure, thumbprint } = credentialsOf(secret);
  if (insecure) {
    return [
      {
        code: 'ConnectionInsecure',
        severity: 'Warn',
        reason: 'SkipTLSVerification',
        message: 'The certificate of the vCenter is not verified.',
      },
    ];
  }
  const wrong = [
    ...(ca !== undefined && !/-----BEGIN (TRUSTED )?CERTIFICATE-----/.test(ca) ? ['ca.crt'] : []),
    ...(thumbprint !== undefined && !/^([0-9A-Fa-f]{2}:){19}[0-9A-Fa-f]{2}$/.test(thumbprint)
      ? ['thumbprint']
      : []),
  ];
  if (wrong.length === 0) return [];
  return [
    {
      code: 'SecretNotValid',
      severity: 'Critical',
      reason: 'DataErr',
      message: `Not understood in the provider's Secret: ${wrong.join(', ')}.`,
      items: wrong,
      suggestion: 'ca.crt is PEM text; thumbprint is SHA-1 in hexadecimal pairs with colons.',
    },
  ];
}
