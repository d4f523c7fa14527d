/** Bodies that stories send. Every kind in its smallest good form; `spec` and `metadata` are laid over it. */
type Fields = Readonly<Record<string, unknown>>;

const forklift = 'forklift.konveyor.io/v1beta1';
const meta = (name: string, metadata: Fields): Fields => ({ name, ...metadata });

export const configMap = (name: string, metadata: Fields = {}, data: Fields = { a: '1' }): Fields => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: meta(name, metadata),
  data,
});

export const secret = (name: string, more: Fields = {}): Fields => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name },
  ...more,
});

export const planSpec: Fields = {
  provider: {
    source: { name: 'vcenter', namespace: 'moves' },
    destination: { name: 'host', namespace: 'moves' },
  },
  map: { network: { name: 'networks' }, storage: { name: 'storage' } },
  targetNamespace: 'target',
  vms: [{ name: 'web' }],
};
export const plan = (name: string, spec: Fields = {}, metadata: Fields = {}): Fields => ({
  apiVersion: forklift,
  kind: 'Plan',
  metadata: meta(name, metadata),
  spec: { ...planSpec, ...spec },
});

export const provider = (name: string, spec: Fields = {}, metadata: Fields = {}): Fields => ({
  apiVersion: forklift,
  kind: 'Provider',
  metadata: meta(name, metadata),
  spec: { type: 'vsphere', url: 'https://vcenter.example.com/sdk', secret: { name: 'vcenter' }, ...spec },
});

/** One that no scheduler takes, so that it stays as it was made. */
export const pod = (name: string, spec: Fields = {}, metadata: Fields = {}): Fields => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: meta(name, metadata),
  spec: { schedulerName: 'nobody', containers: [{ name: 'main', image: 'example.com/image:1' }], ...spec },
});

/** Of a class that nothing provisions, so that it stays Pending. */
export const claim = (name: string, spec: Fields = {}, metadata: Fields = {}): Fields => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: meta(name, metadata),
  spec: {
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Gi' } },
    storageClassName: 'class-{ns}',
    ...spec,
  },
});

export const storageClass = (more: Fields = {}): Fields => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'class-{ns}' },
  provisioner: 'example.com/none',
  volumeBindingMode: 'WaitForFirstConsumer',
  ...more,
});

export const owner = (
  kind: string,
  name: string,
  uid: string,
  more: Fields = {},
): Readonly<Record<string, readonly Fields[]>> => ({
  ownerReferences: [{ apiVersion: kind === 'ConfigMap' ? 'v1' : forklift, kind, name, uid, ...more }],
});
