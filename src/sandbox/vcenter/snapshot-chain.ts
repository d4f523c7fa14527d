import type { FrozenDisk } from '../disk-history.ts';

/** One disk in one snapshot: the file that became read-only when it was taken, and what the disk held (fact: vs 4.4b). */
export interface Link {
  /** "[datastore] dir/x-000001.vmdk"; merging an older link gives it that one's name. */
  file: string;
  readonly view: FrozenDisk;
}

export interface ChainNode {
  readonly id: string;
  parent: ChainNode | undefined;
  /** By device key. Disks that no snapshot holds are not in here. */
  readonly links: ReadonlyMap<number, Link>;
  /**
   * Gone from the snapshot tree, but its files are there: `merging` has its task, `unmerged` owes a consolidation, `shared` is what several
   * branches stand on and goes when one of them is left.
   */
  left?: 'merging' | 'unmerged' | 'shared';
}

/**
 * The files of a VM's disks: while there is a snapshot the VM writes to a delta, `x-000001.vmdk` on `x.vmdk`; when a snapshot is removed
 * the delta over it is merged into its file and takes that name (fact: vs 4.4b). Numbers are used again as they become free.
 */
export class SnapshotChain<Node extends ChainNode> {
  #nodes: readonly Node[] = [];
  #current: Node | undefined;
  readonly #live = new Map<number, string>();
  /** Files were left over before anybody looked. */
  leftovers = false;

  /** All nodes, also those that are gone from the tree; oldest first. */
  get all(): readonly Node[] {
    return this.#nodes;
  }
  /** What the snapshot tree shows. */
  get visible(): readonly Node[] {
    return this.#nodes.filter((node) => node.left === undefined);
  }
  get owesConsolidation(): boolean {
    return this.leftovers || this.#nodes.some((node) => node.left === 'unmerged');
  }
  /** The node that the live disks stand on. */
  get current(): Node | undefined {
    return this.#current;
  }

  /** The nearest one that is in the tree. */
  visibleAbove(node: ChainNode | undefined): ChainNode | undefined {
    let above = node;
    while (above?.left !== undefined) above = above.parent;
    return above;
  }

  parentOf(node: Node): Node | undefined {
    return this.#find(node.parent);
  }

  liveFile(key: number): string | undefined {
    return this.#live.get(key);
  }
  setLiveFile(key: number, file: string): void {
    this.#live.set(key, file);
  }
  forgetDisk(key: number): void {
    this.#live.delete(key);
  }

  /** Files below the live one, top first, for a disk that has any. */
  below(node: ChainNode | undefined, key: number): readonly string[] {
    const files: string[] = [];
    for (let at = node; at !== undefined; at = at.parent) {
      const link = at.links.get(key);
      if (link !== undefined) files.push(link.file);
    }
    return files;
  }

  /** The live files become those of the new node; the VM goes on in deltas over them. */
  add(node: Node): void {
    this.#nodes = [...this.#nodes, node];
    this.#current = node;
    for (const [key, link] of node.links) this.#live.set(key, this.#freeName(key, link.file));
  }

  /** The live disks start anew from `node`, which is in the chain. */
  standOn(node: Node): void {
    this.#current = node;
    for (const [key, link] of node.links) {
      this.#live.delete(key);
      this.#live.set(key, this.#freeName(key, link.file));
    }
  }

  /** All below `node` in the tree, and itself; leaves first. */
  withDescendants(node: Node): readonly Node[] {
    const children = this.#nodes.filter((each) => each.parent === node);
    return [...children.flatMap((child) => this.withDescendants(child)), node];
  }

  /** Takes the node's files away, or marks it as shared while several branches stand on it. True: it is gone. */
  merge(node: Node): boolean {
    const children = this.#nodes.filter((each) => each.parent === node);
    const isUnderLive = this.#current === node;
    if (children.length + (isUnderLive ? 1 : 0) > 1) {
      node.left = 'shared';
      return false;
    }
    const [child] = children;
    for (const [key, link] of node.links) {
      const over = child?.links.get(key);
      if (over !== undefined) over.file = link.file;
      if (isUnderLive && this.#live.has(key)) this.#live.set(key, link.file);
    }
    for (const each of children) each.parent = node.parent;
    if (isUnderLive) this.#current = this.#find(node.parent);
    this.#nodes = this.#nodes.filter((each) => each !== node);
    return true;
  }

  #find(node: ChainNode | undefined): Node | undefined {
    return this.#nodes.find((each) => each === node);
  }

  /** The lowest number that no file of the disk has. */
  #freeName(key: number, over: string): string {
    const taken = new Set([this.#live.get(key), ...this.#nodes.map((node) => node.links.get(key)?.file)]);
    const base = [...this.below(this.#current, key)].at(-1) ?? over;
    for (let number = 1; ; number += 1) {
      const name = base.replace(/\.vmdk$/, `-${String(number).padStart(6, '0')}.vmdk`);
      if (!taken.has(name)) return name;
    }
  }
}
