import { request } from 'undici';
import { etcdUrl } from '../../hack/testbed/cluster/control-plane.ts';

/** Forgets etcd's history up to now: who lists page by page or at an old version finds it gone. */
export async function compactEtcd(): Promise<void> {
  const ask = async (path: string, body: object): Promise<unknown> => {
    const answer = await request(`${etcdUrl}/v3/kv/${path}`, { method: 'POST', body: JSON.stringify(body) });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`etcd ${path}: ${text}`);
    return JSON.parse(text);
  };
  const key = Buffer.from('/').toString('base64');
  const { header } = (await ask('range', { key })) as { readonly header: { readonly revision: string } };
  await ask('compaction', { revision: header.revision, physical: true });
}
