import { existsSync } from 'node:fs';
import { inNetwork } from '../cell/network.ts';
import type { CommandImage, ContainerFrame, Mount } from './images.ts';

/** Where bubblewrap writes what becomes of its child: one JSON document a line. */
export const statusDescriptor = 3;

/** Of the machine's /etc, what programs of the machine's /usr cannot do without; the rest is the container's own. */
const etcFiles = [
  'alternatives',
  'ca-certificates',
  'group',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'localtime',
  'nsswitch.conf',
  'passwd',
  'protocols',
  'services',
  'ssl',
];

/**
 * The command line of a container: the pod's network, and own mounts, processes, devices and host name. /dev is private, because the importer
 * takes a file there as the sign of a block volume, /tmp because nbdkit's sockets have fixed names (fact: cdi 5.4). The program is process
 * 1, as in a container, so it gets exactly the signals that it handles. Its environment is passed on, not listed: it holds secrets.
 */
export function containerCommand(
  frame: ContainerFrame,
  image: CommandImage,
  ownFiles: readonly Mount[],
): readonly [string, readonly string[]] {
  const { container, pod, env } = frame;
  const files = Object.entries(image.files ?? {}).map(([path, source]): Mount => ({
    source,
    path,
    kind: 'read-only',
  }));
  return inNetwork(frame.network, 'bwrap', [
    ...['--die-with-parent', '--as-pid-1', '--json-status-fd', String(statusDescriptor)],
    ...['--unshare-pid', '--unshare-ipc', '--unshare-uts'],
    ...['--hostname', hostName(pod.spec.hostname ?? pod.metadata.name)],
    ...rootArguments(),
    ...inOrder([...files, ...frame.mounts, ...ownFiles]).flatMap(mountArguments),
    // Set at last, since nsenter and bwrap are found by the machine's own.
    ...(env['PATH'] === undefined ? [] : ['--setenv', 'PATH', env['PATH']]),
    ...['--chdir', container.workingDir ?? '/', '--'],
    ...commandLine(frame, image),
  ]);
}

/** Fact: Kubernetes documentation, "command and args": a command replaces the entry point and its arguments, args the arguments alone. */
export function commandLine({ container }: ContainerFrame, image: CommandImage): readonly string[] {
  const { command = [], args } = container;
  if (command.length > 0) return [...command, ...(args ?? [])];
  return [...image.entrypoint, ...(args ?? image.args ?? [])];
}

/** At most 63 characters, as a kubelet shortens it. */
function hostName(name: string): string {
  return name.slice(0, 63).replace(/[-.]+$/, '');
}

function rootArguments(): readonly string[] {
  const links = ['bin', 'lib', 'lib64', 'sbin'].flatMap((name) => ['--symlink', `usr/${name}`, `/${name}`]);
  const etc = etcFiles
    .map((name) => `/etc/${name}`)
    .filter((path) => existsSync(path))
    .flatMap((path) => ['--ro-bind', path, path]);
  const own = [
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    '--tmpfs',
    '/tmp',
    '--tmpfs',
    '/run',
    '--symlink',
    '/run',
    '/var/run',
  ];
  return ['--ro-bind', '/usr', '/usr', ...links, ...etc, ...own];
}

/** A folder before what is mounted into it. */
function inOrder(mounts: readonly Mount[]): readonly Mount[] {
  return mounts.toSorted((a, b) => depth(a.path) - depth(b.path));
}

function depth(path: string): number {
  return path.split('/').filter((part) => part !== '').length;
}

const bindFlags = { 'read-write': '--bind', 'read-only': '--ro-bind', device: '--dev-bind' } as const;

function mountArguments({ source, path, kind }: Mount): readonly string[] {
  // bubblewrap makes no folders behind a link.
  return [bindFlags[kind], source, path.replace(/^\/var\/run\//, '/run/')];
}
