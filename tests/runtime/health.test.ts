import { expect, test } from '@jest/globals';
import type { HealthServerOptions } from '../../src/runtime/health.ts';
import { HealthServer } from '../../src/runtime/health.ts';
import { RuntimeMetrics } from '../../src/runtime/metrics.ts';

async function withServer(
  options: Partial<HealthServerOptions>,
  use: (ask: (path: string, method?: string) => Promise<string>) => Promise<void>,
): Promise<void> {
  const server = new HealthServer({ host: '127.0.0.1', port: 0, ...options });
  const abort = new AbortController();
  const over = server.run(abort.signal);
  const { port } = await server.address;
  await use(async (path, method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
    return `${response.status} ${(await response.text()).trim()}`;
  });
  abort.abort(new Error('stop'));
  await over;
  await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
}

test('it is alive and ready when each check says so, and tells what is wrong when not', async () => {
  let wrong: string | undefined = 'caches are not synced yet';
  const ready = { caches: () => wrong, ping: () => undefined };
  await withServer({ ready }, async (ask) => {
    expect(await ask('/healthz')).toBe('200 ok');
    expect(await ask('/readyz')).toBe('503 [-] caches: caches are not synced yet\n[+] ping\nfailed');
    expect(await ask('/readyz/ping?verbose')).toBe('200 [+] ping\nok');
    wrong = undefined;
    expect(await ask('/readyz')).toBe('200 [+] caches\n[+] ping\nok');
    expect(await ask('/readyz/other')).toBe('404 there is no check "other"');
  });
});

test('it shows the metrics, and nothing else', async () => {
  const metrics = new RuntimeMetrics();
  metrics.leader('x').leading(true);
  await withServer({ metrics: metrics.registry }, async (ask) => {
    expect(await ask('/metrics')).toContain('leader_election_master_status{name="x"} 1');
    expect(await ask('/')).toBe('404 there are /healthz, /readyz and /metrics');
    expect(await ask('/healthz', 'POST')).toBe('405 only GET is answered');
  });
});

test('a port that is taken is an error of the server, not of the process', async () => {
  await withServer({}, async () => {
    const one = new HealthServer({ host: '127.0.0.1', port: 0 });
    const abort = new AbortController();
    const over = one.run(abort.signal);
    const { port } = await one.address;
    const second = new HealthServer({ host: '127.0.0.1', port });
    await expect(second.run(abort.signal)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    abort.abort(new Error('stop'));
    await over;
  });
});
