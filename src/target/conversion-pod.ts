import type { Affinity } from '../api/affinity.ts';
import type { ConfigMap, Container, EnvVar, Pod, PodVolume, VolumeMode } from '../api/external/core.ts';
import { appLabel, conversionApp, conversionFinalizer } from '../api/labels.ts';
import type { FrozenConversion } from '../api/virtual-machine-import.ts';
import { shortHash } from '../model/short-hash.ts';
import { conversionDisks, type ConversionDisk } from './conversion-disks.ts';
import { staticAddresses } from './conversion-addresses.ts';
import { importLabels, importUid, type ImportSubject } from './labels.ts';
import { buildLibvirtDomain } from './libvirt-domain.ts';

/** Names of what a conversion needs. One pod at a time has the name. */
export function conversionNames(subject: ImportSubject): { readonly pod: string; readonly domain: string } {
  const name = `gantry-${shortHash([importUid(subject)], 12)}`;
  return { pod: `${name}-convert`, domain: `${name}-domain` };
}

/** Where the converter serves what it has found (fact: kubevirt 2). */
export const conversionPort = 8080;
const portName = 'answers';

/** The user and the group that claims belong to, after CDI (fact: forklift-plan 4.6). */
const qemu = 107;

/** Of Forklift's settings, their defaults (fact: pkg/settings of 2.12). */
const resources = {
  requests: { cpu: '1000m', memory: '1Gi' },
  limits: { cpu: '4000m', memory: '8Gi' },
};
const kvm = 'devices.kubevirt.io/kvm';
const seconds = { readiness: 2 };

/**
 * The pod that converts the guest on the copied claims, in the shape of Forklift's, so that its image works as it is. It is given no
 * login: told of no libvirt URL, the image works on the disks that it finds (fact: cmd/virt-v2v of 2.11 and later), and neither needs
 * a way to the source nor keeps the source's password. It is nobody's: our label is what it is found by, and our finalizer keeps it
 * until it was seen how it ended.
 *
 * @param given the target VM's name, and the mode of each claim, by disk key.
 */
export function buildConversion(
  subject: ImportSubject,
  given: { readonly vmName: string; readonly modes: ReadonlyMap<string, VolumeMode> },
): { readonly pod: Pod; readonly domain: ConfigMap } {
  const { spec } = subject;
  const { conversion } = spec;
  if (conversion === undefined) throw new RangeError(`the import ${subject.metadata.name} converts nothing`);
  const names = conversionNames(subject);
  const disks = conversionDisks(spec, given.modes);
  const { namespace } = spec.target;
  const labels = { ...conversion.labels, ...importLabels(subject), [appLabel]: conversionApp };
  const domain: ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: names.domain, namespace, labels: importLabels(subject) },
    data: { 'input.xml': buildLibvirtDomain(spec, given.vmName, disks) },
  };
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: names.pod,
      namespace,
      labels,
      finalizers: [conversionFinalizer],
      ...(spec.network !== undefined && { annotations: { [spec.network.annotation]: spec.network.value } }),
    },
    spec: {
      restartPolicy: 'Never',
      securityContext: {
        fsGroup: qemu,
        runAsUser: qemu,
        runAsNonRoot: true,
        seccompProfile:
          conversion.seccompProfile === undefined
            ? { type: 'RuntimeDefault' }
            : { type: 'Localhost', localhostProfile: conversion.seccompProfile },
      },
      ...nodesOf(conversion),
      containers: [container(subject, given.vmName, conversion, disks)],
      volumes: [...disks.map(claimVolume), ...extraVolumes(names.domain, conversion)],
    },
  };
  return { pod, domain };
}

function nodesOf({
  requestsKvm,
  nodeSelector,
  affinity,
}: FrozenConversion): Pick<Pod['spec'], 'nodeSelector' | 'affinity'> {
  const nodes = { ...nodeSelector, ...(requestsKvm && { 'kubevirt.io/schedulable': 'true' }) };
  return {
    ...(Object.keys(nodes).length > 0 && { nodeSelector: nodes }),
    affinity: affinity === undefined ? apart : (JSON.parse(affinity) as Affinity),
  };
}

/** Converters are heavy: rather on nodes of their own each (fact: forklift-plan 4.6). */
const apart: Affinity = {
  podAntiAffinity: {
    preferredDuringSchedulingIgnoredDuringExecution: [
      {
        weight: 100,
        podAffinityTerm: {
          namespaceSelector: {},
          topologyKey: 'kubernetes.io/hostname',
          labelSelector: {
            matchExpressions: [{ key: appLabel, operator: 'In', values: [conversionApp] }],
          },
        },
      },
    ],
  },
};

function container(
  subject: ImportSubject,
  vmName: string,
  conversion: FrozenConversion,
  disks: readonly ConversionDisk[],
): Container {
  const kvmRequest = conversion.requestsKvm ? { [kvm]: '1' } : {};
  return {
    name: conversionApp,
    image: conversion.image,
    imagePullPolicy: 'IfNotPresent',
    env: environment(subject, vmName, conversion),
    resources: {
      requests: { ...resources.requests, ...kvmRequest },
      limits: { ...resources.limits, ...kvmRequest },
    },
    volumeMounts: [
      ...disks.flatMap(({ disk, mode, path }) =>
        mode === 'Filesystem' ? [{ name: volumeName(disk.index), mountPath: path }] : [],
      ),
      { name: 'libvirt-domain', mountPath: '/mnt/v2v', readOnly: true },
      // The image links a certificate to a file in it.
      { name: 'opt', mountPath: '/opt' },
      ...(conversion.tempStorage === undefined ? [] : [{ name: 'temp', mountPath: tempFolder }]),
    ],
    volumeDevices: disks.flatMap(({ disk, mode, path }) =>
      mode === 'Block' ? [{ name: volumeName(disk.index), devicePath: path }] : [],
    ),
    ports: [{ name: portName, containerPort: conversionPort, protocol: 'TCP' }],
    // Tells by the pod's own watch that the answers are there: nobody asks in vain.
    readinessProbe: { tcpSocket: { port: portName }, periodSeconds: seconds.readiness },
    // The image writes no termination message; the end of its log is what there is to be told.
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  };
}

const tempFolder = '/var/tmp/virt-v2v';

/** Fact: pkg/virt-v2v/config of 2.12. Nothing of it is secret. */
function environment(
  { spec }: ImportSubject,
  vmName: string,
  { clevis, tempStorage }: FrozenConversion,
): readonly EnvVar[] {
  const { model, options } = spec;
  const addresses = options.preserveStaticIps ? staticAddresses(model) : undefined;
  const values: Readonly<Record<string, string | undefined>> = {
    V2V_inPlace: '1',
    // The image serves its answers only if it is told that it can be reached; the API server reaches it in every cluster.
    LOCAL_MIGRATION: 'true',
    V2V_source: 'vSphere',
    V2V_vmName: vmName,
    V2V_NewName: vmName,
    V2V_RootDisk: options.rootDisk,
    V2V_HOSTNAME: model.guest.hostname,
    V2V_preserveStaticIPs: options.preserveStaticIps ? 'true' : undefined,
    V2V_staticIPs: addresses?.text,
    V2V_multipleIPsPerNic: addresses?.isMultiple === true ? 'true' : undefined,
    VIRTIO_WIN: options.legacyDrivers === true ? '/usr/local/virtio-win-legacy.iso' : undefined,
    V2V_xfsCompatibility: options.xfs ? 'true' : undefined,
    V2V_NBDE_CLEVIS: clevis ? 'true' : undefined,
    TMPDIR: tempStorage === undefined ? undefined : tempFolder,
  };
  return Object.entries(values).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [{ name, value }],
  );
}

function volumeName(index: number): string {
  return `disk-${index}`;
}

function claimVolume({ disk }: ConversionDisk): PodVolume {
  return { name: volumeName(disk.index), persistentVolumeClaim: { claimName: disk.claimName } };
}

function extraVolumes(domain: string, { tempStorage }: FrozenConversion): readonly PodVolume[] {
  const temp: readonly PodVolume[] =
    tempStorage === undefined
      ? []
      : [
          {
            name: 'temp',
            ephemeral: {
              volumeClaimTemplate: {
                spec: {
                  accessModes: ['ReadWriteOnce'],
                  volumeMode: 'Filesystem',
                  storageClassName: tempStorage.class,
                  resources: { requests: { storage: tempStorage.size } },
                },
              },
            },
          },
        ];
  return [{ name: 'libvirt-domain', configMap: { name: domain } }, { name: 'opt', emptyDir: {} }, ...temp];
}
