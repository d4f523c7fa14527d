import { Agent, request } from 'undici';

const port = 8443;
const patienceMs = 2000;

/**
 * Percent done as an importer tells on its metrics port, whose certificate it makes itself; undefined where nothing answers (fact: cdi
 * 3.2). The first progress counter is taken: an importer has one.
 */
export async function readProgress(address: string, signal: AbortSignal): Promise<number | undefined> {
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false, timeout: patienceMs } });
  try {
    const { statusCode, body } = await request(`https://${address}:${port}/metrics`, {
      dispatcher,
      signal,
      headersTimeout: patienceMs,
      bodyTimeout: patienceMs,
    });
    const text = await body.text();
    return statusCode === 200 ? parseProgress(text) : undefined;
  } catch {
    // Not listening yet, or not any more.
    return undefined;
  } finally {
    await dispatcher.destroy();
  }
}

export function parseProgress(metrics: string): number | undefined {
  const found = /^kubevirt_cdi_import_progress_total\{[^}]*\} ([0-9.e+]+)$/m.exec(metrics);
  return found === null ? undefined : Number(found[1]);
}
