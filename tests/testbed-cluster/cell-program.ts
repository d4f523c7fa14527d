// What a testbed does to the machine, in little: run by cell.test.ts inside a cell. Its arguments: a word that marks its processes, and
// what it is to do when all is there.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { openCell } from '../../hack/testbed/cell/cell.ts';
import { inNetwork } from '../../hack/testbed/cell/network.ts';
import { runCommand } from '../../hack/testbed/cell/run-command.ts';
import { withPrivateTmp } from '../../hack/testbed/cluster/private-tmp.ts';
import { eventually } from './eventually.ts';

const [word = '', what = ''] = process.argv.slice(2);
const { folder, network, signal } = await openCell();
const say = (name: string, text: string): void => writeFileSync(join(folder, name), text);

// A program in a network namespace, with a /tmp of its own; a process that nobody waits for; a loop device and a mount.
const pod = await network.add('pod', '10.77.10.1');
const script = `touch /tmp/mark-${word}; exec -a ${word} sleep 3600`;
const early = join(folder, 'early');
await runCommand('mkdir', [early]);
await runCommand('mount', ['-t', 'tmpfs', 'tmpfs', early]);
const [command, args] = inNetwork(pod, ...withPrivateTmp([folder], 'bash', ['-c', script]));
const { pid } = spawn(command, [...args], { stdio: 'ignore', env: { PATH: process.env['PATH'] } });
spawn('sh', ['-c', '(sleep 0.1; exit 0) &'], { stdio: 'ignore' });
spawn('setsid', ['bash', '-c', `exec -a ${word} sleep 3600`], { stdio: 'ignore', detached: true }).unref();
const file = join(folder, 'disk.img');
writeFileSync(file, '');
truncateSync(file, 2 ** 20);
const device = (await runCommand('losetup', ['--find', '--show', file])).trim();
await runCommand('mkdir', [join(folder, 'mounted')]);
await runCommand('mount', ['-t', 'tmpfs', 'tmpfs', join(folder, 'mounted')]);
// Held by a process and detached, it goes with that process.
spawn('bash', ['-c', `exec 3<${device}; echo > ${folder}/held; exec -a ${word} sleep 3600`], {
  stdio: 'ignore',
});
await eventually('the device is held', () => readdirSync(folder).includes('held'));
await runCommand('losetup', ['--detach', device]);
await eventually('orphans are reaped', () => !processes().some(({ state }) => state === 'Z'));
await eventually('all run', () => processes().filter(({ name }) => name.startsWith('sleep')).length === 3); // What ends in the cell does not live on with a program that has mounts of its own.
const hasEarly = (): boolean => readFileSync(`/proc/${pid ?? 0}/mountinfo`, 'utf8').includes(early);
if (!hasEarly()) say('mistake', 'the program does not see what was mounted before it');
await runCommand('umount', [early]);
await eventually('it is unmounted for the program, too', () => !hasEarly());

say('network', await runCommand('ip', ['-brief', 'address']));
say('pid', String(process.pid));
if (what === 'end') process.exit(7);
say('there', '');
await new Promise((resolve) => {
  signal.addEventListener('abort', resolve, { once: true });
});
process.exit(3);

function processes(): readonly { readonly name: string; readonly state: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((id) => {
      try {
        const [, name = '', state = ''] =
          /\((.*)\) (\S)/.exec(readFileSync(`/proc/${id}/stat`, 'utf8')) ?? [];
        return [{ name, state }];
      } catch {
        return [];
      }
    });
}
