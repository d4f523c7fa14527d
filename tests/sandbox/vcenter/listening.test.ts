import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { describe, expect, test } from '@jest/globals';
import { bodyOf } from '../../golden/vsphere/canonical.ts';
import { childOf, envelopeOf, VCenterWorld } from './soap-caller.ts';

interface Seen {
  readonly status: number;
  readonly text: string;
}

async function post(url: string, ca: string, envelope: string): Promise<Seen> {
  const headers = { SOAPAction: '"urn:vim25/8.0.2.0"', 'Content-Type': 'text/xml' };
  const sent = request(url, { method: 'POST', ca, headers, agent: false });
  sent.end(envelope);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
  return { status: response.statusCode ?? 0, text };
}

const content = envelopeOf('RetrieveServiceContent', ['ServiceInstance', 'ServiceInstance'], '');

describe('over TLS', () => {
  test('a client that trusts the certificate is served, one that does not is not', async () => {
    await using world = new VCenterWorld();
    const { url } = await world.vcenter.listen();
    expect(url).toBe(world.vcenter.url);
    const { status, text } = await post(url, world.vcenter.caPem, content);
    const [returned] = bodyOf(text).children;
    expect([status, returned && childOf(returned, 'rootFolder')?.text]).toEqual([200, 'group-d1']);
    await using other = new VCenterWorld({ random: () => 0.5 });
    await expect(post(url, other.vcenter.caPem, content)).rejects.toThrow('self-signed certificate');
  });

  test('at another address of the machine, which the certificate names', async () => {
    await using world = new VCenterWorld();
    const { url } = await world.vcenter.listen({ host: '127.0.0.2' });
    expect(url).toMatch(/^https:\/\/127\.0\.0\.2:\d+\/sdk$/);
    expect((await post(url, world.vcenter.caPem, content)).status).toBe(200);
    const caller = world.caller();
    await caller.login();
    expect(world.vcenter.liveSessions).toBe(1);
  });

  test('the thumbprint is that of the certificate on the wire, also after a renewal', async () => {
    await using world = new VCenterWorld();
    const { url } = await world.vcenter.listen();
    const wire = async (): Promise<string> => {
      const sent = request(url, { rejectUnauthorized: false, agent: false });
      sent.on('error', () => undefined);
      const [socket] = (await once(sent, 'socket')) as [TLSSocket];
      await once(socket, 'secureConnect');
      const { fingerprint } = socket.getPeerCertificate();
      sent.destroy();
      return fingerprint;
    };
    const before = world.vcenter.thumbprint;
    expect(await wire()).toBe(before);
    world.vcenter.renewCertificate();
    expect(world.vcenter.thumbprint).not.toBe(before);
    expect(await wire()).toBe(world.vcenter.thumbprint);
  });

  test('versions are told without a login, other paths are not there', async () => {
    await using world = new VCenterWorld();
    const endpoint = world.vcenter.connect(world.vcenter.url, { by: 'nothing' });
    const get = async (path: string): Promise<Seen> => {
      const answer = await endpoint.call({ method: 'GET', path, headers: {} }, new AbortController().signal);
      let text = '';
      for await (const chunk of answer.body) text += Buffer.from(chunk).toString();
      return { status: answer.status, text };
    };
    expect((await get('/sdk/vimServiceVersions.xml')).text).toContain('<version>8.0.2.0</version>');
    expect((await get('/sdk')).status).toBe(405);
    expect((await get('/ui')).status).toBe(404);
  });

  test('an outage drops the connection without an answer', async () => {
    await using world = new VCenterWorld();
    const { url } = await world.vcenter.listen();
    using down = world.faults.start('vcenter-down');
    await expect(post(url, world.vcenter.caPem, content)).rejects.toThrow(/hang up|ECONNRESET/);
    down[Symbol.dispose]();
    expect((await post(url, world.vcenter.caPem, content)).status).toBe(200);
  });
});
