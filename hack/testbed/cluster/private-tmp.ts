/** Where the kept folders wait while /tmp is covered; in the cell's own /run. */
const holding = '/run/kept';

/**
 * Command and arguments that run a program with an empty /tmp of its own, which is gone with it, as a container would have. `kept`: folders
 * that it is to see all the same, absolute. It becomes the program, so its process id is the program's.
 */
export function withPrivateTmp(
  kept: readonly string[],
  command: string,
  args: readonly string[],
): readonly [string, readonly string[]] {
  const covered = kept.filter((path) => path.startsWith('/tmp/'));
  const script = [
    'set -e',
    ...covered.flatMap((path, index) => [
      `mkdir -p ${holding}/${index}`,
      `mount --bind ${quoted(path)} ${holding}/${index}`,
    ]),
    'mount -t tmpfs tmpfs /tmp',
    ...covered.flatMap((path, index) => [
      `mkdir -p ${quoted(path)}`,
      `mount --bind ${holding}/${index} ${quoted(path)}`,
    ]),
    'exec "$@"',
  ].join('\n');
  return ['unshare', ['--mount', '--propagation=slave', '--', 'sh', '-c', script, 'sh', command, ...args]];
}

/** For a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
