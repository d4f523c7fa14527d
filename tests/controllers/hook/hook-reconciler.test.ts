import { describe, expect, test } from '@jest/globals';
import type { Hook, HookSpec } from '../../../src/api/hook.ts';
import { hooks } from '../../../src/api/kinds.ts';
import { judgeHook } from '../../../src/controllers/hook/judge.ts';
import { hookReconciler } from '../../../src/controllers/hook/reconciler.ts';
import { ObjectCache } from '../../../src/kube/cache.ts';
import { RecordingLogger } from '../../../src/runtime/recording-logger.ts';
import { ApiWith, noSignal } from '../api-with.ts';
import { forklift } from '../plan/plan-fixture.ts';

const playbook = Buffer.from('- hosts: all\n').toString('base64');
const ready = ['Ready'];

describe('a Hook', () => {
  test.each<[string, HookSpec, readonly string[]]>([
    ['with an image', { image: 'registry/hook:1' }, ready],
    ['with an image and a playbook', { image: 'registry/hook:1', playbook }, ready],
    [
      'with a playbook broken into lines',
      { image: 'i', playbook: `${playbook.slice(0, 8)}\n${playbook.slice(8)}` },
      ready,
    ],
    ['with a job template', { aap: { jobTemplateId: 7 } }, ready],
    ['with nothing to run', {}, ['InvalidHookExecute NotSet']],
    ['with empty texts', { image: '', playbook: '' }, ['InvalidHookExecute NotSet']],
    ['with both ways to run', { image: 'i', aap: { jobTemplateId: 7 } }, ['InvalidHookExecute NotSet']],
    ['without a template', { aap: { jobTemplateId: 0 } }, ['InvalidHookExecute NotSet']],
    ['with a playbook and no image', { playbook }, ['InvalidImage NotSet']],
    ['with an image that is none', { image: 'two words' }, ['InvalidImage NotValid']],
    [
      'with a playbook in plain text',
      { image: 'i', playbook: '- hosts: all' },
      ['InvalidPlaybook DataError'],
    ],
  ])('%s is judged', (_what, spec, expected) => {
    const shown = judgeHook(spec).map(({ type, reason }) => [type, reason].filter(Boolean).join(' '));
    expect(shown).toEqual(expected);
  });

  test('is told its conditions once', async () => {
    const cache = new ObjectCache<Hook>({ logger: new RecordingLogger() });
    const server = new ApiWith<Hook>(hooks, cache);
    const object = forklift<Hook>('Hook', 'h', { spec: { image: 'i' } });
    server.put({ ...object, metadata: { ...object.metadata, generation: 2 } });
    const reconcile = hookReconciler({ client: server.client, clock: server.clock, hooks: cache });
    await reconcile('mtv/h', noSignal, {} as never);
    await reconcile('mtv/h', noSignal, {} as never);
    await reconcile('mtv/gone', noSignal, {} as never);
    expect(server.find(object).status).toMatchObject({
      observedGeneration: 2,
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-02T00:00:00Z' }],
    });
    expect(server.writes).toBe(1);
  });
});
