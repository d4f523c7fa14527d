import { describe, expect, test } from '@jest/globals';
import type { VirtualMachineImportSpec } from '../../src/api/virtual-machine-import.ts';
import { staticAddresses } from '../../src/target/conversion-addresses.ts';
import { readInspection, readVmDocument, readWarnings } from '../../src/target/conversion-answers.ts';
import { conversionDisks, imageOrder } from '../../src/target/conversion-disks.ts';
import { buildConversion } from '../../src/target/conversion-pod.ts';
import { buildLibvirtDomain } from '../../src/target/libvirt-domain.ts';
import { buildVirtualMachine } from '../../src/target/virtual-machine/virtual-machine.ts';
import { frozenDisk, importSpec, vmModel } from '../migration/import-spec.ts';

const conversion = {
  image: 'registry.example/v2v:1',
  requestsKvm: true,
  clevis: false,
  labels: { team: 'a' },
  nodeSelector: { disk: 'fast' },
};
const modes = new Map([
  ['2000', 'Filesystem' as const],
  ['2001', 'Block' as const],
]);

function subject(changes: Partial<VirtualMachineImportSpec> = {}, disks = 2) {
  const strategy = { type: 'cold', path: 'vddk', conversion: 'inPlace' } as const;
  return {
    metadata: { name: 'import', namespace: 'mtv', uid: 'import-uid' },
    spec: importSpec({ strategy, conversion, ...changes }, disks),
  };
}
const build = (changes: Partial<VirtualMachineImportSpec> = {}) =>
  buildConversion(subject(changes), { vmName: 'web', modes });
const envOf = (changes: Partial<VirtualMachineImportSpec> = {}) =>
  Object.fromEntries(
    (build(changes).pod.spec.containers[0]?.env ?? []).map(({ name, value }) => [name, value]),
  );

describe('the conversion pod', () => {
  test('has the shape that Forklift’s image and its clients know', () => {
    const { pod } = build();
    expect(pod.metadata.labels).toMatchObject({
      'forklift.app': 'virt-v2v',
      'gantry.dev/import': 'import-uid',
      vmID: 'vm-1',
      team: 'a',
    });
    expect(pod.metadata.finalizers).toEqual(['gantry.dev/conversion']);
    expect(pod.metadata.ownerReferences).toBeUndefined();
    expect(pod.spec).toMatchObject({
      restartPolicy: 'Never',
      securityContext: {
        runAsUser: 107,
        fsGroup: 107,
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      nodeSelector: { 'kubevirt.io/schedulable': 'true', disk: 'fast' },
    });
    const [container] = pod.spec.containers;
    expect(container).toMatchObject({
      name: 'virt-v2v',
      image: 'registry.example/v2v:1',
      resources: { limits: { 'devices.kubevirt.io/kvm': '1' } },
      terminationMessagePolicy: 'FallbackToLogsOnError',
    });
    expect(container?.volumeMounts).toContainEqual({ name: 'disk-0', mountPath: '/mnt/disks/disk0' });
    expect(container?.volumeDevices).toEqual([{ name: 'disk-1', devicePath: '/dev/block1' }]);
  });

  test('is told to convert in place and to serve its answers, and knows no way to the source', () => {
    const env = envOf();
    expect(env).toMatchObject({ V2V_inPlace: '1', LOCAL_MIGRATION: 'true', V2V_NewName: 'web' });
    expect(Object.keys(env)).not.toContain('V2V_libvirtURL');
    expect((build().pod.spec.volumes ?? []).some(({ secret }) => secret !== undefined)).toBe(false);
    expect(build().pod.spec.containers[0]?.args).toBeUndefined();
  });

  test('is told what users and guests need, and nothing else', () => {
    const base = importSpec().options;
    const env = envOf({
      options: { ...base, rootDisk: '/dev/sdb', legacyDrivers: true, xfs: true },
      conversion: { ...conversion, clevis: true, tempStorage: { class: 'fast', size: '10Gi' } },
    });
    expect(env).toMatchObject({
      V2V_RootDisk: '/dev/sdb',
      VIRTIO_WIN: '/usr/local/virtio-win-legacy.iso',
      V2V_xfsCompatibility: 'true',
      V2V_NBDE_CLEVIS: 'true',
      TMPDIR: '/var/tmp/virt-v2v',
    });
    expect(Object.keys(envOf())).toEqual([
      'V2V_inPlace',
      'LOCAL_MIGRATION',
      'V2V_source',
      'V2V_vmName',
      'V2V_NewName',
    ]);
  });

  test('without the KVM device asks for no node of KubeVirt', () => {
    const { pod } = build({ conversion: { ...conversion, requestsKvm: false, nodeSelector: {} } });
    expect(pod.spec.nodeSelector).toBeUndefined();
    expect(pod.spec.containers[0]?.resources?.limits).not.toHaveProperty(['devices.kubevirt.io/kvm']);
  });

  test('finds more than ten disks in their order: the image sorts names as words', () => {
    const many = { disks: Array.from({ length: 12 }, (_, index) => frozenDisk(index)) };
    const paths = conversionDisks(many, new Map()).map(({ path }) => path);
    expect(paths).toEqual([...paths].sort());
    expect(paths[10]).toBe('/mnt/disks/disk10');
    expect(paths[2]).toBe('/mnt/disks/disk02');
  });

  test('counts disks as the image does, file systems first', () => {
    const disks = [frozenDisk(0), frozenDisk(1), frozenDisk(2, { mode: 'skip' }), frozenDisk(3)];
    const blocks = new Map([
      ['2000', 'Block' as const],
      ['2003', 'Filesystem' as const],
    ]);
    const order = imageOrder(conversionDisks({ disks }, blocks));
    expect(order.map(({ disk, position, path }) => [disk.key, position, path])).toEqual([
      ['2001', 1, '/mnt/disks/disk1'],
      ['2003', 2, '/mnt/disks/disk2'],
      ['2000', 0, '/dev/block0'],
    ]);
  });
});

describe('the domain that older images read', () => {
  test('names the disks where they are, and no character of the source breaks it', () => {
    const { spec } = subject({
      model: vmModel({
        firmware: { kind: 'efi', secureBoot: true, tpm: false, nvramLost: false },
        nics: [
          {
            key: 'n',
            mac: '00:50:56:00:00:01',
            network: { ids: [], names: [] },
            model: 'vmxnet3',
            linkUp: true,
            sriov: false,
            multiqueue: false,
            addresses: [],
          },
        ],
      }),
    });
    const xml = buildLibvirtDomain(spec, 'a<b>&"c"\u0001', conversionDisks(spec, modes));
    expect(xml).toContain('<name>a&#60;b&#62;&#38;&#34;c&#34;</name>');
    expect(xml).toContain('<source file="/mnt/disks/disk0/disk.img"/>');
    expect(xml).toContain('<source dev="/dev/block1"/><target dev="sdb" bus="scsi"/>');
    expect(xml).toContain('<os firmware="efi"><type arch="x86_64">hvm</type>');
    expect(xml).toContain('<feature enabled="yes" name="secure-boot"/>');
    expect(xml).toContain('<mac address="00:50:56:00:00:01"/>');
    expect(build().domain.data?.['input.xml']).toMatch(/^<domain type="kvm">/);
  });
});

describe('fixed addresses', () => {
  const nic = (addresses: Parameters<typeof staticAddresses>[0]['nics'][number]['addresses']) => ({
    key: 'n',
    mac: '00:50:56:00:00:01',
    network: { ids: [], names: [] },
    model: 'vmxnet3' as const,
    linkUp: true,
    sriov: false,
    multiqueue: false,
    addresses,
  });
  const address = (ip: string, origin: 'static' | 'dhcp') => ({
    ip,
    prefix: 24,
    origin,
    gateway: '10.0.0.1',
    dns: ['10.0.0.2', '10.0.0.3'],
  });
  const guest = (family: 'linux' | 'windows') => ({ ...vmModel().guest, family });

  test('go with gateway, prefix and name servers, the older protocol first', () => {
    const nics = [
      nic([address('fd00::5', 'static'), address('10.0.0.5', 'dhcp'), address('169.254.1.1', 'dhcp')]),
    ];
    expect(staticAddresses({ nics, guest: guest('linux') })?.text).toBe(
      '00:50:56:00:00:01:ip:10.0.0.5,10.0.0.1,24,10.0.0.2,10.0.0.3_' +
        '00:50:56:00:00:01:ip:fd00::5,10.0.0.1,24,10.0.0.2,10.0.0.3',
    );
  });

  test('of Windows only those that were set by hand', () => {
    const nics = [nic([address('10.0.0.5', 'static'), address('10.0.0.6', 'dhcp')])];
    expect(staticAddresses({ nics, guest: guest('windows') })).toEqual({
      text: '00:50:56:00:00:01:ip:10.0.0.5,10.0.0.1,24,10.0.0.2,10.0.0.3',
      isMultiple: false,
    });
    expect(
      staticAddresses({ nics: [nic([address('10.0.0.6', 'dhcp')])], guest: guest('windows') }),
    ).toBeUndefined();
  });
});

describe('what the converter answers', () => {
  test('a VM tells its firmware in the older and in the newer way, and the disk that it boots from', () => {
    const older = 'spec: {template: {spec: {domain: {os: {firmware: uefi}}}}}';
    const newer =
      'spec: {template: {spec: {domain: {firmware: {bootloader: {bios: {}}}, devices: {disks: [{bootOrder: 2}, {bootOrder: 1}]}}}}}';
    expect(readVmDocument(older)).toEqual({ firmware: 'uefi' });
    expect(readVmDocument(newer)).toEqual({ firmware: 'bios', bootDisk: 1 });
    for (const text of ['', '{', '- a', 'a: &a [*a]']) expect(readVmDocument(text)).toEqual({});
  });

  test('an inspection tells system, firmware and the disk that it is on', () => {
    const xml =
      '<?xml version="1.0"?><v2v-inspection><disks><disk index="0"/><disk index="1"><boot-order>1</boot-order></disk></disks>' +
      '<firmware type="uefi"/><operatingsystem><name>linux</name><osinfo>rhel9.4</osinfo></operatingsystem></v2v-inspection>';
    expect(readInspection(xml)).toEqual({
      firmware: 'uefi',
      bootDisk: 1,
      osId: 'rhel9.4',
      osFamily: 'linux',
    });
    for (const text of ['', 'no XML', '<v2v-inspection><firmware']) expect(readInspection(text)).toEqual({});
    expect(
      readInspection(
        '<v2v-inspection><operatingsystem><name>unknown</name></operatingsystem></v2v-inspection>',
      ),
    ).toEqual({});
  });

  test('warnings are a list, or there are none', () => {
    expect(readWarnings('[{"reason":"A","message":"b"},{"message":"c"},{"reason":"x"},7]')).toEqual([
      { reason: 'A', message: 'b' },
      { reason: 'Warning', message: 'c' },
    ]);
    for (const text of ['', '{', '{}', 'null']) expect(readWarnings(text)).toEqual([]);
  });
});

describe('the VM of a converted guest', () => {
  const vmOf = (
    changes: Partial<VirtualMachineImportSpec>,
    converted: { readonly firmware?: 'bios' | 'uefi'; readonly bootDisk?: number },
  ) =>
    buildVirtualMachine(subject(changes), { name: 'web', claims: new Map(), converted }).spec.template.spec
      .domain;
  const first = { disks: [frozenDisk(0, { bootOrder: 1 }), frozenDisk(1)] };
  const order = (changes: Partial<VirtualMachineImportSpec>, bootDisk?: number) =>
    vmOf(changes, { ...(bootDisk !== undefined && { bootDisk }) }).devices.disks?.map(
      (disk) => disk.bootOrder,
    );

  test('boots from where its system was found, unless the user said where from', () => {
    expect(order(first)).toEqual([1, undefined]);
    expect(order(first, 1)).toEqual([undefined, 1]);
    const said = { ...first, options: { ...importSpec().options, rootDisk: '/dev/sda' } };
    expect(order(said, 1)).toEqual([1, undefined]);
  });

  test('has the firmware of the source, and where that is not known, the one that was found', () => {
    const unknown = { kind: 'unknown', secureBoot: false, tpm: false, nvramLost: false } as const;
    const bootloader = (kind: 'unknown' | 'bios', firmware?: 'uefi') =>
      vmOf(
        { model: vmModel({ firmware: { ...unknown, kind } }) },
        { ...(firmware !== undefined && { firmware }) },
      ).firmware?.bootloader;
    expect(bootloader('unknown', 'uefi')).toEqual({ efi: { secureBoot: false } });
    expect(bootloader('unknown')).toEqual({ bios: {} });
    expect(bootloader('bios', 'uefi')).toEqual({ bios: {} });
  });

  test('says that it was converted', () => {
    const vm = buildVirtualMachine(subject(), { name: 'web', claims: new Map() });
    expect(vm.metadata.labels).toMatchObject({ guestConverted: 'true' });
  });
});
