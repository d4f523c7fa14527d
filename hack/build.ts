import { rmSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { build, type Metafile, type Plugin } from 'esbuild';

/**
 * Bundles the `gantry` command into a folder (default dist/), for the image: gantry.js, and beside it the chunks that it loads when a
 * command needs them. A few files start several times faster than a tree of modules, and what a pod never loads costs it no memory.
 *
 *   node hack/build.ts [FOLDER]
 *
 * The sandbox is left out: it is for trying and for tests, and has no place beside a controller.
 */
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = process.argv[2] ?? 'dist';

const withoutSandbox: Plugin = {
  name: 'without-sandbox',
  setup(bundler) {
    bundler.onResolve({ filter: /\/sandbox\// }, ({ path }) => ({ path, namespace: 'without-sandbox' }));
    bundler.onLoad({ filter: /./, namespace: 'without-sandbox' }, () => ({
      contents: `throw Object.assign(
        new Error('this build holds no simulated platforms; run the command from a checkout of the sources'),
        { code: 'NotInThisBuild' },
      );`,
    }));
  },
};

// Chunks of an earlier build would stay beside the new ones. A folder that somebody names may hold other things: it is not emptied.
if (folder === 'dist') rmSync(`${root}dist`, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: { gantry: 'src/main.ts' },
  outdir: folder,
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  platform: 'node',
  target: 'node22',
  format: 'esm',
  minify: true,
  keepNames: true,
  sourcemap: 'linked',
  legalComments: 'linked',
  metafile: true,
  // Some dependencies are CommonJS and ask for node's own modules by require.
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
  plugins: [withoutSandbox],
});
refuseSandbox(metafile);
for (const [path, { bytes }] of Object.entries(metafile.outputs)) {
  if (path.endsWith('.js')) process.stdout.write(`${path.padEnd(40)} ${Math.ceil(bytes / 1024)} KiB\n`);
}

/** Throws when a file of the sandbox, or a package that only it uses, came in by a way around the plugin. */
function refuseSandbox({ inputs }: Metafile): void {
  const found = Object.keys(inputs).filter((path) => /^src\/sandbox\/|node_modules\/selfsigned\//.test(path));
  if (found.length > 0) throw new Error(`the bundle holds parts of the sandbox: ${found.join(', ')}`);
}
