// The process outside of the cell of cell-program.ts. Arguments: the folder for its folder, and those of cell-program.ts.
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { enterCell } from '../../hack/testbed/cell/enter-cell.ts';
import { RunFolder } from '../../hack/testbed/cell/run-folder.ts';
import { untilSignalled } from '../../src/cli/until-signalled.ts';
import { SystemClock } from '../../src/runtime/clock.ts';

const [parent = '', ...args] = process.argv.slice(2);
const signal = untilSignalled();
const clock = new SystemClock();
const path = fileURLToPath(new URL('cell-program.ts', import.meta.url));
{
  await using folder = await RunFolder.create(parent, clock);
  process.exitCode = await enterCell({ path, args, folder: folder.path, clock }, signal);
}
process.exit();
