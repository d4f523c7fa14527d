import type { PersistentVolumeClaim } from '../../api/external/core.ts';
import type { Stored } from '../../api/meta.ts';
import { modeOf } from '../storage/volume-size.ts';
import type { ImportParts } from './copy.ts';
import { importVddk } from './import-vddk.ts';
import { failed, succeeded } from './importer-exit.ts';
import { claimTarget } from './import-target.ts';
import type { Program, ProgramContext, ProgramExit } from './pod-runner.ts';

/**
 * What the importer program does with the sources that are simulated: credentials and trust from its environment, bytes from the source
 * into the claim's disk, percent on the way, a line of text at the end. Other sources have their place in the switch. Fact: cdi 3.2, 3.3,
 * 3.6, 3.7.
 */
export function createImporter(parts: ImportParts): Program {
  return async (context, signal) => {
    const claim = [...context.claims.values()][0];
    if (claim === undefined) return failed('Unable to find a volume to write to');
    switch (context.env['IMPORTER_SOURCE']) {
      case 'none':
        return importBlank(parts, claim, context);
      case 'vddk':
        return importVddk(parts, claim, context, signal);
      default:
        return failed(`Unknown data source: ${context.env['IMPORTER_SOURCE'] ?? ''}`);
    }
  };
}

/** On a block volume nothing is written and nothing said (fact: cdi 3.7). */
function importBlank(
  { disks }: ImportParts,
  claim: Stored<PersistentVolumeClaim>,
  { env }: ProgramContext,
): ProgramExit {
  if (env['IMPORTER_CONTENTTYPE'] === 'archive') {
    return failed('Cannot create empty disk with content type archive');
  }
  const preallocationApplied = env['PREALLOCATION'] === 'true';
  if (modeOf(claim) === 'Block' && !preallocationApplied) return { exitCode: 0, message: '' };
  claimTarget(disks, claim).clear(0);
  return succeeded({ preallocationApplied, message: 'Import Complete' });
}
