import { describe, expect, test } from '@jest/globals';
import { configMaps, dataVolumes, plans, secrets, virtualMachines } from '../../../src/api/kinds.ts';
import { configMap, dataVolume, Harness, plan, planSpec, startMs } from './harness.ts';

describe('creating', () => {
  test('the server fills uid, version, generation and time, and sets defaults', async () => {
    await using world = new Harness();
    const { status, body } = await world.create(plans, plan('p'));
    expect(status).toBe(201);
    expect(body.metadata).toMatchObject({
      name: 'p',
      namespace: 'default',
      generation: 1,
      creationTimestamp: new Date(startMs).toISOString().replace('.000', ''),
    });
    expect(body.metadata.uid).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(body.spec['preserveStaticIPs']).toBe(true);
  });

  test('a status in a new custom resource is dropped', async () => {
    await using world = new Harness();
    const { body } = await world.create(plans, { ...plan('p'), status: { observedGeneration: 4 } });
    expect(body.status).toBeUndefined();
  });

  test('generateName draws a suffix of five, the same again for the same seed', async () => {
    const names = await Promise.all(
      [7, 7].map(async (seed) => {
        await using world = new Harness({ seed });
        const { body } = await world.create(configMaps, { metadata: { generateName: 'x-' } });
        return body.metadata.name;
      }),
    );
    expect(names[0]).toMatch(/^x-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    expect(names[1]).toBe(names[0]);
  });

  test('a name in use is AlreadyExists, in the words of an API server', async () => {
    await using world = new Harness();
    await world.create(plans, plan('p'));
    const { status, body } = await world.create(plans, plan('p'));
    expect(status).toBe(409);
    expect(body).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'plans.forklift.konveyor.io "p" already exists',
      reason: 'AlreadyExists',
      details: { name: 'p', group: 'forklift.konveyor.io', kind: 'plans' },
      code: 409,
    });
  });

  test('what is missing is named by its path', async () => {
    await using world = new Harness();
    const { status, body } = await world.create(plans, {
      metadata: { name: 'p' },
      spec: { ...planSpec, vms: undefined },
    });
    expect(status).toBe(422);
    expect(body.message).toBe('Plan.forklift.konveyor.io "p" is invalid: spec.vms: Required value');
    expect(body.details).toEqual({
      name: 'p',
      group: 'forklift.konveyor.io',
      kind: 'Plan',
      causes: [{ reason: 'FieldValueRequired', message: 'Required value', field: 'spec.vms' }],
    });
  });

  test('wrong types, enums and bad names are told together', async () => {
    await using world = new Harness();
    const { body } = await world.create(plans, plan('P', { type: 'tepid', vms: [{ name: 3 }] }));
    expect(body.message).toContain(
      'metadata.name: Invalid value: "P": a lowercase RFC 1123 subdomain must consist of',
    );
    expect(body.message).toContain(
      'spec.type: Unsupported value: "tepid": supported values: "cold", "warm", "live", "conversion"',
    );
    expect(body.message).toContain(
      'spec.vms[0].name: Invalid value: "integer": spec.vms[0].name in body must be of type string: "integer"',
    );
  });

  test('a field nobody knows is pruned with a warning, and refused when strict', async () => {
    await using world = new Harness();
    const lenient = await world.create(plans, plan('p', { archivd: true }));
    expect(lenient.status).toBe(201);
    expect(lenient.body.spec['archivd']).toBeUndefined();
    expect(lenient.headers['warning']).toBe('299 - "unknown field \\"spec.archivd\\""');
    const strict = await world.create(plans, plan('q', { archivd: true }), { fieldValidation: 'Strict' });
    expect(strict.status).toBe(400);
    expect(strict.body.message).toBe(
      'Plan in version "v1beta1" cannot be handled as a Plan: strict decoding error: unknown field "spec.archivd"',
    );
  });

  test('a typo in a kind of CDI or KubeVirt always fails', async () => {
    await using world = new Harness();
    const volume = await world.create(dataVolumes, dataVolume('d', { spec: { sourc: {} } }));
    expect(volume.status).toBe(400);
    expect(volume.body.message).toContain('strict decoding error: unknown field "spec.sourc"');
    const machine = await world.create(virtualMachines, {
      metadata: { name: 'm' },
      spec: { runStrategy: 'Halted', template: { spec: { domain: { devices: { disk: [] } } } } },
    });
    expect(machine.body.message).toContain('unknown field "spec.template.spec.domain.devices.disk"');
  });

  test('a namespace that is not there is told as such', async () => {
    await using world = new Harness();
    const { status, body } = await world.create(
      configMaps,
      configMap('c', { metadata: { namespace: 'nowhere' } }),
    );
    expect(status).toBe(404);
    expect(body.message).toBe('namespaces "nowhere" not found');
  });

  test('stringData of a Secret becomes data', async () => {
    await using world = new Harness();
    const { body } = await world.create(secrets, { metadata: { name: 's' }, stringData: { user: 'root' } });
    expect(body).toMatchObject({ type: 'Opaque', data: { user: 'cm9vdA==' } });
    expect(body.stringData).toBeUndefined();
  });

  test('a dry run checks everything and stores nothing', async () => {
    await using world = new Harness();
    expect((await world.create(plans, plan('p'), { dryRun: 'All' })).status).toBe(201);
    expect((await world.create(plans, plan('q', { vms: 1 }), { dryRun: 'All' })).status).toBe(422);
    expect((await world.get(plans, 'p')).status).toBe(404);
  });

  test('labels that no API server takes are refused', async () => {
    await using world = new Harness();
    const { body } = await world.create(
      configMaps,
      configMap('c', { metadata: { labels: { vm: 'my vm' } } }),
    );
    expect(body.message).toContain(
      'metadata.labels: Invalid value: "my vm": a valid label must be an empty string or consist of alphanumeric characters',
    );
  });
});

describe('changing', () => {
  test('the generation counts changes of spec alone', async () => {
    await using world = new Harness();
    await world.create(plans, plan('p'));
    await world.merge(plans, 'p', { metadata: { labels: { a: 'b' } } });
    await world.mergeStatus(plans, 'p', { observedGeneration: 1 });
    expect((await world.get(plans, 'p')).body.metadata.generation).toBe(1);
    await world.merge(plans, 'p', { spec: { archived: true } });
    expect((await world.get(plans, 'p')).body.metadata.generation).toBe(2);
  });

  test('a write to the object leaves the status, and a write to the status all else', async () => {
    await using world = new Harness();
    await world.create(plans, plan('p'));
    const path = `${world.path(plans, 'p')}/status`;
    await world.call('PATCH', path, {
      contentType: 'application/merge-patch+json',
      body: { metadata: { labels: { a: 'b' } }, spec: { archived: true }, status: { observedGeneration: 1 } },
    });
    await world.merge(plans, 'p', { status: { observedGeneration: 9 } });
    const { body } = await world.get(plans, 'p');
    expect(body.status).toEqual({ observedGeneration: 1 });
    expect(body.spec['archived']).toBeUndefined();
    expect(body.metadata.labels).toBeUndefined();
  });

  test('a write that changes nothing makes no new version', async () => {
    await using world = new Harness();
    const before = await world.create(plans, plan('p'));
    const after = await world.merge(plans, 'p', { spec: { targetNamespace: 'default' } });
    expect(after.body.metadata.resourceVersion).toBe(before.body.metadata.resourceVersion);
  });

  test('a stale version is a conflict', async () => {
    await using world = new Harness();
    const { body } = await world.create(plans, plan('p'));
    const { resourceVersion } = body.metadata;
    await world.merge(plans, 'p', { spec: { archived: true } });
    const stale = await world.merge(plans, 'p', { metadata: { resourceVersion }, spec: { archived: false } });
    expect(stale.status).toBe(409);
    expect(stale.body.message).toBe(
      'Operation cannot be fulfilled on plans.forklift.konveyor.io "p": the object has been modified; please apply your changes to the latest version and try again',
    );
  });

  test('a JSON patch tests, and changes all or nothing', async () => {
    await using world = new Harness();
    await world.create(
      dataVolumes,
      dataVolume('d', { spec: { checkpoints: [{ previous: '', current: 'a' }] } }),
    );
    const next = { previous: 'a', current: 'b' };
    const append = [
      { op: 'test', path: '/spec/checkpoints', value: [{ current: 'a', previous: '' }] },
      { op: 'add', path: '/spec/checkpoints/-', value: next },
      { op: 'add', path: '/spec/finalCheckpoint', value: true },
    ] as const;
    expect((await world.jsonPatch(dataVolumes, 'd', append)).body.spec).toMatchObject({
      checkpoints: [{ previous: '', current: 'a' }, next],
      finalCheckpoint: true,
    });
    const again = await world.jsonPatch(dataVolumes, 'd', append);
    expect(again.status).toBe(422);
    expect(again.body).toMatchObject({
      reason: 'Invalid',
      message: 'the server rejected our request due to an error in our request',
    });
  });

  test('a strategic merge patch of a custom resource is 415', async () => {
    await using world = new Harness();
    await world.create(plans, plan('p'));
    const { status, body } = await world.call('PATCH', world.path(plans, 'p'), {
      contentType: 'application/strategic-merge-patch+json',
      body: {},
    });
    expect(status).toBe(415);
    expect(body.message).toBe(
      'the body of the request was in an unknown format - accepted media types include: ' +
        'application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
    );
  });

  test('a strategic merge patch of a built-in kind merges what has a name, and does what it is told of the rest', async () => {
    await using world = new Harness();
    await world.create(configMaps, configMap('c'));
    const send = (body: object) =>
      world.call('PATCH', world.path(configMaps, 'c'), {
        contentType: 'application/strategic-merge-patch+json',
        body,
      });
    expect((await send({ data: { a: null, b: '2' } })).body.data).toEqual({ b: '2' });
    await send({ metadata: { finalizers: ['a.b/c'] } });
    const { body } = await send({ metadata: { finalizers: ['a.b/d'] } });
    expect(body.metadata.finalizers).toEqual(['a.b/d', 'a.b/c']);
    expect((await send({ data: { $patch: 'replace', z: '1' } })).body.data).toEqual({ z: '1' });
  });

  test('an unknown field in a patch of a foreign kind is Invalid', async () => {
    await using world = new Harness();
    await world.create(dataVolumes, dataVolume('d'));
    const { status, body } = await world.merge(dataVolumes, 'd', { spec: { finalCheckpont: true } });
    expect(status).toBe(422);
    expect(body.message).toContain('strict decoding error: unknown field "spec.finalCheckpont"');
  });

  test('PUT replaces, and demands the version of a custom resource', async () => {
    await using world = new Harness();
    const { body } = await world.create(plans, plan('p'));
    const path = world.path(plans, 'p');
    const bare = { ...body, metadata: { name: 'p', namespace: 'default' } };
    expect((await world.call('PUT', path, { body: bare })).body.message).toBe(
      'plans.forklift.konveyor.io "p" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    );
    const put = await world.call('PUT', path, { body: { ...body, spec: { ...body.spec, archived: true } } });
    expect(put.body.spec['archived']).toBe(true);
  });

  test('what was given away and what was given in can be changed without touching the store', async () => {
    await using world = new Harness();
    const data = { a: '1' };
    const created = await world.create(configMaps, { metadata: { name: 'c' }, data });
    data.a = '2';
    created.body.data['a'] = '3';
    expect((await world.get(configMaps, 'c')).body.data['a']).toBe('1');
  });
});
