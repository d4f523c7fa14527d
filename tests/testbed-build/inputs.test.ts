import { describe, expect, test } from '@jest/globals';
import {
  hashInputs,
  isInput,
  modulesFolder,
  readInputs,
  type InputFile,
} from '../../hack/testbed/build/inputs.ts';
import { productOf, products, type CRecipe, type GoRecipe } from '../../hack/testbed/build/products.ts';
import { binaryNames } from '../../hack/testbed/build/binaries.ts';

const goRecipe: GoRecipe = {
  kind: 'go',
  module: 'cdi',
  package: './cmd/tool',
  tags: ['one'],
  ldflags: ['-s'],
  sources: ['cdi/cmd/tool', 'libnbd-purego'],
};
const cRecipe: CRecipe = { kind: 'c', folder: 'vddk-plugin', flags: ['-shared'] };
const files: readonly InputFile[] = [
  { path: 'cdi/go.mod', content: 'module cdi' },
  { path: 'cdi/go.sum', content: 'sums' },
  { path: 'cdi/cmd/tool/main.go', content: 'package main' },
];
const hash = (recipe: GoRecipe | CRecipe, given: readonly InputFile[] = files): string =>
  hashInputs(recipe, given, 'amd64');

describe('the key of a product', () => {
  test('is 16 hexadecimal digits, the same each time', () => {
    expect(hash(goRecipe)).toMatch(/^[0-9a-f]{16}$/);
    expect(hash(goRecipe)).toBe(hash({ ...goRecipe }, [...files]));
  });

  test('does not depend on the order in which files are found', () => {
    expect(hash(goRecipe, files.toReversed())).toBe(hash(goRecipe));
  });

  test.each<[string, GoRecipe]>([
    ['module', { ...goRecipe, module: 'kubevirt' }],
    ['package', { ...goRecipe, package: './cmd/other' }],
    ['tags', { ...goRecipe, tags: ['one', 'two'] }],
    ['linker flags', { ...goRecipe, ldflags: ['-s', '-w'] }],
  ])('changes with the %s', (_, recipe) => {
    expect(hash(recipe)).not.toBe(hash(goRecipe));
  });

  test('changes with the processor and with the kind of compiler', () => {
    expect(hashInputs(goRecipe, files, 'arm64')).not.toBe(hash(goRecipe));
    expect(hash(cRecipe)).not.toBe(hash(goRecipe));
    expect(hash({ ...cRecipe, flags: ['-shared', '-O2'] })).not.toBe(hash(cRecipe));
  });

  test('changes with the content and the name of each file, and with one more or less', () => {
    const others = [
      ...files.map((file, index) => files.with(index, { ...file, content: `${String(file.content)} ` })),
      ...files.map((file, index) => files.with(index, { ...file, path: `${file.path}x` })),
      ...files.map((_, index) => files.toSpliced(index, 1)),
      [...files, { path: 'cdi/cmd/tool/more.go', content: '' }],
    ];
    const keys = [goRecipe].flatMap((recipe) => [files, ...others].map((given) => hash(recipe, given)));
    expect(new Set(keys).size).toBe(others.length + 1);
  });

  test('tells a file from two that hold the same together', () => {
    const one = [{ path: 'a', content: 'bc' }];
    const other = [{ path: 'ab', content: 'c' }];
    expect(hash(goRecipe, one)).not.toBe(hash(goRecipe, other));
  });
});

describe('what a product is made of', () => {
  test.each([
    ['cdi/go.mod', true],
    ['cdi/go.sum', true],
    ['cdi/cmd/tool/main.go', true],
    ['libnbd-purego/replies.go', true],
    ['libnbd-purego/go.mod', true],
    // A test ends up in no program.
    ['libnbd-purego/replies_test.go', false],
    ['cdi/cmd/tool/README.md', false],
    ['cdi/cmd/toolbox/main.go', false],
    ['kubevirt/go.mod', false],
  ])('%s: %s', (path, expected) => {
    expect(isInput(goRecipe, path)).toBe(expected);
  });

  test('of a C library: sources and headers of its folder', () => {
    const paths = ['vddk-plugin/a.c', 'vddk-plugin/a.h', 'vddk-plugin/README.md', 'other/a.c'];
    expect(paths.filter((path) => isInput(cRecipe, path))).toEqual(['vddk-plugin/a.c', 'vddk-plugin/a.h']);
  });
});

describe('the table of products', () => {
  test('has each of the testbed once', () => {
    expect(products.map(({ name }) => name).toSorted()).toEqual(binaryNames.toSorted());
  });

  test.each(products.filter(({ recipe }) => recipe.kind === 'go').map(({ name }) => name))(
    'finds the module files and the sources of %s',
    (name) => {
      const { recipe } = productOf(name);
      if (recipe.kind !== 'go') throw new Error('a Go program was expected');
      const paths = readInputs(recipe, modulesFolder).map(({ path }) => path);
      expect(paths).toContain(`${recipe.module}/go.mod`);
      expect(paths).toContain(`${recipe.module}/go.sum`);
      for (const folder of recipe.sources)
        expect(paths.join('\n')).toMatch(new RegExp(`^${folder}/.*\\.go$`, 'm'));
    },
  );
});
