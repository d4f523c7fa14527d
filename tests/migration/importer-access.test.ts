import { describe, expect, test } from '@jest/globals';
import { keepAccess } from '../../src/migration/importer-access.ts';
import type { SourceAccess, VolumeFact } from '../../src/migration/facts.ts';
import { phaseContext } from './phase-context.ts';

const open = { state: 'open', credentials: '7', isVerified: false } as const;
const away = { state: 'shut', code: 'Unreachable', message: 'nobody answers', isRejected: false } as const;
const rejected = { ...away, code: 'InvalidLogin', isRejected: true };
const since = '2026-01-01T00:00:00Z';

function keep(
  access: SourceAccess,
  given: string | undefined,
  pod: Partial<NonNullable<VolumeFact['pod']>> = {},
) {
  const volume: VolumeFact = {
    diskKey: 'disk-0',
    claimName: 'web-01-disk-0',
    pod: { name: 'importer-1', uid: 'pod-1', phase: 'Running', restarts: 1, createdMs: 0, ...pod },
  };
  const records = { access: { ...(given !== undefined && { version: given }), since } };
  return keepAccess(access, [volume], phaseContext({ records }));
}

describe('what importers log in with', () => {
  test('is left alone while the credentials are those they were given, and while nobody answers', () => {
    expect(keep(open, '7')).toBeUndefined();
    expect(keep(away, '7')).toBeUndefined();
  });

  test('is written anew when the Secret of the Provider has changed, and who waits for a restart is replaced', () => {
    expect(keep(open, '6')).toMatchObject({
      records: { access: { version: '7' } },
      actions: [{ do: 'createAccess' }],
    });
    expect(keep(open, '6', { waitingReason: 'CrashLoopBackOff' })).toMatchObject({
      actions: [{ do: 'createAccess' }, { do: 'deletePod', name: 'importer-1', uid: 'pod-1' }],
    });
  });

  test('is tried once by ourselves when an importer says that it was refused', () => {
    expect(keep(open, '7', { isLoginRefused: true })).toMatchObject({
      actions: [{ do: 'verifyLogin', credentials: '7' }],
    });
    expect(keep({ ...open, isVerified: true }, '7', { isLoginRefused: true })).toBeUndefined();
  });

  test('is taken away, once, when the login is refused', () => {
    const decision = keep(rejected, '7');
    expect(decision).toMatchObject({ kind: 'act', actions: [{ do: 'deleteAccess' }] });
    expect(decision?.records?.access).not.toHaveProperty('version');
    expect(keep(rejected, undefined)).toBeUndefined();
  });
});
