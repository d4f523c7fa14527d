/** Objects as a person would write them. */
interface Written {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels?: object };
  readonly [field: string]: unknown;
}

export const planSpec = {
  provider: {
    source: { name: 'vcenter', namespace: 'default' },
    destination: { name: 'host', namespace: 'default' },
  },
  map: {
    network: { name: 'networks', namespace: 'default' },
    storage: { name: 'storage', namespace: 'default' },
  },
  targetNamespace: 'default',
  vms: [{ name: 'web' }],
};

export const plan = (name: string, spec: object = {}): Written => ({
  apiVersion: 'forklift.konveyor.io/v1beta1',
  kind: 'Plan',
  metadata: { name, namespace: 'default' },
  spec: { ...planSpec, ...spec },
});

export const dataVolume = (name: string, spec: object = {}): Written => ({
  apiVersion: 'cdi.kubevirt.io/v1beta1',
  kind: 'DataVolume',
  metadata: { name, namespace: 'default' },
  spec: { source: { blank: {} }, storage: { resources: { requests: { storage: '1Gi' } } }, ...spec },
});

export const virtualMachine = (name: string): Written => ({
  apiVersion: 'kubevirt.io/v1',
  kind: 'VirtualMachine',
  metadata: { name, namespace: 'default' },
  spec: { runStrategy: 'Halted', template: { spec: { domain: { devices: {} } } } },
});

export const configMap = (name: string, labels: object = {}, namespace = 'default'): Written => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace, labels },
  data: { a: '1' },
});
