import { join } from 'node:path';

/** Where the process in the testbed's namespaces leaves what it measured. `folder`: of the run. */
export function figuresFile(folder: string): string {
  return join(folder, 'figures.json');
}
