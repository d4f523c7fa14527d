import type { Story } from '../story.ts';
import { changing } from './changing.ts';
import { creating } from './creating.ts';
import { collecting, deleting } from './deleting.ts';
import { kubernetes } from './kubernetes.ts';
import { reading, tables } from './reading.ts';
import { documents, refusing } from './refusing.ts';
import { validating } from './validating.ts';
import { watching } from './watching.ts';

/** By the name of the file that holds a real server's answers. */
export const storyFiles: Readonly<Record<string, readonly Story[]>> = {
  creating,
  validating,
  changing,
  reading,
  tables,
  watching,
  deleting,
  collecting,
  kubernetes,
  refusing,
  documents,
};
