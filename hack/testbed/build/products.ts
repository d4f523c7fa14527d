import type { BinaryName } from './binaries.ts';

/** A Go program out of one of the wrapper modules. Everything in here decides what comes out, so all of it is in the cache key. */
export interface GoRecipe {
  readonly kind: 'go';
  /** Folder under modules/ in which `go build` runs. */
  readonly module: ModuleName;
  readonly package: string;
  readonly tags: readonly string[];
  readonly ldflags: readonly string[];
  /** Folders under modules/ with sources of our own that end up in the program. */
  readonly sources: readonly string[];
}

/** A shared library out of the C files of a folder. */
export interface CRecipe {
  readonly kind: 'c';
  /** Folder under modules/. */
  readonly folder: string;
  readonly flags: readonly string[];
}

export type Recipe = GoRecipe | CRecipe;

/** What a build asks of the machine; for estimates and checks only, never in the cache key. */
export interface Cost {
  /** Seconds on two idle cores with empty caches, when everything before it in the table is built (fact: testbed 0). */
  readonly coldSeconds: number;
  /** Seconds to link it again when everything is compiled. */
  readonly warmSeconds: number;
}

export interface Product {
  readonly name: BinaryName;
  readonly recipe: Recipe;
  readonly cost: Cost;
}

/** What a wrapper module leaves on the disk of a machine that never built it; MiB. */
export interface ModuleCost {
  /** Folder in Go's module cache that is there once the module has been fetched. */
  readonly mainModule: string;
  readonly moduleCacheMib: number;
  readonly buildCacheMib: number;
}

/** fact: testbed 0. Measured for each alone; together they share a sixth. */
export const moduleCosts = {
  k8s: { mainModule: 'k8s.io/kubernetes@v1.36.3', moduleCacheMib: 1113, buildCacheMib: 3040 },
  cdi: {
    mainModule: 'kubevirt.io/containerized-data-importer@v1.65.0',
    moduleCacheMib: 1925,
    buildCacheMib: 1328,
  },
  kubevirt: { mainModule: 'kubevirt.io/kubevirt@v1.8.4', moduleCacheMib: 1196, buildCacheMib: 1498 },
  vsphere: { mainModule: 'github.com/vmware/govmomi@v0.55.1', moduleCacheMib: 130, buildCacheMib: 416 },
} as const satisfies Readonly<Record<string, ModuleCost>>;
export type ModuleName = keyof typeof moduleCosts;

const kubernetesVersion = '1.36.3';
const [major = '', minor = ''] = kubernetesVersion.split('.');
/** A program of Kubernetes learns its version from the linker; without it the API server says v0.0.0 (fact: testbed 3). */
const versionPackage = 'k8s.io/component-base/version';
const stripped = ['-s', '-w'];
const kubernetesFlags = [
  ...stripped,
  `-X ${versionPackage}.gitVersion=v${kubernetesVersion}`,
  `-X ${versionPackage}.gitMajor=${major}`,
  `-X ${versionPackage}.gitMinor=${minor}`,
  `-X ${versionPackage}.gitTreeState=clean`,
];
/** CDI's own choice; they keep container storage drivers out that want C libraries (fact: testbed 4.2). */
const cdiTags = ['containers_image_openpgp', 'exclude_graphdriver_btrfs', 'exclude_graphdriver_devicemapper'];

function go(
  module: ModuleName,
  path: string,
  { tags = [], ldflags = stripped, sources = [] }: Partial<Omit<GoRecipe, 'kind' | 'module' | 'package'>>,
): GoRecipe {
  return { kind: 'go', module, package: path, tags, ldflags, sources };
}
const kubernetes = (command: string): GoRecipe =>
  go('k8s', `k8s.io/kubernetes/cmd/${command}`, { ldflags: kubernetesFlags });
const cdi = (command: string): GoRecipe =>
  go('cdi', `kubevirt.io/containerized-data-importer/cmd/${command}`, {
    tags: cdiTags,
    sources: command === 'cdi-importer' ? ['libnbd-purego'] : [],
  });
const kubevirt = (command: string): GoRecipe => go('kubevirt', `kubevirt.io/kubevirt/cmd/${command}`, {});
/** A main package of ours. */
const own = (module: ModuleName, command: string, tags: readonly string[] = []): GoRecipe =>
  go(module, `./cmd/${command}`, { tags, sources: [`${module}/cmd/${command}`] });

const product = (name: BinaryName, recipe: Recipe, coldSeconds: number, warmSeconds: number): Product => ({
  name,
  recipe,
  cost: { coldSeconds, warmSeconds },
});

/**
 * In the order of building. The plugin first: a missing header is then known within a second. Of a module what compiles most packages comes
 * first, so that the cost of each is known. One `go build` each, not one a module: a change of one makes no other new, and there is
 * something to tell about progress.
 */
export const products: readonly Product[] = [
  product(
    'libvddk-test-plugin.so',
    {
      kind: 'c',
      folder: 'vddk-plugin',
      flags: ['-shared', '-fPIC', '-O2', '-Wall', '-Wextra', '-Wno-unused-parameter'],
    },
    1,
    1,
  ),
  product('kube-apiserver', kubernetes('kube-apiserver'), 217, 3),
  product('kube-controller-manager', kubernetes('kube-controller-manager'), 59, 3),
  product('kubectl', kubernetes('kubectl'), 18, 2),
  product('etcd', go('k8s', 'go.etcd.io/etcd/server/v3', {}), 8, 1),
  product('cdi-controller', cdi('cdi-controller'), 92, 2),
  product('cdi-apiserver', cdi('cdi-apiserver'), 5, 2),
  product('cdi-importer', cdi('cdi-importer'), 49, 2),
  product('cdi-manifests', own('cdi', 'cdi-manifests', cdiTags), 2, 1),
  product('virt-api', kubevirt('virt-api'), 120, 2),
  product('virt-controller', kubevirt('virt-controller'), 17, 2),
  product('kubevirt-manifests', own('kubevirt', 'kubevirt-manifests'), 3, 1),
  product('govc', own('vsphere', 'govc'), 36, 1),
];

export function productOf(name: BinaryName): Product {
  const found = products.find((one) => one.name === name);
  if (found === undefined) throw new RangeError(`no recipe for ${name}`);
  return found;
}
