import { describe, expect, test } from '@jest/globals';
import { qemuArguments } from '../../hack/testbed/guest/qemu-arguments.ts';
import type { Domain, VirtualMachine } from '../../src/api/external/kubevirt.ts';
import type { FreezeInput } from '../../src/migration/freeze/input.ts';
import { buildVirtualMachine } from '../../src/target/virtual-machine/virtual-machine.ts';
import { sampleSubject } from '../target/freeze-sample.ts';
import { sampleDisk, sampleModel, samplePlan } from '../target/sample-import.ts';

const efi = { firmware: '/fw/code.fd', variables: '/fw/vars.fd' };

/** As the API gives it back: KubeVirt has written the machine type. */
function stored(changes: Partial<FreezeInput> = {}, domain: Partial<Domain> = {}): VirtualMachine {
  const subject = sampleSubject(changes);
  const claims = new Map(subject.spec.disks.map((disk) => [disk.key, disk.claimName]));
  const vm = buildVirtualMachine(subject, { name: 'web-01', claims });
  const { template } = vm.spec;
  const whole = { ...template.spec.domain, machine: { type: 'q35' }, ...domain };
  return {
    ...vm,
    spec: { ...vm.spec, template: { ...template, spec: { ...template.spec, domain: whole } } },
  };
}

function argumentsOf(vm: VirtualMachine): readonly string[] {
  const names = (vm.spec.template.spec.volumes ?? []).map(({ name }) => name);
  return qemuArguments(vm, { disks: new Map(names.map((name) => [name, `/disks/${name}.img`])), efi });
}

/** The words behind each time that the option stands there. */
function values(vm: VirtualMachine, option: string): readonly string[] {
  const words = argumentsOf(vm);
  return words.flatMap((word, index) => (word === option ? [words[index + 1] ?? ''] : []));
}

const legacy = { plan: samplePlan({ skipGuestConversion: true, useCompatibilityMode: true }) };

describe('QEMU is started with what the VirtualMachine asks for', () => {
  test('its machine, CPUs and memory', () => {
    const vm = stored({}, { clock: { utc: {}, timer: { hpet: { present: false } } } });
    expect(values(vm, '-machine')).toEqual(['q35,accel=tcg,smm=off,hpet=off']);
    expect(values(vm, '-smp')).toEqual(['8,sockets=2,cores=4,threads=1']);
    expect(values(vm, '-cpu')).toEqual(['max']);
    expect(values(vm, '-m')).toEqual(['2048M']);
    expect(values(vm, '-boot')).toEqual(['strict=on']);
  });

  test('its CPU model and features, but for one without which QEMU goes wrong', () => {
    const features = [
      { name: 'aes' },
      { name: 'vmx', policy: 'optional' as const },
      { name: 'svm', policy: 'disable' as const },
      { name: 'pcid', policy: 'forbid' as const },
    ];
    expect(values(stored({}, { cpu: { model: 'EPYC', features } }), '-cpu')).toEqual(['EPYC,+aes,-pcid']);
  });

  test('memory that is no whole number of MiB is rounded up', () => {
    expect(values(stored({}, { memory: { guest: String(2 ** 30 + 1) } }), '-m')).toEqual(['1025M']);
  });

  test('its identity, whatever signs are in it', () => {
    const firmware = { uuid: '421312aa-1111-4222-8333-444455556666', serial: 'VMware-56 4d, x' };
    const vm = stored({}, { firmware });
    expect(values(vm, '-uuid')).toEqual([firmware.uuid]);
    expect(values(vm, '-smbios')).toEqual([
      `type=1,manufacturer=KubeVirt,uuid=${firmware.uuid},serial=VMware-56 4d,, x`,
    ]);
  });

  test('BIOS without more, EFI by its firmware and variables of its own', () => {
    expect(values(stored(), '-drive')).toEqual([]);
    const vm = stored({}, { firmware: { bootloader: { efi: { secureBoot: false } } } });
    expect(values(vm, '-drive')).toEqual([
      'if=pflash,unit=0,format=raw,readonly=on,file=/fw/code.fd',
      'if=pflash,unit=1,format=raw,file=/fw/vars.fd',
    ]);
  });

  test('virtio disks, the first of which boots, and a virtio NIC, tablet and random numbers', () => {
    const devices = values(stored(), '-device');
    expect(devices).toContain('virtio-blk-pci,drive=disk0,serial=6000c290-4f1d-3a70-9,bootindex=1');
    expect(devices).toContain('virtio-blk-pci,drive=disk1,serial=6000c291-4f1d-3a70-9');
    expect(devices).toContain('virtio-net-pci,netdev=net0,mac=00:50:56:aa:00:00');
    expect(devices).toEqual(expect.arrayContaining(['virtio-tablet-pci', 'virtio-rng-pci']));
    expect(values(stored(), '-blockdev')).toEqual([
      'driver=file,node-name=file0,filename=/disks/vol-0.img',
      'driver=raw,node-name=disk0,file=file0',
      'driver=file,node-name=file1,filename=/disks/vol-1.img',
      'driver=raw,node-name=disk1,file=file1',
    ]);
  });

  test('SATA disks on as many controllers as they need, and a NIC that every guest knows', () => {
    const disks = Array.from({ length: 8 }, (_, index) => sampleDisk(index));
    const devices = values(stored({ ...legacy, model: sampleModel({ disks }) }), '-device');
    expect(devices.filter((device) => device.startsWith('ich9-ahci'))).toEqual([
      'ich9-ahci,id=sata0',
      'ich9-ahci,id=sata1',
    ]);
    const places = devices
      .filter((device) => device.startsWith('ide-hd'))
      .map((device) => device.split(',')[1]);
    expect(places).toEqual(
      [0, 1, 2, 3, 4, 5].map((port) => `bus=sata0.${port}`).concat('bus=sata1.0', 'bus=sata1.1'),
    );
    expect(devices).toContain('e1000e,netdev=net0,mac=00:50:56:aa:00:00');
    expect(devices).toEqual(expect.arrayContaining(['qemu-xhci,id=usb0', 'usb-tablet,bus=usb0.0']));
  });

  test('SCSI and USB disks, shared ones too', () => {
    const devices = {
      disks: [
        { name: 'vol-0', disk: { bus: 'scsi' as const }, shareable: true },
        { name: 'vol-1', disk: { bus: 'usb' as const }, errorPolicy: 'report' as const },
      ],
    };
    const told = values(stored({}, { devices }), '-device');
    expect(told).toContain('virtio-scsi-pci,id=scsi0');
    expect(told).toContain('scsi-hd,bus=scsi0.0,drive=disk0,share-rw=on');
    expect(told).toContain('usb-storage,bus=usb0.0,drive=disk1,rerror=report,werror=report');
  });

  test.each<[string, Partial<Domain>]>([
    ['a machine type that is not q35', { machine: { type: 'pc-i440fx-7.2' } }],
    ['no memory', { memory: {} }],
    ['secure boot', { firmware: { bootloader: { efi: {} } } }],
    ['a TPM', { devices: { tpm: {} } }],
    ['a LUN', { devices: { disks: [{ name: 'vol-0', lun: { bus: 'scsi' } }] } }],
    ['a disk without a volume', { devices: { disks: [{ name: 'vol-9', disk: { bus: 'virtio' } }] } }],
    ['an interface of SR-IOV', { devices: { interfaces: [{ name: 'net-0', sriov: {} }] } }],
  ])('and with %s it is not started at all', (_what, domain) => {
    expect(() => argumentsOf(stored({}, domain))).toThrow(/^this VM cannot be booted here: /);
  });
});
