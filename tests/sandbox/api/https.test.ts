import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { request } from 'node:https';
import { SystemClock } from '../../../src/runtime/clock.ts';
import { EmbeddedApiServer } from '../../../src/sandbox/api/api-server.ts';
import { kubeconfig } from '../../../src/sandbox/api/kubeconfig.ts';
import { SwitchedFaults } from '../../../src/sandbox/faults.ts';
import { RecordedTrace } from '../../../src/sandbox/trace.ts';
import { plan, seeded } from './harness.ts';

interface Sent {
  readonly status: number;
  readonly text: string;
}

describe('the API server over TLS', () => {
  const clock = new SystemClock();
  const trace = new RecordedTrace(clock);
  const faults = new SwitchedFaults(trace);
  const api = new EmbeddedApiServer({ clock, random: seeded(), faults, trace });
  let at: { readonly url: string; readonly caPem: string; readonly token: string };

  beforeAll(async () => {
    at = await api.listen();
  });
  afterAll(async () => {
    await api[Symbol.asyncDispose]();
  });

  /** `onText` sees a stream as it comes; it returns true to leave it. */
  function send(
    path: string,
    options: {
      readonly method?: string;
      readonly body?: string;
      readonly contentType?: string;
      readonly token?: string;
      readonly ca?: string;
      readonly onText?: (text: string) => boolean;
    } = {},
  ): Promise<Sent> {
    const {
      method = 'GET',
      body,
      contentType = 'application/json',
      token = at.token,
      ca = at.caPem,
    } = options;
    const { onText } = options;
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': contentType };
      const outgoing = request(new URL(path, at.url), { method, ca, headers, agent: false }, (response) => {
        let text = '';
        const settle = (): void => resolve({ status: response.statusCode ?? 0, text });
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
          if (onText?.(text) !== true) return;
          settle();
          outgoing.destroy();
        });
        response.on('end', settle);
        response.on('error', reject);
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  test('knows its clients by their token alone', async () => {
    expect(await send('/version', { token: 'wrong' })).toMatchObject({ status: 401 });
    const { status, text } = await send('/version');
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({ gitVersion: 'v1.36.3', major: '1', minor: '36' });
  });

  test('is trusted by its own authority only', async () => {
    const other = new EmbeddedApiServer({ clock, random: seeded(2), faults, trace });
    const { caPem } = await other.listen();
    await other[Symbol.asyncDispose]();
    await expect(send('/version', { ca: caPem })).rejects.toThrow(/certificate|signature|verify/);
  });

  test('says that it is well', async () => {
    for (const path of ['/readyz', '/livez', '/healthz']) {
      expect(await send(path)).toEqual({ status: 200, text: 'ok' });
    }
    expect((await send('/nothing')).status).toBe(404);
  });

  test('streams a watch, one document a line', async () => {
    const transport = api.transport('test');
    const path = '/api/v1/namespaces/default/configmaps';
    const { body } = await transport.request({ method: 'GET', path });
    const { resourceVersion } = (body as { metadata: { resourceVersion: string } }).metadata;
    const streamed = send(`${path}?watch=true&resourceVersion=${resourceVersion}`, {
      onText: (text) => text.endsWith('\n'),
    });
    const made = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'w' } };
    await transport.request({ method: 'POST', path, body: made });
    expect(JSON.parse((await streamed).text)).toMatchObject({
      type: 'ADDED',
      object: { metadata: { name: 'w' } },
    });
  });

  test('ends open watches in order when it closes', async () => {
    const other = new EmbeddedApiServer({ clock, random: seeded(3), faults, trace });
    const { url, caPem, token } = await other.listen();
    const streamed = send(`${url}/api/v1/namespaces?watch=true&resourceVersion=0`, {
      ca: caPem,
      token,
      onText: () => {
        void other[Symbol.asyncDispose]();
        return false;
      },
    });
    const lines = (await streamed).text.trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual(['ADDED', 'ADDED']);
  });

  test('refuses what is no JSON, and protobuf', async () => {
    const path = '/api/v1/namespaces/default/configmaps';
    expect((await send(path, { method: 'POST', body: '{' })).status).toBe(400);
    const protobuf = { method: 'POST', body: 'k8s', contentType: 'application/vnd.kubernetes.protobuf' };
    const { status, text } = await send(path, protobuf);
    expect(status).toBe(415);
    expect(text).toContain('accepted media types include: application/json');
  });

  test('an outage takes the connection away', async () => {
    const fault = faults.start('api-outage');
    await expect(send('/version')).rejects.toThrow(/hang up|reset/);
    fault[Symbol.dispose]();
    expect((await send('/version')).status).toBe(200);
  });

  test('a kubeconfig holds all that a client needs', () => {
    const config = JSON.parse(kubeconfig(at)) as {
      clusters: [{ cluster: Record<string, string> }];
      users: [{ user: { token: string } }];
    };
    expect(config.clusters[0].cluster['server']).toBe(at.url);
    expect(Buffer.from(config.clusters[0].cluster['certificate-authority-data']!, 'base64').toString()).toBe(
      at.caPem,
    );
    expect(config.users[0].user.token).toBe(at.token);
  });

  test('shows tables with the columns of a kind', async () => {
    const transport = api.transport('test');
    const body = { apiVersion: 'forklift.konveyor.io/v1beta1', kind: 'Plan', ...plan('shown') };
    const path = '/apis/forklift.konveyor.io/v1beta1/namespaces/default/plans';
    await transport.request({ method: 'POST', path, body });
    const conditions = [
      { type: 'Ready', status: 'True', category: 'Required', lastTransitionTime: '2026-01-01T00:00:00Z' },
    ];
    await transport.request({
      method: 'PATCH',
      path: `${path}/shown/status`,
      contentType: 'application/merge-patch+json',
      body: { status: { conditions } },
    });
    const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
    const { body: table } = await transport.request({ method: 'GET', path, headers });
    expect(table).toMatchObject({
      kind: 'Table',
      columnDefinitions: ['Name', 'READY', 'EXECUTING', 'SUCCEEDED', 'FAILED', 'AGE'].map((name) => ({
        name,
      })),
      rows: [
        {
          cells: ['shown', 'True', null, null, null, expect.stringMatching(/^\d+s$/)],
          object: { kind: 'PartialObjectMetadata' },
        },
      ],
    });
  });

  test('discovers every kind with its short names, and a schema that takes fieldValidation', async () => {
    const resources = JSON.parse((await send('/apis/gantry.dev/v1alpha1')).text) as {
      resources: { name: string; shortNames?: string[]; categories?: string[] }[];
    };
    expect(resources.resources).toMatchObject([
      { name: 'virtualmachineimports', shortNames: ['vmimport'], categories: ['gantry'] },
      { name: 'virtualmachineimports/status' },
    ]);
    const openApi = JSON.parse((await send('/openapi/v3/apis/forklift.konveyor.io/v1beta1')).text) as {
      paths: Record<string, { patch: { parameters: { name: string }[] } }>;
    };
    const patch =
      openApi.paths['/apis/forklift.konveyor.io/v1beta1/namespaces/{namespace}/plans/{name}']!.patch;
    expect(patch.parameters.map(({ name }) => name)).toContain('fieldValidation');
  });
});
