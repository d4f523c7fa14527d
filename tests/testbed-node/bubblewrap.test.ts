import { describe, expect, test } from '@jest/globals';
import { commandLine, containerCommand } from '../../hack/testbed/node/bubblewrap.ts';
import type { ContainerFrame } from '../../hack/testbed/node/images.ts';
import { imageTable, repositoryOf } from '../../hack/testbed/node/images.ts';
import type { NodeContainer } from '../../hack/testbed/node/node-pod.ts';
import { container, pod } from './pods.ts';

function frame(fields: Partial<NodeContainer>, rest: Partial<ContainerFrame> = {}): ContainerFrame {
  return {
    pod: pod(),
    container: container(fields),
    env: {},
    mounts: [],
    network: { name: 'pod-1', address: '10.77.10.1' },
    ...rest,
  };
}
const image = { entrypoint: ['/image/program', '-x'], args: ['default'] };

describe('the command of a container', () => {
  test.each<[string, Partial<NodeContainer>, readonly string[]]>([
    ['the entry point with its own arguments', {}, ['/image/program', '-x', 'default']],
    ['the entry point with those of the pod', { args: ['a'] }, ['/image/program', '-x', 'a']],
    ['a command in place of both', { command: ['sh', '-c', 'true'] }, ['sh', '-c', 'true']],
    ['a command and its arguments', { command: ['sh'], args: ['-c', 'true'] }, ['sh', '-c', 'true']],
  ])('is %s', (_, fields, expected) => {
    expect(commandLine(frame(fields), image)).toEqual(expected);
  });

  test('enters the network of its pod and never shows its environment', () => {
    const env = { IMPORTER_SECRET_KEY: 'open sesame' };
    const [command, args] = containerCommand(frame({}, { env }), image, []);
    expect([command, args[0]]).toEqual(['nsenter', '--net=/run/netns/pod-1']);
    expect(args.join(' ')).not.toContain('sesame');
  });

  test('mounts folders before what lies in them, and below /run what is wanted below /var/run', () => {
    const mounts = [
      { source: '/s/b', path: '/data/b', kind: 'read-only' },
      { source: '/s/token', path: '/var/run/secrets/token', kind: 'read-only' },
      { source: '/s/a', path: '/data', kind: 'read-write' },
      { source: '/dev/loop1', path: '/dev/disk', kind: 'device' },
    ] as const;
    const [, args] = containerCommand(frame({}, { mounts }), image, []);
    const own = args.join(' ');
    const places = [
      '--bind /s/a /data ',
      '--ro-bind /s/b /data/b ',
      '--ro-bind /s/token /run/secrets/token ',
    ];
    const found = places.map((place) => own.indexOf(place));
    expect(found.every((at) => at > 0)).toBe(true);
    expect(found[0]).toBeLessThan(found[1]!);
    expect(own).toContain('--dev-bind /dev/loop1 /dev/disk');
  });
});

describe('the image of a reference', () => {
  const images = imageTable({ 'cdi-importer': image, vddk: { entrypoint: ['vddk'] } });

  test.each([
    ['cdi-importer', 'cdi-importer'],
    ['quay.io/kubevirt/cdi-importer:v1.65.0', 'quay.io/kubevirt/cdi-importer'],
    ['host:5000/a/b@sha256:0123', 'host:5000/a/b'],
    ['host:5000/a/b', 'host:5000/a/b'],
  ])('%s is called %s', (reference, name) => {
    expect(repositoryOf(reference)).toBe(name);
  });

  test('is found by its name, whatever registry and tag', () => {
    expect(images('registry.example/x/vddk:8')).toEqual({ entrypoint: ['vddk'] });
    expect(images('cdi-importer')).toBe(image);
    expect(images('registry.example/x/other:8')).toBeUndefined();
  });
});
