import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kubectl } from './kubectl.ts';
import { configMap, dataVolume, plan, planSpec, virtualMachine } from './objects.ts';

/** One thing that a person does with kubectl. Each check makes what it needs, under names of its own. */
export interface Check {
  readonly name: string;
  readonly run: (kubectl: Kubectl) => Promise<void>;
}

const samples = join(import.meta.dirname, '..', '..', 'manifests', 'samples');
const crds = join(import.meta.dirname, '..', '..', 'manifests', 'crds');

const applying: readonly Check[] = [
  {
    name: 'apply of the shipped definitions and samples, twice',
    run: async (kubectl) => {
      await kubectl.ok('apply', '-f', crds);
      const files = (await readdir(samples)).filter((name) => name.endsWith('.yaml')).sort();
      for (const file of files) await kubectl.ok('apply', '-f', join(samples, file));
      const again: string[] = [];
      for (const file of files) again.push(await kubectl.ok('apply', '-f', join(samples, file)));
      // A Secret's stringData is never read back, so kubectl sends it again.
      const changed = again
        .join('')
        .split('\n')
        .filter((line) => line !== '' && !line.endsWith('unchanged'));
      assert.ok(
        changed.every((line) => line.startsWith('secret/')),
        changed.join('\n'),
      );
    },
  },
  {
    name: 'apply creates, leaves alone what is the same, and changes',
    run: async (kubectl) => {
      const first = await kubectl.file(plan('applied'));
      const second = await kubectl.file(plan('applied', { vms: [{ name: 'db' }] }));
      assert.match(await kubectl.ok('apply', '-f', first), /created/);
      assert.match(await kubectl.ok('apply', '-f', first), /unchanged/);
      assert.match(await kubectl.ok('apply', '-f', second), /configured/);
      assert.equal(await kubectl.ok('get', 'plan', 'applied', '-o', 'jsonpath={.spec.vms[0].name}'), 'db');
    },
  },
  {
    name: 'a dry run on the server says what would be, and does nothing',
    run: async (kubectl) => {
      const file = await kubectl.file(plan('dry'));
      assert.match(await kubectl.ok('apply', '--dry-run=server', '-f', file), /created \(server dry run\)/);
      assert.match(await kubectl.refused('get', 'plan', 'dry'), /"dry" not found/);
    },
  },
  {
    name: 'create of what is there is refused',
    run: async (kubectl) => {
      const file = await kubectl.file(plan('twice'));
      await kubectl.ok('create', '-f', file);
      assert.match(
        await kubectl.refused('create', '-f', file),
        /Error from server \(AlreadyExists\): .*plans\.forklift\.konveyor\.io "twice" already exists/,
      );
    },
  },
  {
    name: 'a typo is refused by name',
    run: async (kubectl) => {
      const typo = await kubectl.file(plan('typo', { archivd: true }));
      assert.match(
        await kubectl.refused('create', '-f', typo),
        /strict decoding error: unknown field "spec\.archivd"/,
      );
      const volume = await kubectl.file(dataVolume('typo', { finalCheckpont: true }));
      assert.match(await kubectl.refused('create', '-f', volume), /unknown field "spec\.finalCheckpont"/);
    },
  },
  {
    name: 'an invalid object is refused field by field',
    run: async (kubectl) => {
      const { vms: _, ...noVms } = planSpec;
      const file = await kubectl.file({ ...plan('invalid'), spec: { ...noVms, type: 'tepid' } });
      const said = await kubectl.refused('create', '-f', file);
      assert.match(said, /The Plan "invalid" is invalid/);
      assert.match(said, /spec\.vms: Required value/);
      assert.match(said, /spec\.type: Unsupported value: "tepid": supported values: "cold", "warm"/);
    },
  },
];

const reading: readonly Check[] = [
  {
    name: 'get shows the columns of a kind, and more of them when wide',
    run: async (kubectl) => {
      await kubectl.ok('create', '-f', await kubectl.file(plan('listed'), dataVolume('listed')));
      assert.match(await kubectl.ok('get', 'plans'), /^NAME +READY +EXECUTING +SUCCEEDED +FAILED +AGE\n/);
      assert.match(await kubectl.ok('get', 'dv', 'listed'), /^NAME +PHASE +PROGRESS +RESTARTS +AGE\nlisted/);
      assert.match(await kubectl.ok('get', 'pvc,pods', '-o', 'wide'), /^$/);
      assert.match(await kubectl.ok('get', 'plan', '-A'), /^NAMESPACE +NAME/);
    },
  },
  {
    name: 'short names and categories are known',
    run: async (kubectl) => {
      await kubectl.ok('get', 'vmimport,vm,vmi,dv,ns,cm,gantry,all');
      assert.match(
        await kubectl.ok('api-resources', '--api-group=gantry.dev'),
        /virtualmachineimports +vmimport/,
      );
      assert.match(await kubectl.ok('explain', 'plan.spec.vms'), /FIELD: vms/);
    },
  },
  {
    name: 'get -w follows changes',
    run: async (kubectl) => {
      await kubectl.ok('create', '-f', await kubectl.file(dataVolume('watched')));
      await using watch = kubectl.follow('get', 'dv', 'watched', '-w');
      await watch.until(/watched/);
      await kubectl.ok(
        'patch',
        'dv',
        'watched',
        '--subresource=status',
        '--type=merge',
        '-p',
        '{"status":{"phase":"Succeeded","progress":"100.0%"}}',
      );
      await watch.until(/watched +Succeeded +100\.0%/);
    },
  },
  {
    name: 'selectors choose',
    run: async (kubectl) => {
      await kubectl.ok(
        'create',
        '-f',
        await kubectl.file(configMap('chosen', { app: 'x' }), configMap('other', { app: 'y' })),
      );
      assert.equal(await kubectl.ok('get', 'cm', '-l', 'app in (x)', '-o', 'name'), 'configmap/chosen\n');
      assert.equal(
        await kubectl.ok('get', 'cm', '--field-selector', 'metadata.name=other', '-o', 'name'),
        'configmap/other\n',
      );
    },
  },
  {
    name: 'describe shows the object and its events',
    run: async (kubectl) => {
      await kubectl.ok('create', '-f', await kubectl.file(plan('described')));
      const uid = await kubectl.ok('get', 'plan', 'described', '-o', 'jsonpath={.metadata.uid}');
      const event = {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: 'described.1', namespace: 'default' },
        involvedObject: {
          apiVersion: 'forklift.konveyor.io/v1beta1',
          kind: 'Plan',
          name: 'described',
          namespace: 'default',
          uid,
        },
        type: 'Normal',
        reason: 'Started',
        message: 'It has begun',
      };
      await kubectl.ok('create', '-f', await kubectl.file(event));
      assert.match(
        await kubectl.ok('describe', 'plan', 'described'),
        /Target Namespace: +default[^]*Started[^]*It has begun/,
      );
      assert.match(await kubectl.ok('get', 'events'), /Normal +Started +plan\/described +It has begun/);
    },
  },
];

const changing: readonly Check[] = [
  {
    name: 'patch merges, and patches by operations',
    run: async (kubectl) => {
      await kubectl.ok('create', '-f', await kubectl.file(plan('patched')));
      await kubectl.ok('patch', 'plan', 'patched', '--type=merge', '-p', '{"spec":{"archived":true}}');
      await kubectl.ok(
        'patch',
        'plan',
        'patched',
        '--type=json',
        '-p',
        '[{"op":"replace","path":"/spec/archived","value":false}]',
      );
      assert.equal(
        await kubectl.ok('get', 'plan', 'patched', '-o', 'jsonpath={.spec.archived} {.metadata.generation}'),
        'false 3',
      );
      assert.match(
        await kubectl.refused(
          'patch',
          'plan',
          'patched',
          '--type=json',
          '-p',
          '[{"op":"test","path":"/spec/archived","value":true}]',
        ),
        /the server rejected our request due to an error in our request/,
      );
      assert.match(
        await kubectl.refused('patch', 'plan', 'patched', '--type=strategic', '-p', '{"spec":{}}'),
        /application\/strategic-merge-patch\+json is not supported by forklift\.konveyor\.io\/v1beta1, Kind=Plan/,
      );
    },
  },
  {
    name: 'edit goes through an editor',
    run: async (kubectl) => {
      await kubectl.ok('create', '-f', await kubectl.file(plan('edited', { description: 'before' })));
      const { code, err } = await kubectl.run(['edit', 'plan', 'edited'], {
        KUBE_EDITOR: 'sed -i s/before/after/',
      });
      assert.equal(code, 0, err);
      assert.equal(await kubectl.ok('get', 'plan', 'edited', '-o', 'jsonpath={.spec.description}'), 'after');
    },
  },
  {
    name: 'label and annotate',
    run: async (kubectl) => {
      await kubectl.ok('create', '-f', await kubectl.file(plan('labelled')));
      await kubectl.ok('label', 'plan', 'labelled', 'a=b');
      await kubectl.ok('annotate', 'plan', 'labelled', 'gantry.dev/paused=true');
      const path = 'jsonpath={.metadata.labels.a} {.metadata.annotations.gantry\\.dev/paused}';
      assert.equal(await kubectl.ok('get', 'plan', 'labelled', '-o', path), 'b true');
    },
  },
  {
    name: 'wait returns when the condition is met',
    run: async (kubectl) => {
      await kubectl.ok('create', '-f', await kubectl.file(virtualMachine('awaited')));
      const waiting = kubectl.ok('wait', '--for=condition=Ready', 'vm/awaited', '--timeout=10s');
      await kubectl.ok(
        'patch',
        'vm',
        'awaited',
        '--subresource=status',
        '--type=merge',
        '-p',
        '{"status":{"conditions":[{"type":"Ready","status":"True"}]}}',
      );
      assert.match(await waiting, /condition met/);
    },
  },
];

const deleting: readonly Check[] = [
  {
    name: 'delete waits until the last finalizer is gone',
    run: async (kubectl) => {
      const held = plan('held');
      await kubectl.ok(
        'create',
        '-f',
        await kubectl.file({ ...held, metadata: { ...held.metadata, finalizers: ['gantry.dev/test'] } }),
      );
      const deleted = kubectl.ok('delete', 'plan', 'held', '--timeout=10s');
      await kubectl.ok('wait', '--for=jsonpath={.metadata.deletionTimestamp}', 'plan/held', '--timeout=10s');
      await kubectl.ok('patch', 'plan', 'held', '--type=merge', '-p', '{"metadata":{"finalizers":null}}');
      assert.match(await deleted, /deleted/);
      assert.match(
        await kubectl.refused('get', 'plan', 'held'),
        /\(NotFound\): plans\.forklift\.konveyor\.io "held" not found/,
      );
    },
  },
  {
    name: 'a namespace goes with what is in it',
    run: async (kubectl) => {
      const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'short-lived' } };
      const inside = configMap('inside', {}, 'short-lived');
      await kubectl.ok('create', '-f', await kubectl.file(namespace, inside));
      await kubectl.ok('delete', 'namespace', 'short-lived', '--timeout=10s');
      assert.match(
        await kubectl.refused('create', '-f', await kubectl.file(inside)),
        /namespaces "short-lived" not found/,
      );
    },
  },
  {
    name: 'dependents go with their owner, or stay when orphaned',
    run: async (kubectl) => {
      for (const [name, cascade] of [
        ['taken', 'background'],
        ['kept', 'orphan'],
      ] as const) {
        await kubectl.ok('create', '-f', await kubectl.file(plan(name)));
        const uid = await kubectl.ok('get', 'plan', name, '-o', 'jsonpath={.metadata.uid}');
        const owner = { apiVersion: 'forklift.konveyor.io/v1beta1', kind: 'Plan', name, uid };
        const child = configMap(`child-${name}`);
        const owned = { ...child, metadata: { ...child.metadata, ownerReferences: [owner] } };
        await kubectl.ok('create', '-f', await kubectl.file(owned));
        await kubectl.ok('delete', 'plan', name, `--cascade=${cascade}`, '--timeout=10s');
      }
      await kubectl.ok('wait', '--for=delete', 'cm/child-taken', '--timeout=10s');
      assert.equal(
        await kubectl.ok('get', 'cm', 'child-kept', '-o', 'jsonpath={.metadata.ownerReferences}'),
        '',
      );
    },
  },
];

export const checks: readonly Check[] = [...applying, ...reading, ...changing, ...deleting];
