import { serviceAccounts } from '../../hack/testbed/cluster/kinds.ts';
import type { Testbed } from '../../hack/testbed/control/testbed.ts';
import { namespaces } from '../../src/api/kinds.ts';
import type { KubeObject, ResourceKind, Stored } from '../../src/api/meta.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { openRealCluster, whenObject, type RealCluster } from './real-cluster.ts';

/** A namespace of a test's own in the cluster of its testbed, as the administrator sees it. */
export class RealNamespace implements AsyncDisposable {
  /** Resolves when pods may be made in it. */
  static async open(namespace: string): Promise<RealNamespace> {
    const cluster = await openRealCluster('admin');
    const { client } = cluster;
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    // No pod is admitted before there is this one, which a controller makes.
    const account = { namespace, name: 'default' };
    await whenObject(client, serviceAccounts, account, (object) => object !== undefined);
    return new RealNamespace(cluster, namespace);
  }

  readonly namespace: string;
  readonly cluster: RealCluster;

  private constructor(cluster: RealCluster, namespace: string) {
    this.cluster = cluster;
    this.namespace = namespace;
  }

  get client(): KubeClient {
    return this.cluster.client;
  }

  get testbed(): Testbed {
    return this.cluster.testbed;
  }

  async create<T extends KubeObject>(kind: ResourceKind<T>, object: T): Promise<Stored<T>> {
    const { namespace } = this;
    return this.client.create(kind, { ...object, metadata: { ...object.metadata, namespace } });
  }

  /** As whenObject, of an object in here, or of one that is in no namespace. */
  async when<T extends KubeObject, R>(
    kind: ResourceKind<T>,
    name: string,
    accept: (object: Stored<T> | undefined) => R | undefined | false,
    withinMs?: number,
  ): Promise<R> {
    const at = kind.namespaced ? { namespace: this.namespace, name } : { name };
    return whenObject(this.client, kind, at, accept, withinMs);
  }

  /** What is still in it ends by itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.delete(namespaces, { name: this.namespace });
    await this.cluster[Symbol.asyncDispose]();
  }
}
