import { describe, expect, test } from '@jest/globals';
import { failureText, hintFor, isPackage } from '../../hack/testbed/build/compile.ts';
import {
  debianPackages,
  decideInstall,
  installCommand,
  lacking,
  missingText,
} from '../../hack/testbed/build/packages.ts';
import { diskShortage, memoryShortage, type DiskNeed } from '../../hack/testbed/build/room.ts';
import { productOf } from '../../hack/testbed/build/products.ts';
import { compilerName, readGo, requireCompiler } from '../../hack/testbed/build/toolchain.ts';

const gibibyte = 2 ** 30;

describe('the compilers', () => {
  test('Go is known by its version, as a name for a folder', () => {
    expect(readGo('go1.26.8\n/a\n/b\n')).toEqual({
      version: 'go1.26.8',
      buildCache: '/a',
      moduleCache: '/b',
    });
    expect(readGo('devel go1.28-4a1b2c3 Mon\n/a\n/b\n').version).toBe('devel-go1.28-4a1b2c3-Mon');
  });

  test.each(['go1.25.9', 'go1.9', 'go0.99'])('%s is too old', (version) => {
    expect(() => readGo(`${version}\n/a\n/b\n`)).toThrow(/Go 1\.26 or newer/);
  });

  test.each(['go1.26', 'go1.26.0', 'go1.27rc1', 'go2.0'])('%s will do', (version) => {
    expect(readGo(`${version}\n/a\n/b\n`).version).toBe(version);
  });

  test('one that is missing is named where it is needed, and only there', () => {
    const none = { go: undefined, gcc: undefined };
    const { recipe: program } = productOf('etcd');
    const { recipe: library } = productOf('libvddk-test-plugin.so');
    expect(compilerName(program, none)).toBeUndefined();
    expect(() => requireCompiler(program, none)).toThrow(expect.objectContaining({ code: 'TestbedNoGo' }));
    expect(() => requireCompiler(library, none)).toThrow(expect.objectContaining({ code: 'TestbedNoGcc' }));
    expect(requireCompiler(library, { go: undefined, gcc: 'gcc12.2.0' })).toBe('gcc12.2.0');
  });
});

describe('room on the machine', () => {
  const need = (folder: string, device: number, needGib: number, freeGib: number): DiskNeed => ({
    folder,
    device,
    needBytes: needGib * gibibyte,
    freeBytes: freeGib * gibibyte,
  });

  test('is enough when each disk holds what goes there', () => {
    expect(diskShortage([need('/a', 1, 4, 5), need('/b', 2, 4, 5)])).toBeUndefined();
  });

  test('is counted together for folders on one disk', () => {
    expect(diskShortage([need('/a', 1, 4, 5), need('/b', 1, 4, 5), need('/c', 1, 0, 5)])).toMatch(
      /needs 8.0 GiB of disk for \/a, \/b and there are 5.0 GiB/,
    );
  });

  test('is more memory for compiling everything than for linking it', () => {
    expect(memoryShortage(1.5 * gibibyte, 'cold')).toMatch(
      /needs 2.0 GiB of memory and 1.5 GiB are available/,
    );
    expect(memoryShortage(1.5 * gibibyte, 'warm')).toBeUndefined();
    expect(memoryShortage(3 * gibibyte, 'cold')).toBeUndefined();
  });
});

describe('Debian packages', () => {
  test('are missing when one of the things that they give is', () => {
    const there = new Set(debianPackages.flatMap(({ gives }) => gives));
    expect(lacking(debianPackages, (thing) => there.has(thing))).toEqual([]);
    there.delete('flock');
    there.delete('/usr/include/nbdkit-plugin.h');
    const missing = lacking(debianPackages, (thing) => there.has(thing));
    expect(missing.map(({ name }) => name)).toEqual(['nbdkit-plugin-dev', 'util-linux']);
    expect(missingText(missing, false)).toBe(
      [
        'the testbed lacks on this machine:',
        "  nbdkit-plugin-dev  nbdkit's header for the plugin",
        '  util-linux         the namespaces of a testbed, and the lock of the cache',
        'on Debian: sudo apt-get install --yes --no-install-recommends nbdkit-plugin-dev util-linux',
      ].join('\n'),
    );
    expect(installCommand(missing)[0]).toBe('apt-get');
  });

  test.each([
    [{ asked: true, ci: undefined, isRoot: true, hasAptGet: true }, 'install'],
    [{ asked: false, ci: 'true', isRoot: true, hasAptGet: true }, 'install'],
    [{ asked: false, ci: undefined, isRoot: true, hasAptGet: true }, 'tell'],
    [{ asked: true, ci: 'true', isRoot: false, hasAptGet: true }, 'tell'],
    [{ asked: true, ci: 'true', isRoot: true, hasAptGet: false }, 'tell'],
  ] as const)('%j: %s', (given, decision) => {
    expect(decideInstall(given)).toBe(decision);
  });
});

describe('what the compiler says', () => {
  test.each([
    ['k8s.io/api/core/v1', true],
    ['fmt', true],
    ['go.etcd.io/etcd/server/v3', true],
    ['go: downloading k8s.io/api v0.36.3', false],
    ['# k8s.io/api/core/v1', false],
    ['', false],
  ])('%j is a package: %s', (line, expected) => {
    expect(isPackage(line)).toBe(expected);
  });

  test.each([
    ['write /tmp/x: no space left on device', /disk is full/],
    ['compile: signal: killed', /lack of memory/],
    ['reading https://proxy/x.zip: 403 Forbidden', /GOPROXY/],
    ['dial tcp: lookup proxy: no such host', /GOPROXY/],
    ['verifying x: checksum mismatch', /not the one that was pinned/],
    ['go: updates to go.mod needed', /go mod tidy/],
    ['fatal error: nbdkit-plugin.h: No such file', /nbdkit-plugin-dev/],
  ])('%j has advice', (said, advice) => {
    expect(hintFor(said, 1)).toMatch(advice);
  });

  test('an ordinary error has none, and a signal has that about memory', () => {
    expect(hintFor('main.go:3: undefined: x', 1)).toBeUndefined();
    expect(hintFor('', null)).toMatch(/memory/);
  });

  test('a failure shows the errors, not what went well, and where the rest is', () => {
    const tail = [
      'go: downloading k8s.io/api v0.36.3',
      'k8s.io/api/core/v1',
      '# testbed/cdi',
      'main.go:3: undefined: x',
    ];
    expect(failureText('cdi-manifests', 1, tail, '/cache/logs/cdi-manifests.log')).toBe(
      [
        'building cdi-manifests failed (exit code 1)',
        '  # testbed/cdi',
        '  main.go:3: undefined: x',
        'all of it: /cache/logs/cdi-manifests.log',
      ].join('\n'),
    );
  });
});
